//! Who we are: the task, pod or instance that AWS meters, and its Region.

mod sandbox;

use super::{
    claims,
    credentials::read_token,
    link_local::LinkLocal,
    plain,
    region::{Region, Said},
};
use crate::{
    adapter::surroundings::Surroundings,
    model::ids::{Identity, Platform},
};
use serde_json::Value;
use std::{net::SocketAddr, time::Duration};

/// An identity with the Region as we use it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) platform: Platform,
    pub(super) name: String,
    pub(super) region: Region,
    /// A sandbox plays a container outside AWS, whose license gives it a role.
    pub(super) anywhere: bool,
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

/// One attempt at a server beside us.
const WITHIN: Duration = Duration::from_secs(2);

/// Where to look.
pub(super) struct Search<'a> {
    pub(super) there: &'a Surroundings,
    pub(super) link_local: &'a LinkLocal,
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
    pub(super) async fn run(&self) -> Result<Found, String> {
        if let Some((address, task)) = &self.sandbox {
            return self.sandboxed(*address, task).await;
        }
        if let Some(url) = &self.there.ecs_metadata {
            // A buyer can set this variable, so only the address that ECS has is asked.
            let path = self.link_local.ecs_path(url).ok_or_else(|| {
                "cannot use ECS_CONTAINER_METADATA_URI_V4: it is not at the address of ECS task metadata; unset it, ECS sets \
                 it itself"
                    .to_owned()
            })?;
            let body = plain::get(self.link_local.ecs, &format!("{path}/task"), WITHIN)
                .await
                .map_err(|why| format!("no ECS task metadata: {why}; try again"))?;
            return self.of_task(&body);
        }
        if let Some(uid) = self.pod_uid() {
            let region = self.region().await?;
            return Ok(Found { platform: Platform::Eks, name: uid, region, anywhere: false });
        }
        if !self.metering
            && self.asks_instance()
            && !self.there.kubernetes
            && let Ok(found) = self.instance().await
        {
            return Ok(found);
        }
        Ok(Found {
            platform: Platform::Elsewhere,
            name: self.random.to_owned(),
            region: self.region().await?,
            anywhere: false,
        })
    }

    /// Source: ECS developer guide, task metadata version 4: `TaskARN` is
    /// `arn:aws:ecs:<region>:<account>:task/<cluster>/<id>`.
    fn of_task(&self, body: &[u8]) -> Result<Found, String> {
        let task: Value = serde_json::from_slice(body)
            .map_err(|_| "the ECS task metadata is not JSON; try again".to_owned())?;
        let arn = task["TaskARN"].as_str().unwrap_or_default();
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", _, "ecs", region, _, resource] = parts.as_slice() else {
            return Err("the ECS task metadata has no TaskARN; try again".to_owned());
        };
        if !resource.starts_with("task/") {
            return Err("the TaskARN of the ECS task metadata is not a task's".to_owned());
        }
        Ok(Found {
            platform: Platform::Ecs,
            name: arn.to_owned(),
            region: Region::read(region, Said::TaskArn)?,
            anywhere: false,
        })
    }

    /// The pod's uid, from the token that its service account projects.
    ///
    /// The token is not verified here: AWS does that when it is exchanged. It only names our state.
    fn pod_uid(&self) -> Option<String> {
        let files = [&self.there.web_identity_token, &self.there.pod_identity_token];
        files.into_iter().flatten().find_map(|path| pod_uid(&read_token(path).ok()?))
    }

    async fn instance(&self) -> Result<Found, String> {
        let metadata = self.link_local.instance_session().await?;
        let name = metadata.get("/latest/meta-data/instance-id").await?;
        let region = match self.said_region()? {
            Some(region) => region,
            None => {
                let name = metadata.get("/latest/meta-data/placement/region").await?;
                Region::read(name.trim(), Said::Instance)?
            }
        };
        let name = name.trim().to_owned();
        Ok(Found { platform: Platform::Ec2, name, region, anywhere: false })
    }

    /// Source: Seller Guide: instance metadata only when `AWS_REGION` is absent.
    async fn region(&self) -> Result<Region, String> {
        if let Some(region) = self.said_region()? {
            return Ok(region);
        }
        if self.asks_instance()
            && let Ok(metadata) = self.link_local.instance_session().await
        {
            let name = metadata.get("/latest/meta-data/placement/region").await?;
            return Region::read(name.trim(), Said::Instance);
        }
        if self.metering {
            // Never a default here: the record must go to the Region of the task or pod.
            Err("no Region: looked at the ECS task's ARN, AWS_REGION, AWS_DEFAULT_REGION and instance metadata; on EKS set \
                 AWS_REGION to the cluster's Region"
                .to_owned())
        } else {
            Ok(Region::of_contracts())
        }
    }

    /// A license token is for containers outside AWS. Elsewhere there is nobody to ask, and it takes a while
    /// to find that out.
    fn asks_instance(&self) -> bool {
        !self.there.instance_metadata_disabled
            && (self.metering || self.there.license_token.is_none())
    }

    fn said_region(&self) -> Result<Option<Region>, String> {
        let said =
            [(&self.there.region, Said::Region), (&self.there.default_region, Said::DefaultRegion)];
        said.into_iter()
            .find_map(|(name, said)| name.as_deref().map(|name| Region::read(name, said)))
            .transpose()
    }
}

/// Claim `kubernetes.io` . `pod` . `uid` of a projected service account token.
fn pod_uid(token: &str) -> Option<String> {
    let claims = claims::of(token)?;
    let uid = claims["kubernetes.io"]["pod"]["uid"].as_str()?;
    (!uid.is_empty() && uid.len() <= 64).then(|| uid.to_owned())
}

#[cfg(test)]
mod tests;
