//! License Manager: what was bought, and seats of it.

mod choice;
mod details;

use super::{
    Inner, dates,
    exceptions::{self, Asked, Reading},
    region::{Region, Said},
};
use crate::model::{
    ids::{ClientToken, ConsumptionToken, EntitlementName},
    license::Entitlement,
    outcome::{CheckedIn, CheckedOut, Failure, Tiers},
};
use aws_sdk_licensemanager::{
    Client,
    operation::checkout_license::CheckoutLicenseOutput,
    types::{CheckoutType, EntitlementData, EntitlementDataUnit},
};
pub(super) use details::details;

/// Asks which of `want` were bought. Takes nothing: unit `None` is not counted.
pub(super) async fn tiers(inner: &Inner, want: &[EntitlementName], token: &ClientToken) -> Tiers {
    let names: Vec<&str> = want.iter().map(EntitlementName::as_str).collect();
    let about = format!("entitlements `{}`", names.join("`, `"));
    let (region, client) = match inner.licensing("CheckoutLicense", &about).await {
        Ok(ready) => ready,
        Err(failure) => return Tiers::Failed(failure),
    };
    let asked = Asked { operation: "CheckoutLicense", about, region: &region };
    let entitlements = names.iter().map(|name| data(name, "None", None)).collect();
    let answer = match check_out_license(inner, (&region, &client), entitlements, token).await {
        Ok(answer) => answer,
        Err(reading) => return exceptions::tiers(&asked, &reading),
    };
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
            max_count: None,
        })
        .collect();
    if bought.is_empty() {
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
    let (region, client) = match inner.licensing("CheckoutLicense", &about).await {
        Ok(ready) => ready,
        Err(failure) => return CheckedOut::Failed(failure),
    };
    let asked = Asked { operation: "CheckoutLicense", about, region: &region };
    let entitlements = want
        .iter()
        .map(|want| {
            let count = want.value.clone().or_else(|| want.max_count.map(|n| n.to_string()));
            data(&want.name, &want.unit, count)
        })
        .collect();
    match check_out_license(inner, (&region, &client), entitlements, token).await {
        Ok(answer) => held(&asked, answer.license_consumption_token(), answer.expiration()),
        Err(reading) => exceptions::checked_out(&asked, &reading),
    }
}

/// Adds an hour to seats.
pub(super) async fn extend(inner: &Inner, token: &ConsumptionToken) -> CheckedOut {
    // The token is a secret of sorts: whoever has it can return the seats. It stays out of texts.
    let about = "seats that are held".to_owned();
    let (region, client) = match inner.licensing("ExtendLicenseConsumption", &about).await {
        Ok(ready) => ready,
        Err(failure) => return CheckedOut::Failed(failure),
    };
    let asked = Asked { operation: "ExtendLicenseConsumption", about, region: &region };
    let answer = inner
        .attempt(async || {
            client
                .extend_license_consumption()
                .license_consumption_token(token.as_str())
                .send()
                .await
        })
        .await;
    match answer {
        // The token of the newest answer counts; without one ours goes on.
        Ok(answer) => {
            let newest = answer.license_consumption_token().unwrap_or(token.as_str());
            held(&asked, Some(newest), answer.expiration())
        }
        Err(reading) => exceptions::extended(&asked, &reading),
    }
}

/// Returns seats.
pub(super) async fn check_in(inner: &Inner, token: &ConsumptionToken) -> CheckedIn {
    let about = "seats that are held".to_owned();
    let (region, client) = match inner.licensing("CheckInLicense", &about).await {
        Ok(ready) => ready,
        Err(failure) => return CheckedIn::Failed(failure),
    };
    let asked = Asked { operation: "CheckInLicense", about, region: &region };
    let answer = inner
        .attempt(async || {
            client.check_in_license().license_consumption_token(token.as_str()).send().await
        })
        .await;
    match answer {
        Ok(_) => CheckedIn::Done,
        Err(reading) => exceptions::checked_in(&asked, &reading),
    }
}

/// Always obey `Expiration`: how long a check out lives is the issuer's choice.
fn held(asked: &Asked, token: Option<&str>, expiration: Option<&str>) -> CheckedOut {
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        return CheckedOut::Failed(asked.incomplete("license consumption token"));
    };
    match expiration.and_then(dates::read) {
        Some(expires) => CheckedOut::Held { token: token.into(), expires },
        None => CheckedOut::Failed(asked.incomplete("expiration that can be read")),
    }
}

fn data(name: &str, unit: &str, value: Option<String>) -> EntitlementData {
    EntitlementData::builder()
        .name(name)
        .unit(EntitlementDataUnit::from(unit))
        .set_value(value)
        .build()
        .expect("name and unit are given")
}

/// `CheckoutLicense`, `PROVISIONAL`, following one redirect inside the partition.
///
/// The issuer's fingerprint is the check that the license comes from AWS Marketplace.
async fn check_out_license(
    inner: &Inner,
    (home, client): (&Region, &Client),
    entitlements: Vec<EntitlementData>,
    token: &ClientToken,
) -> Result<CheckoutLicenseOutput, Reading> {
    let ask = async |client: &Client| {
        let call = client.checkout_license().set_product_sku(inner.sku());
        call.checkout_type(CheckoutType::Provisional)
            .key_fingerprint(&inner.settings.issuer_fingerprint)
            .set_entitlements(Some(entitlements.clone()))
            .client_token(token.as_str())
            .send()
            .await
    };
    let mut location = None;
    let first = inner
        .attempt(async || {
            let answer = ask(client).await;
            if let Err(error) = &answer {
                location = redirected_to(error);
            }
            answer
        })
        .await;
    match (first, location) {
        (Err(reading), Some(region))
            if exceptions::is_redirect(&reading) && region.is_beside(home) =>
        {
            let Ok(other) = inner.clients().and_then(|clients| clients.licensing(&region)) else {
                return Err(reading);
            };
            inner.attempt(async || ask(&other).await).await
        }
        (first, _) => first,
    }
}

/// The Region that a `RedirectException` names. The host in it is never used as it stands. [AC §4.9]
fn redirected_to(
    error: &aws_sdk_licensemanager::error::SdkError<
        aws_sdk_licensemanager::operation::checkout_license::CheckoutLicenseError,
    >,
) -> Option<Region> {
    use aws_sdk_licensemanager::operation::checkout_license::CheckoutLicenseError;
    let Some(CheckoutLicenseError::RedirectException(redirect)) = error.as_service_error() else {
        return None;
    };
    let location = redirect.location()?;
    location
        .split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'))
        .filter(|word| word.len() >= 8)
        .find_map(|word| Region::read(word, Said::Redirect).ok())
}

impl Inner {
    /// A client with fresh credentials, or the failure that says what is missing.
    async fn licensing(
        &self,
        operation: &'static str,
        about: &str,
    ) -> Result<(Region, Client), Failure> {
        let region = self.ready(operation, about).await?;
        let client = self.licensing.get_or_try_init(|| self.clients()?.licensing(&region)).cloned();
        match client {
            Ok(client) => Ok((region, client)),
            Err(why) => {
                Err(Asked { operation, about: about.to_owned(), region: &region }.not_sent(&why))
            }
        }
    }

    fn sku(&self) -> Option<String> {
        self.settings.product_sku.as_ref().map(|sku| sku.as_str().to_owned())
    }
}
