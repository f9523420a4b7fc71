//! Tasks: the ECS tasks, pods and machines in which containers run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// AWS's own sample account.
pub(crate) const ACCOUNT: &str = "111122223333";

/// Where the samples mount the license token. Source: Seller Guide, Containers Anywhere.
const LICENSE_TOKEN_FILE: &str = "/var/run/secrets/product-license/license_token";

/// The role that comes with a license token. Source: License Manager user guide.
pub(crate) fn consumption_role_arn(account: &str) -> String {
    format!("arn:aws:iam::{account}:role/AWSLicenseManagerConsumptionRole")
}

/// Where a container runs.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Platform {
    #[default]
    Ecs,
    Eks,
    Ec2,
    /// Outside AWS, with a license token: "Containers Anywhere".
    Anywhere,
    None,
}

/// One task. Its name is the identity that AWS meters.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Task {
    pub(crate) name: String,
    pub(crate) platform: Platform,
    pub(crate) region: String,
    pub(crate) account: String,
    pub(crate) pod_uid: String,
    pub(crate) instance_id: String,
    /// Content of the mounted file with the license token, on platform `anywhere`.
    pub(crate) license_token: Option<String>,
}

impl Task {
    fn new(name: &str, platform: Platform, region: &str) -> Self {
        let id = Uuid::new_v4();
        Self {
            name: name.to_owned(),
            platform,
            region: region.to_owned(),
            account: ACCOUNT.to_owned(),
            pod_uid: id.to_string(),
            instance_id: format!("i-{}", &id.simple().to_string()[..17]),
            license_token: None,
        }
    }

    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:ecs:{}:{}:task/sandbox/{}", self.region, self.account, self.name)
    }

    /// The role under which the container's requests run.
    pub(crate) fn role_arn(&self) -> String {
        match self.platform {
            Platform::Anywhere => consumption_role_arn(&self.account),
            _ => format!("arn:aws:iam::{}:role/sandbox-{}", self.account, self.name),
        }
    }

    /// What the samples for Containers Anywhere set. Source: Seller Guide, Containers Anywhere.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        match self.platform {
            Platform::Anywhere => vec![
                ("AWS_REGION", self.region.clone()),
                ("AWS_ROLE_ARN", self.role_arn()),
                ("AWS_WEB_IDENTITY_REFRESH_TOKEN_FILE", LICENSE_TOKEN_FILE.to_owned()),
            ],
            _ => Vec::new(),
        }
    }
}

#[derive(Default)]
pub(crate) struct Tasks {
    known: BTreeMap<String, Task>,
}

impl Tasks {
    pub(crate) fn get(&self, name: &str) -> Option<&Task> {
        self.known.get(name)
    }

    /// The task of this name; created on first touch, so that no test needs a set-up call.
    pub(crate) fn touch(&mut self, name: &str, platform: Platform, region: &str) -> &mut Task {
        self.known.entry(name.to_owned()).or_insert_with(|| Task::new(name, platform, region))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Task> {
        self.known.values()
    }
}

/// Whether this may name a task: `[A-Za-z0-9_.-]{1,64}`.
pub(crate) fn is_task_name(name: &str) -> bool {
    let allowed =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '-');
    (1..=64).contains(&name.len()) && name.chars().all(allowed)
}

/// Whether this may be a Region. A Region goes into host names, so nothing else does.
pub(crate) fn is_region(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let letters =
        |part: &&str| !part.is_empty() && part.chars().all(|letter| letter.is_ascii_lowercase());
    let digits = |part: &str| {
        (1..=2).contains(&part.len()) && part.chars().all(|digit| digit.is_ascii_digit())
    };
    match parts.split_last() {
        Some((last, first)) => first.len() >= 2 && first.iter().all(letters) && digits(last),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_has_words_and_a_number() {
        for good in ["us-east-1", "us-gov-west-1", "ap-southeast-2", "eusc-de-east-1"] {
            assert!(is_region(good), "{good}");
        }
        for bad in ["", "us-east", "us.east.1", "us-1", "US-EAST-1", "us-east-1.evil", "us--1"] {
            assert!(!is_region(bad), "{bad}");
        }
    }
}
