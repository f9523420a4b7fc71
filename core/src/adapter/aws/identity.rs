//! Who we are: the task, pod or instance that AWS meters, and its Region.

mod name;
mod place;
mod sandbox;

use super::{
    claims,
    credentials::Source,
    link_local::{self, Instance, LinkLocal},
    plain::Ask,
    region::{Heard, Offer, Region, Said, choose},
    token_file,
};
use crate::{
    adapter::surroundings::Surroundings,
    model::{
        finding::{Candidate, Fate},
        ids::{Identity, Platform},
    },
};
pub(crate) use place::Place;
use place::{is_of_eks, sign, unasked, unsaid};
use serde_json::Value;
use std::{net::SocketAddr, rc::Rc, time::Duration};

/// An identity with the Region as we use it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) platform: Platform,
    pub(super) name: String,
    pub(super) region: Region,
    /// A sandbox plays a container outside AWS, whose license gives it a role.
    pub(super) anywhere: bool,
    /// More than `platform`, for people.
    pub(super) place: Place,
    pub(super) trail: Rc<Trail>,
}

impl Found {
    pub(super) fn identity(&self) -> Identity {
        Identity {
            platform: self.platform,
            name: self.name.clone(),
            region: self.region.name().to_owned(),
        }
    }
}

/// Who was asked, and what became of what they said.
#[derive(Clone, Debug, Default)]
pub(super) struct Trail {
    /// For the Region.
    pub(super) regions: Vec<Candidate>,
    /// For the platform and the name.
    pub(super) signs: Vec<Candidate>,
}

/// Why nobody knows who we are, and what was asked until then.
#[derive(Debug)]
pub(super) struct Unfound {
    pub(super) why: String,
    /// As far as it is known.
    pub(super) place: Place,
    pub(super) trail: Trail,
}

impl From<String> for Unfound {
    fn from(why: String) -> Unfound {
        Unfound { why, place: Place::default(), trail: Trail::default() }
    }
}

/// What `Search` has gathered.
#[derive(Debug, Default)]
struct Notes {
    place: Place,
    trail: Trail,
}

/// An identity without its reasons.
struct Named {
    platform: Platform,
    name: String,
    region: Region,
    anywhere: bool,
}

/// One attempt at a server beside us.
const WITHIN: Duration = Duration::from_secs(2);

const METADATA: &str = "ECS_CONTAINER_METADATA_URI_V4";
const KUBERNETES: &str = "KUBERNETES_SERVICE_HOST";
const POD: &str = "the token of the pod's service account";
const INSTANCE: &str = "the EC2 instance metadata";

/// Where to look.
pub(super) struct Search<'a> {
    pub(super) there: &'a Surroundings,
    pub(super) link_local: &'a LinkLocal,
    pub(super) instance: &'a Instance,
    /// Address and task path of a sandbox.
    pub(super) sandbox: Option<(SocketAddr, String)>,
    pub(super) metering: bool,
    /// Stands for us where no platform gives a name.
    pub(super) random: &'a str,
}

impl Search<'_> {
    /// Looks, the surest source first.
    ///
    /// # Errors
    /// What was looked for and what to do.
    pub(super) async fn run(&self) -> Result<Found, Unfound> {
        let mut notes = Notes::default();
        let named = match &self.sandbox {
            Some((address, task)) => self.sandboxed(&mut notes, *address, task).await,
            None => self.look(&mut notes).await,
        };
        let Notes { place, trail } = notes;
        match named {
            Ok(Named { platform, name, region, anywhere }) => {
                Ok(Found { platform, name, region, anywhere, place, trail: Rc::new(trail) })
            }
            Err(why) => Err(Unfound { why, place, trail }),
        }
    }

    async fn look(&self, notes: &mut Notes) -> Result<Named, String> {
        if let Some(url) = &self.there.ecs_metadata {
            return self.task(notes, url).await;
        }
        let of_ecs = |name: &String| name.starts_with("AWS_ECS");
        if self.there.ecs_credentials.is_some() || self.there.execution_env.iter().any(of_ecs) {
            notes.place = Place::Ecs;
            let why = "it is not set, and other variables are that ECS sets: who has unset it?";
            notes.trail.signs.push(unsaid(METADATA, why));
        } else {
            notes.trail.signs.push(unsaid(METADATA, "it is not set, so this is no ECS task"));
        }
        if let Some(uid) = self.pod(notes).await? {
            let region = self.region(notes).await?;
            return Ok(named(Platform::Eks, uid, region));
        }
        match self.asks_instance_for_name() {
            Err(why) => notes.trail.signs.push(unasked(INSTANCE, why)),
            Ok(()) => match self.instance.get("/latest/meta-data/instance-id").await {
                Ok(id) => {
                    let id = name::checked(id.trim())?;
                    notes.trail.signs.push(sign(INSTANCE, &id, Fate::Won, "it answers"));
                    notes.place = Place::Ec2;
                    let region = self.region(notes).await?;
                    return Ok(named(Platform::Ec2, id, region));
                }
                Err(why) => notes.trail.signs.push(unsaid(INSTANCE, &why)),
            },
        }
        let region = self.region(notes).await?;
        Ok(named(Platform::Elsewhere, self.random.to_owned(), region))
    }

    async fn task(&self, notes: &mut Notes, url: &str) -> Result<Named, String> {
        notes.place = Place::Ecs;
        let body = self.task_metadata(notes, url).await;
        self.of_task(notes, body)
    }

    async fn task_metadata(&self, notes: &mut Notes, url: &str) -> Result<Vec<u8>, String> {
        // A buyer can set this variable, so only the address that ECS has is asked.
        let Some(path) = self.link_local.ecs_path(url) else {
            let why = "it is not at the address of ECS task metadata; unset it, ECS sets it itself";
            notes.trail.signs.push(sign(METADATA, url, Fate::Refused, why));
            return Err(format!("cannot use {METADATA}: {why}"));
        };
        let path = format!("{path}/task");
        let why = match link_local::ask(self.link_local.ecs, &Ask::get(&path, WITHIN)).await {
            Ok(answer) if answer.status.as_u16() == 200 => {
                notes.trail.signs.push(sign(METADATA, url, Fate::Won, "ECS answers there"));
                return Ok(answer.body.to_vec());
            }
            Ok(answer) => {
                format!("no ECS task metadata: status {}; try again", answer.status.as_u16())
            }
            Err(why) => format!("no ECS task metadata: {why}; try again"),
        };
        notes.trail.signs.push(sign(METADATA, url, Fate::Refused, &why));
        Err(why)
    }

    fn of_task(&self, notes: &mut Notes, body: Result<Vec<u8>, String>) -> Result<Named, String> {
        let task = body.and_then(|body| self.task_arn(notes, &body));
        let (arn, region) = match task {
            Ok(task) => task,
            Err(why) => {
                let unasked =
                    || Heard::NotAsked("the ECS task itself must say where it runs".to_owned());
                let offers = [
                    Offer::new(Said::TaskArn, Heard::Silent(why.clone())),
                    Offer::new(Said::Region, unasked()),
                    Offer::new(Said::DefaultRegion, unasked()),
                    Offer::new(Said::Instance, unasked()),
                    Offer::new(Said::Nobody, unasked()),
                ];
                notes.trail.regions = choose(&offers).1;
                return Err(why);
            }
        };
        let task = Offer::variable(Said::TaskArn, Some(&region));
        let instance = Heard::NotAsked("the ARN of the ECS task names a Region".to_owned());
        let region = self.choose(notes, task, instance)?;
        Ok(named(Platform::Ecs, arn, region))
    }

    /// The task's ARN, and the Region in it.
    ///
    /// Source: ECS developer guide, task metadata version 4: `TaskARN` is
    /// `arn:aws:ecs:<region>:<account>:task/<cluster>/<id>`.
    fn task_arn(&self, notes: &mut Notes, body: &[u8]) -> Result<(String, String), String> {
        let task: Value = serde_json::from_slice(body)
            .map_err(|_| "the ECS task metadata is not JSON; try again".to_owned())?;
        let (place, signs) = Place::of_task(&task, self.there.execution_env.as_deref());
        notes.place = place;
        notes.trail.signs.extend(signs);
        let arn = task["TaskARN"].as_str().unwrap_or_default();
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", _, "ecs", region, _, resource] = parts.as_slice() else {
            return Err("the ECS task metadata has no TaskARN; try again".to_owned());
        };
        if !resource.starts_with("task/") {
            return Err("the TaskARN of the ECS task metadata is not a task's".to_owned());
        }
        Ok((name::checked(arn)?, (*region).to_owned()))
    }

    /// The pod's uid, from the token that its service account projects.
    ///
    /// The token is not verified here: AWS does that when it is exchanged. It only names our state.
    ///
    /// # Errors
    /// No file of a token can be read. Without one we would be somebody else until the next start.
    async fn pod(&self, notes: &mut Notes) -> Result<Option<String>, String> {
        let there = self.there;
        if there.kubernetes {
            notes.place = Place::Kubernetes;
            notes.trail.signs.push(sign(KUBERNETES, "set", Fate::Won, "the kubelet sets it"));
        } else {
            notes.trail.signs.push(unsaid(KUBERNETES, "it is not set"));
        }
        let mut unreadable = None;
        for path in [&there.web_identity_token, &there.pod_identity_token].into_iter().flatten() {
            let token = match token_file::read(path).await {
                Ok(token) => token,
                Err(why) => {
                    notes.trail.signs.push(unsaid(POD, &why));
                    unreadable = unreadable.or(Some(why));
                    continue;
                }
            };
            let claims = claims::of(&token).unwrap_or_default();
            let Some(uid) = pod_uid(&claims) else {
                notes.trail.signs.push(unsaid(POD, "it names no pod"));
                continue;
            };
            let issuer = claims["iss"].as_str().unwrap_or_default();
            let agent = there.pod_identity.as_deref();
            let agent = agent.and_then(|url| self.link_local.pod_identity_at(url)).is_some();
            let eks = agent || is_of_eks(issuer);
            notes.place = if eks { Place::Eks } else { Place::Kubernetes };
            let why = format!("it names the pod; its issuer is `{}`", issuer.escape_debug());
            notes.trail.signs.push(sign(POD, &uid, Fate::Won, &why));
            return Ok(Some(uid));
        }
        unreadable.map_or(Ok(None), Err)
    }

    /// The instance's id names us where nothing else does. Not for metering: AWS meters no container on an
    /// instance alone.
    ///
    /// # Errors
    /// Why it is not asked.
    fn asks_instance_for_name(&self) -> Result<(), &'static str> {
        if self.metering {
            return Err("AWS meters ECS tasks and EKS pods, and no instance by itself");
        }
        if self.there.kubernetes {
            return Err("a node's instance is no pod's name");
        }
        if self.there.instance_metadata_disabled {
            return Err("AWS_EC2_METADATA_DISABLED is set");
        }
        match Source::find(self.there, None, false, self.link_local) {
            Ok(Source::Instance) => Ok(()),
            // On an instance its role would sign, and so it would be asked anyway.
            _ => Err("another source gives credentials, so this need not be an instance"),
        }
    }

    /// Where no task names one.
    ///
    /// Source: Seller Guide: instance metadata only when `AWS_REGION` is absent.
    async fn region(&self, notes: &mut Notes) -> Result<Region, String> {
        let task = Heard::Silent("this is no ECS task".to_owned());
        let instance = if self.variables().iter().any(Offer::speaks) {
            Heard::NotAsked("a variable names a Region".to_owned())
        } else if self.there.instance_metadata_disabled {
            Heard::NotAsked("AWS_EC2_METADATA_DISABLED is set".to_owned())
        } else if !self.metering && self.there.license_token.is_some() {
            // Outside AWS there is nobody to ask, and it takes a while to find that out.
            Heard::NotAsked("a license token is for containers outside of AWS".to_owned())
        } else {
            match self.instance.get("/latest/meta-data/placement/region").await {
                Ok(name) => Heard::Name(name.trim().to_owned()),
                Err(why) => Heard::Silent(why),
            }
        };
        self.choose(notes, Offer::new(Said::TaskArn, task), instance)
    }

    /// Takes the Region and keeps the reasons.
    fn choose(&self, notes: &mut Notes, task: Offer, instance: Heard) -> Result<Region, String> {
        let mut offers = vec![task];
        offers.extend(self.variables());
        offers.push(Offer::new(Said::Instance, instance));
        let default = if offers.iter().any(Offer::speaks) {
            Heard::NotAsked("somebody names a Region".to_owned())
        } else if self.metering {
            // Never a default here: the record must go to the Region of the task or pod.
            Heard::NotAsked(
                "metering takes no default: AWS wants the Region of the task or pod".to_owned(),
            )
        } else {
            Heard::Name(Region::of_contracts().name().to_owned())
        };
        offers.push(Offer::new(Said::Nobody, default));
        let (region, candidates) = choose(&offers);
        notes.trail.regions = candidates;
        region?.ok_or_else(|| {
            "no Region: looked at the ECS task's ARN, AWS_REGION, AWS_DEFAULT_REGION and instance metadata; on EKS set \
             AWS_REGION to the cluster's Region"
                .to_owned()
        })
    }

    fn variables(&self) -> [Offer; 2] {
        [
            Offer::variable(Said::Region, self.there.region.as_deref()),
            Offer::variable(Said::DefaultRegion, self.there.default_region.as_deref()),
        ]
    }
}

fn named(platform: Platform, name: String, region: Region) -> Named {
    Named { platform, name, region, anywhere: false }
}

/// Claim `kubernetes.io` . `pod` . `uid` of a projected service account token.
fn pod_uid(claims: &Value) -> Option<String> {
    let uid = claims["kubernetes.io"]["pod"]["uid"].as_str()?;
    (uid.len() <= 64).then(|| name::checked(uid).ok()).flatten()
}

#[cfg(test)]
mod tests;
