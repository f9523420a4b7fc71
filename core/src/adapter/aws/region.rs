//! The Region: found, never configured, and checked before it becomes part of a host name.

mod choice;

pub(super) use choice::{Heard, Offer, choose};
use std::fmt;

/// Who named a Region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// The ARN of the ECS task.
    TaskArn,
    /// `AWS_REGION`.
    Region,
    /// `AWS_DEFAULT_REGION`.
    DefaultRegion,
    /// EC2 instance metadata.
    Instance,
    /// A sandbox, of a task that is not ECS's.
    Sandbox,
    /// Nobody; contracts work from any Region.
    Nobody,
    /// License Manager, in a `RedirectException`.
    Redirect,
}

impl Said {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Said::TaskArn => "the ARN of the ECS task",
            Said::Region => "AWS_REGION",
            Said::DefaultRegion => "AWS_DEFAULT_REGION",
            Said::Instance => "the EC2 instance metadata",
            Said::Sandbox => "the sandbox",
            Said::Nobody => "mpguard's default for contracts",
            Said::Redirect => "a redirect of License Manager",
        }
    }
}

/// A well-formed Region and who named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Region {
    name: String,
    said: Said,
}

impl Region {
    /// Checks `name`.
    ///
    /// # Errors
    /// What is wrong with it, and what to do.
    pub(super) fn read(name: &str, said: Said) -> Result<Region, String> {
        if well_formed(name) {
            Ok(Region { name: name.to_owned(), said })
        } else {
            Err(format!(
                "cannot use Region `{}` of {}: it is not a Region's name; remove it, or give one such as `us-east-1`",
                super::shown(name, SHOWN),
                said.as_str()
            ))
        }
    }

    /// Region of the license issuer, for contracts that run where no Region is known.
    ///
    /// Source: Seller Guide, Containers Anywhere: default Region chain, else us-east-1.
    pub(super) fn of_contracts() -> Region {
        Region { name: "us-east-1".to_owned(), said: Said::Nobody }
    }

    /// Its name, safe as part of a host name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` (named by {})", self.name, self.said.as_str())
    }
}

/// How much of a name that is none gets into a text.
const SHOWN: usize = 40;

/// `^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$`: no dot, so that no Region can name another host.
pub(super) fn well_formed(name: &str) -> bool {
    let letters = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    let parts: Vec<&str> = name.split('-').collect();
    let [first, middle @ .., last] = parts.as_slice() else {
        return false;
    };
    (2..=4).contains(&first.len())
        && letters(first)
        && !middle.is_empty()
        && middle.iter().all(|part| letters(part))
        && (1..=2).contains(&last.len())
        && last.bytes().all(|b| b.is_ascii_digit())
        && name.len() <= 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_of_every_partition_are_well_formed() {
        for name in ["us-east-1", "ap-southeast-7", "us-gov-west-1", "eusc-de-east-1", "cn-north-1"]
        {
            assert!(Region::read(name, Said::Region).is_ok(), "{name}");
        }
    }

    #[test]
    fn nothing_that_could_name_another_host_is_a_region() {
        for name in [
            "",
            "us-east-1.evil.example",
            "us-east-1/",
            "us-east-1#",
            "a@b-c-1",
            "us east-1",
            "us-east-",
            "us--1",
            "us-1",
            "east",
            "US-EAST-1",
            "us-east-100",
            "u-east-1",
            "usaaa-east-1",
            "us-east-1\r\nhost: evil",
        ] {
            assert!(Region::read(name, Said::Region).is_err(), "{name:?}");
        }
    }

    #[test]
    fn the_text_names_who_said_it() {
        let error = Region::read("a.b", Said::DefaultRegion).expect_err("a dot is refused");
        assert!(error.contains("`a.b` of AWS_DEFAULT_REGION"), "{error}");
        let region = Region::read("us-east-1", Said::TaskArn).expect("well formed");
        assert_eq!(region.to_string(), "`us-east-1` (named by the ARN of the ECS task)");
    }
}
