//! Prepaid units: drawn for good, and how many are gone.

use super::{
    super::{Inner, exceptions},
    check_out_of, data, taken,
};
use crate::model::{
    ids::ClientToken,
    license::Entitlement,
    outcome::{Consumed, Consumption, Drawn},
};
use aws_sdk_licensemanager::types::CheckoutType;

/// Takes prepaid units for good: `PERPETUAL`. [AC Q24]
pub(in crate::adapter::aws) async fn draw(
    inner: &Inner,
    want: &Entitlement,
    token: &ClientToken,
) -> Drawn {
    let about = format!("entitlement `{}`", want.name);
    let mut manager = match inner.manager("CheckoutLicense", about).await {
        Ok(manager) => manager,
        Err(failure) => return Drawn::Failed(failure),
    };
    let wanted = vec![data(&want.name, &want.unit, taken(want))];
    let answer = check_out_of(&mut manager, CheckoutType::Perpetual, wanted, token).await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(reading) => return exceptions::drawn(&manager.asked, &reading),
    };
    // Nothing comes back from a draw, so its token is of no use. But an answer with neither is nobody's.
    let has_token = answer.license_consumption_token().is_some_and(|token| !token.is_empty());
    if has_token || answer.entitlements_allowed().iter().any(|e| e.name() == want.name) {
        Drawn::Yes { license_arn: answer.license_arn().map(str::to_owned) }
    } else {
        Drawn::Failed(manager.asked.incomplete("license consumption token"))
    }
}

/// How much of the license is taken, by everybody: seats in use and units drawn.
pub(in crate::adapter::aws) async fn consumption(inner: &Inner, license_arn: &str) -> Consumption {
    let about = format!("license `{license_arn}`");
    let mut manager = match inner.manager("GetLicenseUsage", about).await {
        Ok(manager) => manager,
        Err(failure) => return Consumption::Failed(failure),
    };
    let answer = manager
        .ask(async |client| client.get_license_usage().license_arn(license_arn).send().await)
        .await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(reading) => return exceptions::consumption(&manager.asked, &reading),
    };
    // A license without counted entitlements has no list; an answer without usage is not an answer.
    match answer.license_usage() {
        Some(usage) => Consumption::Read(
            usage
                .entitlement_usages()
                .iter()
                .filter_map(|usage| {
                    let consumed = whole(usage.consumed_value())?;
                    Some(Consumed { name: usage.name().to_owned(), consumed })
                })
                .collect(),
        ),
        None => Consumption::Failed(manager.asked.incomplete("license usage")),
    }
}

/// AWS's model has a text here. What is no count says nothing, and is passed over.
fn whole(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = match text.split_once('.') {
        Some((digits, fraction)) if fraction.bytes().all(|b| b == b'0') => digits,
        Some(_) => return None,
        None => text,
    };
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_a_whole_number_however_it_is_written() {
        for (text, count) in [("0", 0), ("7", 7), (" 12 ", 12), ("3.0", 3), ("3.", 3)] {
            assert_eq!(whole(text), Some(count), "{text}");
        }
        for text in ["", "-1", "3.5", "many", "1e3", "0x10", "1,000", ".5"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }
}
