//! Asks Metering whether a role may call it, and bills nothing.

use super::super::{
    Inner,
    exceptions::{self, Asked, Permission},
    signature,
};
use crate::{
    model::outcome::{FailureClass, Permitted},
    port::cloud::UsageProbe,
};

/// No listing has it: codes of AWS are letters and digits.
const NOBODYS_PRODUCT: &str = "mpguard-doctor";

/// Whether the role may call `RegisterUsage`.
///
/// It has no dry run, and with a real product code it begins billing. So it is asked for a code that nobody has.
pub(in crate::adapter::aws) async fn register_permission(inner: &Inner) -> Permission {
    let about = format!("product `{NOBODYS_PRODUCT}`, which nobody has");
    let (region, client) = match inner.metering("RegisterUsage", &about).await {
        Ok(ready) => ready,
        Err(failure) => return Permission::of(failure),
    };
    let asked = Asked { operation: "RegisterUsage", about, region };
    let nonce = match inner.entropy.seed() {
        Ok(seed) => signature::nonce(&seed),
        Err(why) => return Permission::of(asked.not_sent(&format!("no randomness: {why}"))),
    };
    let answer = inner
        .attempt(async || {
            let call = client.register_usage().product_code(NOBODYS_PRODUCT);
            call.public_key_version(1).nonce(&nonce).send().await
        })
        .await;
    match answer {
        Ok(_) => Permission::Refused(format!(
            "RegisterUsage for {} was answered with success: whoever answers is not AWS",
            asked.about
        )),
        Err(reading) => exceptions::register_permission(&asked, &reading),
    }
}

/// A dry run of `MeterUsage`, by AWS's time.
pub(in crate::adapter::aws) async fn dry_run(inner: &Inner, probe: UsageProbe) -> Permitted {
    let known = inner.server_time.anchor().is_some();
    let now = |probe: &UsageProbe| UsageProbe { timestamp: (inner.now)(), ..probe.clone() };
    let answer = super::check_usage(inner, &now(&probe)).await;
    match &answer {
        // The clock was wrong until this very answer told the time.
        Permitted::Failed(failure)
            if failure.class == FailureClass::Throttled
                && !known
                && inner.server_time.anchor().is_some() =>
        {
            super::check_usage(inner, &now(&probe)).await
        }
        _ => answer,
    }
}
