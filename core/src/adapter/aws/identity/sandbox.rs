//! Who we are in a sandbox: the task that the URL names, whatever platform it plays.

use super::{
    super::plain::{self, Ask},
    Fate, Named, Notes, Offer, Place, Platform, Said, Search, WITHIN, choose, sign,
};
use serde_json::Value;
use std::net::SocketAddr;

impl Search<'_> {
    /// An ECS task says so itself; of the others the sandbox keeps a list.
    pub(super) async fn sandboxed(
        &self,
        notes: &mut Notes,
        address: SocketAddr,
        task: &str,
    ) -> Result<Named, String> {
        let silent = |why: String| {
            format!("no task metadata of the sandbox at `{address}`: {why}; is it running?")
        };
        let metadata = plain::ask(address, &Ask::get(&format!("{task}/v4/task"), WITHIN)).await;
        let metadata = metadata.map_err(silent)?;
        match metadata.status.as_u16() {
            200 => {
                notes.trail.signs.push(sign(SANDBOX, "ecs", Fate::Won, PLAYS));
                self.of_task(notes, Ok(metadata.body.to_vec()))
            }
            404 => {
                let list = plain::get(address, "/_sandbox/tasks", WITHIN).await.map_err(silent)?;
                self.of_list(notes, &list, task)
            }
            status => Err(silent(format!("status {status}"))),
        }
    }

    fn of_list(&self, notes: &mut Notes, list: &[u8], task: &str) -> Result<Named, String> {
        let name = task.rsplit('/').next().unwrap_or_default();
        let list: Value = serde_json::from_slice(list).unwrap_or_default();
        let listed = list["tasks"].as_array().and_then(|t| t.iter().find(|t| t["name"] == name));
        let task = listed.ok_or_else(|| format!("the sandbox knows no task `{name}`"))?;
        let played = task["platform"].as_str().unwrap_or_default();
        let (platform, place, name) = match played {
            "eks" => (Platform::Eks, Place::Eks, task["pod_uid"].as_str()),
            "ec2" => (Platform::Ec2, Place::Ec2, task["instance_id"].as_str()),
            _ => (Platform::Elsewhere, Place::Elsewhere, None),
        };
        notes.place = place;
        notes.trail.signs.push(sign(SANDBOX, played, Fate::Won, PLAYS));
        let offers = [Offer::variable(Said::Sandbox, task["region"].as_str())];
        let (region, candidates) = choose(&offers);
        notes.trail.regions = candidates;
        let region = region?.ok_or("the sandbox names no Region of its task")?;
        let name = name.unwrap_or(self.random).to_owned();
        Ok(Named { platform, name, region, anywhere: played == "anywhere" })
    }
}

const SANDBOX: &str = "the sandbox";
const PLAYS: &str = "the sandbox plays it";
