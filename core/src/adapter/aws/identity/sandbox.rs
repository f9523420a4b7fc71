//! Who we are in a sandbox: the task that the URL names, whatever platform it plays.

use super::{
    super::plain::{self, Ask},
    Found, Platform, Region, Said, Search, WITHIN,
};
use serde_json::Value;
use std::net::SocketAddr;

impl Search<'_> {
    /// An ECS task says so itself; of the others the sandbox keeps a list.
    pub(super) async fn sandboxed(&self, address: SocketAddr, task: &str) -> Result<Found, String> {
        let silent = |why: String| {
            format!("no task metadata of the sandbox at `{address}`: {why}; is it running?")
        };
        let metadata = plain::ask(address, &Ask::get(&format!("{task}/v4/task"), WITHIN)).await;
        let metadata = metadata.map_err(silent)?;
        match metadata.status.as_u16() {
            200 => self.of_task(&metadata.body),
            404 => {
                let list = plain::get(address, "/_sandbox/tasks", WITHIN).await.map_err(silent)?;
                self.of_list(&list, task)
            }
            status => Err(silent(format!("status {status}"))),
        }
    }

    fn of_list(&self, list: &[u8], task: &str) -> Result<Found, String> {
        let name = task.rsplit('/').next().unwrap_or_default();
        let list: Value = serde_json::from_slice(list).unwrap_or_default();
        let listed = list["tasks"].as_array().and_then(|t| t.iter().find(|t| t["name"] == name));
        let task = listed.ok_or_else(|| format!("the sandbox knows no task `{name}`"))?;
        let (platform, name) = match task["platform"].as_str() {
            Some("eks") => (Platform::Eks, task["pod_uid"].as_str()),
            Some("ec2") => (Platform::Ec2, task["instance_id"].as_str()),
            _ => (Platform::Elsewhere, None),
        };
        let anywhere = task["platform"] == "anywhere";
        let region = task["region"].as_str().unwrap_or_default();
        Ok(Found {
            platform,
            name: name.unwrap_or(self.random).to_owned(),
            region: Region::read(region, Said::Sandbox)?,
            anywhere,
        })
    }
}
