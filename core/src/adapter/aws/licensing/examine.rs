//! Asks License Manager whether a role may call it, and takes nothing.

use super::{
    super::{
        Inner,
        exceptions::{self, Permission, SdkFailure},
        signature,
    },
    consumption, details, tiers,
};
use crate::{
    adapter::examine::{Look, Until},
    model::{
        ids::{ClientToken, EntitlementName},
        outcome::{Consumption, Details, Failure, FailureClass, Tiers},
    },
};
use aws_sdk_licensemanager::Client;

/// Nobody has it.
const NOBODYS_TOKEN: &str = "mpguard-doctor";
/// What several products ask for without counting it. [AC §4.2, Q26]
const HEARTBEAT: &str = "AWS::Marketplace::Usage";

/// What License Manager said.
#[derive(Debug)]
pub(crate) struct Contract {
    /// Which tiers were bought. Where the configuration has none, something else that is not counted was asked for, so
    /// that the permission shows; what was bought does not.
    pub(crate) check_out: Look<Tiers>,
    pub(crate) check_in: Look<Permission>,
    pub(crate) extend: Look<Permission>,
    /// `ListReceivedLicenses`.
    pub(crate) received: Look<Details>,
    /// `GetLicense`, once the license's ARN is known.
    pub(crate) license: Look<Details>,
    /// `GetLicenseUsage`, likewise.
    pub(crate) usage: Look<Consumption>,
}

/// Asks everything, side by side where nothing has to be known first.
pub(in crate::adapter::aws) async fn contract(
    inner: &Inner,
    names: &[EntitlementName],
    until: Until,
) -> Contract {
    let (check_out, received, check_in, extend) = tokio::join!(
        until.look(check_out(inner, names)),
        until.look(details(inner, None)),
        until.look(check_in(inner)),
        until.look(extend(inner)),
    );
    let Some(arn) = arn(&check_out, &received) else {
        let why = || "no license of the product is known, so there is none to ask about".to_owned();
        let (license, usage) = (Look::Not(why()), Look::Not(why()));
        return Contract { check_out, check_in, extend, received, license, usage };
    };
    let (license, usage) =
        tokio::join!(until.look(details(inner, Some(&arn))), until.look(consumption(inner, &arn)),);
    Contract { check_out, check_in, extend, received, license, usage }
}

/// An uncounted check out, as a guard makes it every quarter of an hour.
async fn check_out(inner: &Inner, names: &[EntitlementName]) -> Tiers {
    let token = match inner.entropy.seed() {
        Ok(seed) => ClientToken::from(signature::nonce(&seed).as_str()),
        Err(why) => {
            let text = format!("CheckoutLicense was not sent: no randomness: {why}");
            return Tiers::Failed(Failure { class: FailureClass::NotSent, text });
        }
    };
    let heartbeat = [EntitlementName::from(HEARTBEAT)];
    tiers(inner, if names.is_empty() { &heartbeat } else { names }, &token).await
}

async fn check_in(inner: &Inner) -> Permission {
    permission(inner, "CheckInLicense", async |client| {
        client.check_in_license().license_consumption_token(NOBODYS_TOKEN).send().await
    })
    .await
}

async fn extend(inner: &Inner) -> Permission {
    permission(inner, "ExtendLicenseConsumption", async |client| {
        let call = client.extend_license_consumption().dry_run(true);
        call.license_consumption_token(NOBODYS_TOKEN).send().await
    })
    .await
}

async fn permission<T, E: SdkFailure>(
    inner: &Inner,
    operation: &'static str,
    call: impl AsyncFn(&Client) -> Result<T, E>,
) -> Permission {
    let about = "a token that nobody has".to_owned();
    let mut manager = match inner.manager(operation, about).await {
        Ok(manager) => manager,
        Err(failure) => return Permission::of(failure),
    };
    match manager.ask(call).await {
        Ok(_) => Permission::Given(String::new()),
        Err(reading) => exceptions::licensing_permission(&manager.asked, &reading),
    }
}

fn arn(check_out: &Look<Tiers>, received: &Look<Details>) -> Option<String> {
    let of_tiers = match check_out {
        Look::Seen(Tiers::Bought { license_arn, .. }) => license_arn.clone(),
        _ => None,
    };
    let of_list = match received {
        Look::Seen(Details::Found(contract)) => contract.license_arn.clone(),
        _ => None,
    };
    of_tiers.or(of_list)
}
