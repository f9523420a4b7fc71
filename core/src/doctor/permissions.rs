//! Which calls AWS lets the role make.

use super::{finding, unseen};
use crate::{
    adapter::{
        aws::examine::{Aws, Contract, Permission},
        examine::Look,
    },
    config::Settings,
    model::{
        finding::{Finding, Status},
        outcome::{
            Consumption, Details, Failure, FailureClass, Permitted, Refusal, RefusalReason, Tiers,
        },
    },
};

/// One action of IAM, and what is missing without it.
struct Action {
    service: &'static str,
    name: &'static str,
    /// Empty where nothing works without it.
    missing: &'static str,
}

const fn needed(service: &'static str, name: &'static str) -> Action {
    Action { service, name, missing: "" }
}

const LICENSING: &str = "license-manager";

pub(super) fn findings(settings: Option<&Settings>, aws: &Aws) -> Vec<Finding> {
    if settings.is_none() {
        return vec![finding(
            "permissions",
            Status::Skipped,
            "no permission was looked at",
            "without a configuration nobody knows which calls the product makes",
            "give the product's configuration",
        )];
    }
    let mut all = Vec::new();
    if let Some(look) = &aws.register {
        all.push(permission(&needed("aws-marketplace", "RegisterUsage"), look));
    }
    if let Some(look) = &aws.meter {
        all.push(permission(
            &needed("aws-marketplace", "MeterUsage"),
            &look.as_ref().map(of_dry_run),
        ));
        all.push(dry_run(look));
    }
    if let Some(contract) = &aws.contract {
        all.extend(of_contract(contract));
    }
    all
}

fn of_contract(contract: &Contract) -> [Finding; 6] {
    let usage = Action {
        service: LICENSING,
        name: "GetLicenseUsage",
        missing: "nobody sees how much of the contract is taken, and a draw whose answer was lost is disputed at once",
    };
    let list = Action {
        service: LICENSING,
        name: "ListReceivedLicenses",
        missing: "\"not bought\", \"not activated\" and \"all taken\" cannot be told apart, and several licenses of the \
                  product are not noticed",
    };
    [
        permission(
            &needed(LICENSING, "CheckoutLicense"),
            &contract.check_out.as_ref().map(of_tiers),
        ),
        permission(&needed(LICENSING, "CheckInLicense"), &contract.check_in),
        permission(&needed(LICENSING, "ExtendLicenseConsumption"), &contract.extend),
        permission(&needed(LICENSING, "GetLicense"), &contract.license.as_ref().map(of_details)),
        permission(&list, &contract.received.as_ref().map(of_details)),
        permission(&usage, &contract.usage.as_ref().map(of_consumption)),
    ]
}

fn given() -> Permission {
    Permission::Given(String::new())
}

fn of_dry_run(answer: &Permitted) -> Permission {
    match answer {
        Permitted::No(refusal) if refusal.reason == RefusalReason::AccessDenied => {
            Permission::Missing(refusal.text.clone())
        }
        // What else AWS refuses is the matter of `dry_run`: it looks at permissions first.
        Permitted::Yes | Permitted::No(_) => given(),
        Permitted::Failed(failure) => Permission::of(failure.clone()),
    }
}

fn of_tiers(answer: &Tiers) -> Permission {
    match answer {
        Tiers::Bought { .. } | Tiers::None(_) => given(),
        Tiers::Failed(failure) => Permission::of(failure.clone()),
    }
}

fn of_details(answer: &Details) -> Permission {
    match answer {
        Details::Found(_) | Details::Nothing(_) => given(),
        Details::Failed(failure) => Permission::of(failure.clone()),
    }
}

fn of_consumption(answer: &Consumption) -> Permission {
    match answer {
        Consumption::Read(_) => given(),
        Consumption::Failed(failure) => Permission::of(failure.clone()),
    }
}

fn permission(action: &Action, look: &Look<Permission>) -> Finding {
    let id = format!("permission.{}", action.name);
    let name = format!("`{}:{}`", action.service, action.name);
    let seen = match look {
        Look::Seen(seen) => seen,
        look => return unseen(id, look),
    };
    match seen {
        Permission::Given(code) => {
            let why = match code.as_str() {
                "" => "AWS answered a question that changes nothing".to_owned(),
                code => format!(
                    "AWS looks at permissions first, and refused a made-up question with `{code}`"
                ),
            };
            finding(id, Status::Passed, format!("the role may call {name}"), why, "")
        }
        Permission::Missing(text) if action.missing.is_empty() => finding(
            id,
            Status::Failed,
            format!("{name} is denied"),
            text.as_str(),
            format!(
                "allow {name} to the role of the task or pod; `mpguard policy` writes the whole policy"
            ),
        ),
        Permission::Missing(text) => finding(
            id,
            Status::Warning,
            format!("{name} is denied, and without it {}", action.missing),
            text.as_str(),
            format!("allow {name} to the role of the task or pod; it only reads"),
        ),
        Permission::Refused(text) => finding(
            id,
            Status::Failed,
            format!("{name} is refused"),
            text.as_str(),
            "do what the reason says; a guard would meet the same answer",
        ),
        Permission::Unknown(failure) => unknown(id, &name, failure),
    }
}

/// A question without an answer to decide on.
fn unknown(id: impl Into<String>, name: &str, failure: &Failure) -> Finding {
    let (status, fix) = match failure.class {
        // One fault is told once, where it is.
        FailureClass::NotSent => {
            (Status::Skipped, "see the findings `endpoint`, `credentials` and `region`")
        }
        FailureClass::Throttled => (Status::Skipped, "run the doctor again in a minute"),
        FailureClass::AccessDenied => (Status::Failed, "do what the reason says"),
        FailureClass::Unknown => {
            (Status::Warning, "run the doctor again; if it stays, see the finding `endpoint`")
        }
    };
    finding(id, status, format!("nobody knows about {name}"), failure.text.as_str(), fix)
}

fn dry_run(look: &Look<Permitted>) -> Finding {
    const ID: &str = "dry_run";
    match look {
        Look::Seen(Permitted::Yes) => finding(
            ID,
            Status::Passed,
            "a dry run of `MeterUsage` succeeded",
            "AWS lets this role meter from this place; nothing was recorded",
            "",
        ),
        Look::Seen(Permitted::No(refusal)) => finding(
            ID,
            Status::Failed,
            "AWS refuses to meter here",
            refusal.text.as_str(),
            fix_of(refusal),
        ),
        Look::Seen(Permitted::Failed(failure)) => {
            unknown(ID, "the dry run of `MeterUsage`", failure)
        }
        look => unseen(ID, look),
    }
}

/// What whoever reads this does about a refusal.
pub(super) fn fix_of(refusal: &Refusal) -> &'static str {
    match refusal.reason {
        RefusalReason::NotEntitled => {
            "subscribe to the product in AWS Marketplace with this AWS account, then start the product again"
        }
        RefusalReason::AccessDenied => "see the finding `permission.MeterUsage`",
        RefusalReason::PlatformNotSupported => {
            "run the product as an ECS task with a task role, or as an EKS pod whose service account has an IAM role (IRSA)"
        }
        RefusalReason::InvalidRegion => {
            "remove AWS_REGION and AWS_DEFAULT_REGION from the definition of the task or pod, or set them to the cluster's Region"
        }
        RefusalReason::InvalidProduct | RefusalReason::SignatureInvalid => {
            "tell the seller: product code, dimensions and keys are in the product's own configuration"
        }
    }
}
