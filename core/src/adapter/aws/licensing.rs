//! License Manager: what was bought, seats of it, and units of it.

mod choice;
mod details;
mod examine;
mod manager;
mod units;

use super::{
    Inner, dates,
    exceptions::{self, Asked, Reading},
};
use crate::model::{
    ids::{ClientToken, ConsumptionToken, EntitlementName},
    license::Entitlement,
    outcome::{CheckedIn, CheckedOut, Tiers},
};
use aws_sdk_licensemanager::{
    operation::checkout_license::CheckoutLicenseOutput,
    types::{CheckoutType, EntitlementData, EntitlementDataUnit},
};
pub(super) use details::details;
pub(crate) use examine::Contract;
pub(super) use examine::contract;
use manager::Manager;
pub(super) use manager::next_region;
pub(super) use units::{consumption, draw};

/// Asks which of `want` were bought. Takes nothing: unit `None` is not counted.
pub(super) async fn tiers(inner: &Inner, want: &[EntitlementName], token: &ClientToken) -> Tiers {
    let names: Vec<&str> = want.iter().map(EntitlementName::as_str).collect();
    let about = format!("entitlements `{}`", names.join("`, `"));
    let mut manager = match inner.manager("CheckoutLicense", about).await {
        Ok(manager) => manager,
        Err(failure) => return Tiers::Failed(failure),
    };
    let wanted = names.iter().map(|name| data(name, "None", None)).collect();
    let answer = match check_out_of(&mut manager, CheckoutType::Provisional, wanted, token).await {
        Ok(answer) => answer,
        Err(reading) => return exceptions::tiers(&manager.asked, &reading),
    };
    let asked = &manager.asked;
    if answer.license_consumption_token().is_none_or(str::is_empty) {
        return Tiers::Failed(asked.incomplete("license consumption token"));
    }
    // Only what was asked for counts; AWS's samples show more members than its model.
    let bought: Vec<Entitlement> = answer
        .entitlements_allowed()
        .iter()
        .filter(|allowed| names.contains(&allowed.name()))
        .map(|allowed| Entitlement {
            name: allowed.name().to_owned(),
            unit: "None".to_owned(),
            value: allowed.value().map(str::to_owned),
            ..Entitlement::default()
        })
        .collect();
    if bought.is_empty() {
        // Only a list that can be read says that nothing was bought.
        let listed = answer.entitlements_allowed.as_deref();
        if !listed.is_some_and(|all| all.iter().all(|allowed| !allowed.name().is_empty())) {
            return Tiers::Failed(asked.incomplete("list of entitlements that can be read"));
        }
        return Tiers::None(format!(
            "CheckoutLicense for {}: AWS allows none of them",
            asked.about
        ));
    }
    Tiers::Bought { entitlements: bought, license_arn: answer.license_arn().map(str::to_owned) }
}

/// Takes seats.
pub(super) async fn check_out(
    inner: &Inner,
    want: &[Entitlement],
    token: &ClientToken,
) -> CheckedOut {
    let names: Vec<&str> = want.iter().map(|entitlement| entitlement.name.as_str()).collect();
    let about = format!("entitlements `{}`", names.join("`, `"));
    let mut manager = match inner.manager("CheckoutLicense", about).await {
        Ok(manager) => manager,
        Err(failure) => return CheckedOut::Failed(failure),
    };
    let wanted = want.iter().map(|want| data(&want.name, &want.unit, taken(want))).collect();
    match check_out_of(&mut manager, CheckoutType::Provisional, wanted, token).await {
        Ok(answer) => held(
            &manager.asked,
            answer.license_consumption_token(),
            answer.expiration(),
            answer.license_arn().map(str::to_owned),
        ),
        Err(reading) => exceptions::checked_out(&manager.asked, &reading),
    }
}

/// How much of it is to be taken.
fn taken(want: &Entitlement) -> Option<String> {
    want.value.clone().or_else(|| want.max_count.map(|count| count.to_string()))
}

/// Adds an hour to seats.
pub(super) async fn extend(inner: &Inner, token: &ConsumptionToken) -> CheckedOut {
    // The token is a secret of sorts: whoever has it can return the seats. It stays out of texts.
    let about = "seats that are held".to_owned();
    let mut manager = match inner.manager("ExtendLicenseConsumption", about).await {
        Ok(manager) => manager,
        Err(failure) => return CheckedOut::Failed(failure),
    };
    let answer = manager
        .ask(async |client| {
            let call = client.extend_license_consumption();
            call.license_consumption_token(token.as_str()).send().await
        })
        .await;
    match answer {
        // The token of the newest answer counts; without one ours goes on.
        Ok(answer) => {
            let newest = answer.license_consumption_token().filter(|token| !token.is_empty());
            held(&manager.asked, Some(newest.unwrap_or(token.as_str())), answer.expiration(), None)
        }
        Err(reading) => exceptions::extended(&manager.asked, &reading),
    }
}

/// Returns seats.
pub(super) async fn check_in(inner: &Inner, token: &ConsumptionToken) -> CheckedIn {
    let about = "seats that are held".to_owned();
    let mut manager = match inner.manager("CheckInLicense", about).await {
        Ok(manager) => manager,
        Err(failure) => return CheckedIn::Failed(failure),
    };
    let answer = manager
        .ask(async |client| {
            client.check_in_license().license_consumption_token(token.as_str()).send().await
        })
        .await;
    match answer {
        Ok(_) => CheckedIn::Done,
        Err(reading) => exceptions::checked_in(&manager.asked, &reading),
    }
}

/// Always obey `Expiration`: how long a check out lives is the issuer's choice.
fn held(
    asked: &Asked,
    token: Option<&str>,
    expiration: Option<&str>,
    license_arn: Option<String>,
) -> CheckedOut {
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        return CheckedOut::Failed(asked.incomplete("license consumption token"));
    };
    match expiration.and_then(dates::read) {
        Some(expires) => CheckedOut::Held { token: token.into(), expires, license_arn },
        None => CheckedOut::Failed(asked.incomplete("expiration that can be read")),
    }
}

/// An entitlement as it is asked for. What is not counted has no value. [AC §4.2]
fn data(name: &str, unit: &str, value: Option<String>) -> EntitlementData {
    EntitlementData::builder()
        .name(name)
        .unit(EntitlementDataUnit::from(unit))
        .set_value(value.filter(|_| unit != "None"))
        .build()
        .expect("name and unit are given")
}

/// `CheckoutLicense` of this type.
///
/// The issuer's fingerprint is the check that the license comes from AWS Marketplace.
async fn check_out_of(
    manager: &mut Manager<'_>,
    kind: CheckoutType,
    wanted: Vec<EntitlementData>,
    token: &ClientToken,
) -> Result<CheckoutLicenseOutput, Reading> {
    let inner = manager.inner;
    manager
        .ask(async |client| {
            let call = client.checkout_license().set_product_sku(inner.sku());
            call.checkout_type(kind.clone())
                .key_fingerprint(&inner.settings.issuer_fingerprint)
                .set_entitlements(Some(wanted.clone()))
                .client_token(token.as_str())
                .send()
                .await
        })
        .await
}
