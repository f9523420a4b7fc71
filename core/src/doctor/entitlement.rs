//! What the buyer has bought, as far as looking tells.

use super::{configuration, finding, permissions::fix_of, unseen};
use crate::{
    adapter::{
        aws::examine::{Aws, Contract},
        examine::Look,
    },
    config::Settings,
    model::{
        finding::{Finding, Status},
        license::{self, EntitlementKind, Standing},
        outcome::{Details, FailureClass, Permitted, RefusalReason, Tiers},
    },
};

const ID: &str = "entitlement";
const BUY: &str = "buy the product in AWS Marketplace with this AWS account, and activate its license under Granted licenses \
                   in AWS License Manager";

pub(super) fn findings(settings: Option<&Settings>, aws: &Aws) -> Vec<Finding> {
    let Some(settings) = settings else { return Vec::new() };
    match (&aws.contract, &aws.meter) {
        (Some(contract), _) => vec![of_contract(settings, contract)],
        (None, Some(Look::Seen(Permitted::No(refusal))))
            if refusal.reason == RefusalReason::NotEntitled =>
        {
            let what = "this AWS account has no subscription to the product";
            vec![finding(ID, Status::Failed, what, refusal.text.as_str(), fix_of(refusal))]
        }
        _ => vec![finding(
            ID,
            Status::Skipped,
            "whether the product was bought cannot be looked at without consequences",
            format!(
                "with pricing `{}` AWS says it to the first call that counts, and the doctor makes none",
                configuration::words(settings.pricing)
            ),
            "start the product: its verdict says it",
        )],
    }
}

fn of_contract(settings: &Settings, contract: &Contract) -> Finding {
    let found = [&contract.license, &contract.received].into_iter().find_map(|look| match look {
        Look::Seen(Details::Found(license)) => Some(license),
        _ => None,
    });
    if let Some(license) = found
        && license.standing != Standing::Usable
    {
        return unusable(license);
    }
    if has_tiers(settings) {
        match &contract.check_out {
            Look::Seen(Tiers::Bought { entitlements, license_arn }) => {
                let names: Vec<&str> = entitlements.iter().map(|it| it.name.as_str()).collect();
                return bought(&names, license_arn.as_deref(), found);
            }
            Look::Seen(Tiers::None(text)) if !any_counted(settings, found) => {
                return finding(
                    ID,
                    Status::Failed,
                    "none of the tiers was bought",
                    text.as_str(),
                    BUY,
                );
            }
            _ => {}
        }
    }
    if let Some(license) = found {
        return of_license(settings, license);
    }
    if let Look::Seen(Details::Nothing(text)) = &contract.received {
        return finding(
            ID,
            Status::Failed,
            "there is no license of the product",
            text.as_str(),
            BUY,
        );
    }
    unread(contract)
}

fn has_tiers(settings: &Settings) -> bool {
    settings.entitlements.iter().any(|spec| spec.kind == EntitlementKind::Tier)
}

fn any_counted(settings: &Settings, license: Option<&license::Contract>) -> bool {
    license.is_some_and(|license| {
        let counted =
            settings.entitlements.iter().filter(|spec| spec.kind != EntitlementKind::Tier);
        counted.into_iter().any(|spec| license.entitlements.iter().any(|it| it.name == spec.name))
    })
}

fn bought(names: &[&str], arn: Option<&str>, license: Option<&license::Contract>) -> Finding {
    let arn = arn.or_else(|| license.and_then(|license| license.license_arn.as_deref()));
    let arn = arn.map_or_else(String::new, |arn| format!(" by license `{arn}`"));
    let end = license.and_then(|license| license.expires);
    let end = end.map_or_else(String::new, |end| format!(", until {end}"));
    let what = format!("this AWS account has bought `{}`{arn}{end}", names.join("`, `"));
    finding(ID, Status::Passed, what, "License Manager says so; nothing was taken", "")
}

fn of_license(settings: &Settings, license: &license::Contract) -> Finding {
    let wanted = settings.entitlements.iter().map(|spec| spec.name.as_str());
    let has = |name: &&str| license.entitlements.iter().any(|it| it.name == *name);
    let names: Vec<&str> = wanted.clone().filter(has).collect();
    if names.is_empty() {
        let held: Vec<&str> = license.entitlements.iter().map(|it| it.name.as_str()).collect();
        let what = format!(
            "the license has none of the entitlements `{}`; it has `{}`",
            wanted.collect::<Vec<_>>().join("`, `"),
            held.join("`, `")
        );
        let fix = "tell the seller: the names in the configuration must be the API names of the listing's contract dimensions";
        return finding(ID, Status::Failed, what, "License Manager says so", fix);
    }
    bought(&names, None, Some(license))
}

fn unusable(license: &license::Contract) -> Finding {
    let status = license.status.as_deref().unwrap_or("unknown");
    let what = match license.standing {
        Standing::Expired => "the license has expired",
        _ => "the license is suspended or not activated",
    };
    let fix = match license.standing {
        Standing::Expired => "renew the agreement in AWS Marketplace",
        _ => "check it under Granted licenses in AWS License Manager, and activate it there",
    };
    finding(
        ID,
        Status::Failed,
        what,
        format!("License Manager gives its status as `{status}`"),
        fix,
    )
}

/// Neither a check out nor the list has told.
fn unread(contract: &Contract) -> Finding {
    let failure = match (&contract.check_out, &contract.received) {
        (Look::Seen(Tiers::Failed(failure)), _) | (_, Look::Seen(Details::Failed(failure))) => {
            failure
        }
        (Look::Seen(_), look) => return unseen(ID, look),
        (look, _) => return unseen(ID, look),
    };
    let fix = match failure.class {
        FailureClass::AccessDenied => "see the findings `permission`",
        FailureClass::Throttled => "run the doctor again in a minute",
        FailureClass::NotSent | FailureClass::Unknown => {
            "see the findings `endpoint` and `credentials`"
        }
    };
    finding(ID, Status::Skipped, "nobody knows what was bought", failure.text.as_str(), fix)
}
