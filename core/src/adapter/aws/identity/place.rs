//! What kind of place this is, for people: the signs, and what they mean.
//!
//! What decides is `Platform`; a place is only told, but for ECS Anywhere, which AWS does not meter.

use super::super::shown;
use crate::model::finding::{Candidate, Fate};
use serde_json::Value;

/// Where the container runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Place {
    /// ECS on Fargate.
    Fargate,
    /// ECS on EC2.
    EcsOnEc2,
    /// ECS that does not say on what.
    Ecs,
    /// ECS on a machine outside AWS.
    EcsAnywhere,
    /// EKS.
    Eks,
    /// Kubernetes that shows no sign of EKS: EKS Anywhere, or another one.
    Kubernetes,
    /// An EC2 instance by itself.
    Ec2,
    /// None of these shows a sign: a laptop, a server outside AWS.
    #[default]
    Elsewhere,
}

impl Place {
    /// For people.
    pub(crate) const fn describe(self) -> &'static str {
        match self {
            Place::Fargate => "Amazon ECS on AWS Fargate",
            Place::EcsOnEc2 => "Amazon ECS on EC2",
            Place::Ecs => "Amazon ECS",
            Place::EcsAnywhere => "Amazon ECS Anywhere, outside of AWS",
            Place::Eks => "Amazon EKS",
            Place::Kubernetes => "Kubernetes without a sign of EKS, such as EKS Anywhere",
            Place::Ec2 => "an EC2 instance, outside of ECS and EKS",
            Place::Elsewhere => "neither ECS nor EKS, such as a laptop",
        }
    }

    /// By `LaunchType` of the task metadata, and where an old agent does not tell it by `AWS_EXECUTION_ENV`.
    ///
    /// Source: ECS developer guide, task metadata version 4; [AC §6.1, §6.2].
    pub(super) fn of_task(task: &Value, execution_env: Option<&str>) -> (Place, Vec<Candidate>) {
        const METADATA: &str = "LaunchType of the ECS task metadata";
        let launch = task["LaunchType"].as_str();
        let by_launch = launch.map(|launch| match launch {
            "FARGATE" => Place::Fargate,
            "EC2" => Place::EcsOnEc2,
            "EXTERNAL" => Place::EcsAnywhere,
            _ => Place::Ecs,
        });
        let by_variable = execution_env.map(|name| match name {
            "AWS_ECS_FARGATE" => Place::Fargate,
            "AWS_ECS_EC2" => Place::EcsOnEc2,
            _ => Place::Ecs,
        });
        let metadata = match launch {
            Some(launch) => sign(METADATA, launch, Fate::Won, "ECS itself says so"),
            None => unsaid(METADATA, "this ECS agent does not tell it"),
        };
        let variable = match (execution_env, launch) {
            (None, _) => unsaid(EXECUTION_ENV, "it is not set"),
            (Some(name), None) => sign(EXECUTION_ENV, name, Fate::Won, "ECS sets it"),
            (Some(name), Some(_)) => {
                sign(EXECUTION_ENV, name, Fate::Lost, "the task metadata comes first")
            }
        };
        (by_launch.or(by_variable).unwrap_or(Place::Ecs), vec![metadata, variable])
    }
}

/// Set by ECS. [AC §6.1]
const EXECUTION_ENV: &str = "AWS_EXECUTION_ENV";

pub(super) fn sign(source: &'static str, value: &str, fate: Fate, why: &str) -> Candidate {
    Candidate { source, value: Some(shown(value, 200)), fate, why: why.to_owned() }
}

pub(super) fn unsaid(source: &'static str, why: &str) -> Candidate {
    Candidate { source, value: None, fate: Fate::Silent, why: why.to_owned() }
}

pub(super) fn unasked(source: &'static str, why: &str) -> Candidate {
    Candidate { source, value: None, fate: Fate::NotAsked, why: why.to_owned() }
}

/// True for an issuer of tokens that is a cluster of EKS.
///
/// An issuer on AWS's hosts with `eks` in its name. It only makes a description: the claim is not verified.
pub(super) fn is_of_eks(issuer: &str) -> bool {
    let rest = issuer.strip_prefix("https://").unwrap_or(issuer);
    let host = rest.split('/').next().unwrap_or_default();
    // Suffixes: [AC §3.3].
    const OF_AWS: [&str; 6] = [
        ".amazonaws.com",
        ".amazonaws.com.cn",
        ".amazonaws.eu",
        ".api.aws",
        ".api.amazonwebservices.com.cn",
        ".api.amazonwebservices.eu",
    ];
    OF_AWS.iter().any(|suffix| host.ends_with(suffix))
        && host.split(['.', '-']).any(|part| part == "eks")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_task_says_what_it_runs_on() {
        for (task, variable, expected) in [
            (json!({"LaunchType": "FARGATE"}), Some("AWS_ECS_EC2"), Place::Fargate),
            (json!({"LaunchType": "EC2"}), None, Place::EcsOnEc2),
            (json!({"LaunchType": "EXTERNAL"}), Some("AWS_ECS_EC2"), Place::EcsAnywhere),
            (json!({"LaunchType": "MANAGED_INSTANCES"}), None, Place::Ecs),
            (json!({}), Some("AWS_ECS_FARGATE"), Place::Fargate),
            (json!({}), Some("AWS_ECS_EC2"), Place::EcsOnEc2),
            (json!({}), None, Place::Ecs),
        ] {
            assert_eq!(Place::of_task(&task, variable).0, expected, "{task} {variable:?}");
        }
    }

    #[test]
    fn an_issuer_of_eks_is_one_of_awss_hosts() {
        assert!(is_of_eks("https://oidc.eks.eu-west-1.amazonaws.com/id/ABC"));
        assert!(is_of_eks("https://oidc-eks.eu-west-1.api.aws/id/ABC"));
        for other in [
            "https://kubernetes.default.svc.cluster.local",
            "https://s3.eu-west-1.amazonaws.com/bucket/eks",
            "https://oidc.eks.evil.example/id",
            "",
        ] {
            assert!(!is_of_eks(other), "{other}");
        }
    }
}
