//! Where the container runs, who AWS takes it for, and its Region.

use super::{finding, unseen};
use crate::{
    adapter::{
        aws::examine::{Aws, Place},
        examine::Look,
    },
    config::Settings,
    model::{
        finding::{Candidate, Fate, Finding, Status},
        ids::{Identity, Platform},
    },
};

pub(super) fn findings(settings: Option<&Settings>, aws: &Aws) -> Vec<Finding> {
    match &aws.identity {
        Look::Seen(Ok(identity)) => {
            vec![platform(settings, aws), of(identity), region(settings, aws, &identity.region)]
        }
        Look::Seen(Err(why)) => {
            // Who gave no configuration may have a product that needs neither.
            let status = if settings.is_some() { Status::Failed } else { Status::Warning };
            vec![
                platform(settings, aws),
                finding(
                    "identity",
                    status,
                    "nobody knows which task or pod this is",
                    why.as_str(),
                    "do what the reason says; a guard tries again until then",
                ),
                finding(
                    "region",
                    status,
                    "no Region is known",
                    told(&aws.regions),
                    "see the finding `identity`; ECS and EKS name the Region by themselves",
                ),
            ]
        }
        look => ["platform", "identity", "region"].map(|id| unseen(id, look)).into(),
    }
}

fn platform(settings: Option<&Settings>, aws: &Aws) -> Finding {
    let meters = settings.map(|settings| settings.pricing.hourly || settings.pricing.usage);
    let status = match (meters, aws.place) {
        (_, Place::Fargate | Place::EcsOnEc2 | Place::Ecs | Place::Eks) => Status::Passed,
        (Some(false), _) => Status::Passed,
        // Its tokens may come from an issuer that we do not know for EKS's.
        (_, Place::Kubernetes) | (None, _) => Status::Warning,
        (Some(true), Place::EcsAnywhere | Place::Ec2 | Place::Elsewhere) => Status::Failed,
    };
    let what = format!("this is {}", aws.place.describe());
    let signs = told(&aws.signs);
    if status == Status::Passed {
        return finding("platform", status, what, signs, "");
    }
    finding(
        "platform",
        status,
        what,
        format!(
            "AWS meters ECS tasks and EKS pods only; contracts work anywhere. Looked at: {signs}"
        ),
        "run the product as an ECS task with a task role, or as an EKS pod whose service account has an IAM role (IRSA)",
    )
}

fn of(identity: &Identity) -> Finding {
    if identity.platform == Platform::Elsewhere {
        return finding(
            "identity",
            Status::Passed,
            "no platform gives this container a name, so each run has a random one",
            "usage is kept by it",
            "",
        );
    }
    let what = format!("AWS knows this container as `{}`", identity.name);
    finding("identity", Status::Passed, what, "usage and seats are kept by this name", "")
}

/// Where AWS takes `RegisterUsage` and `MeterUsage` of ECS tasks and EKS pods.
///
/// Source: Metering API reference, Region support; [AC §3.4, Q19].
const METERED: [&str; 17] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "sa-east-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-north-1",
    "ap-east-1",
    "ap-south-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-southeast-1",
    "ap-southeast-2",
];

fn region(settings: Option<&Settings>, aws: &Aws, name: &str) -> Finding {
    const ID: &str = "region";
    let meters = settings.is_none_or(|settings| settings.pricing.hourly || settings.pricing.usage);
    let who = aws.regions.iter().find(|candidate| candidate.fate == Fate::Won);
    let who = who.map_or_else(String::new, |won| format!(", named by {}", won.source));
    let what = format!("calls go to Region `{name}`{who}");
    let why = told(&aws.regions);
    let odd = |candidate: &&Candidate| match candidate.fate {
        Fate::Refused => true,
        Fate::Lost => candidate.value.as_deref() != Some(name),
        Fate::Won | Fate::Silent | Fate::NotAsked => false,
    };
    if let Some(odd) = aws.regions.iter().find(odd) {
        let fix = format!("set {} to `{name}`, or remove it: it has no effect", odd.source);
        return finding(
            ID,
            Status::Warning,
            format!("{what}; {} says something else", odd.source),
            why,
            fix,
        );
    }
    if meters && !METERED.contains(&name) {
        return finding(
            ID,
            Status::Warning,
            format!("{what}, where AWS does not list metering of containers"),
            format!("the Metering API reference lists {} Regions for it; {why}", METERED.len()),
            "run the product in a Region of that list, or ask AWS Marketplace; the service itself decides",
        );
    }
    finding(ID, Status::Passed, what, why, "")
}

/// Who was asked, and what became of it.
fn told(candidates: &[Candidate]) -> String {
    let one = |candidate: &Candidate| {
        let said =
            candidate.value.as_deref().map_or_else(String::new, |value| format!(" says `{value}`"));
        format!("{}{said}: {}", candidate.source, candidate.why)
    };
    match candidates {
        [] => "nobody was asked".to_owned(),
        all => all.iter().map(one).collect::<Vec<_>>().join("; "),
    }
}
