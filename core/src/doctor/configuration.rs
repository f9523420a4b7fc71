//! What the seller's code says.

use super::finding;
use crate::{
    adapter::aws::signature::{KeyStrength, measure_key},
    config::{Pricing, Settings},
    error::Error,
    model::finding::{Finding, Status},
};

/// `settings`: `None` without a configuration, an error for one that cannot be used.
pub(super) fn findings(settings: Option<&Result<Settings, Error>>) -> Vec<Finding> {
    match settings {
        None => vec![finding(
            "configuration",
            Status::Skipped,
            "no configuration was given",
            "without it only the surroundings are looked at, as for a product that meters",
            "give the product's configuration: `--config FILE` on the command line",
        )],
        Some(Err(error)) => vec![finding(
            "configuration",
            Status::Failed,
            error.to_string(),
            "`init` would fail with the same error",
            "correct the key that the text names; docs/CONFIGURATION.md lists every key",
        )],
        Some(Ok(settings)) => {
            let mut all = vec![of(settings)];
            all.extend(test_mode(settings));
            all.push(keys(settings));
            all
        }
    }
}

fn of(settings: &Settings) -> Finding {
    let mut what =
        format!("pricing `{}` of product `{}`", words(settings.pricing), settings.product.code);
    for (count, one, many) in [
        (settings.dimensions.len(), "dimension", "dimensions"),
        (settings.entitlements.len(), "entitlement", "entitlements"),
    ] {
        match count {
            0 => {}
            1 => what.push_str(&format!(", 1 {one}")),
            count => what.push_str(&format!(", {count} {many}")),
        }
    }
    finding(
        "configuration",
        Status::Passed,
        what,
        "every key and all of them together were checked",
        "",
    )
}

/// The pricing as the configuration spells it.
pub(super) fn words(pricing: Pricing) -> String {
    let parts =
        [("hourly", pricing.hourly), ("usage", pricing.usage), ("contract", pricing.contract)];
    let parts: Vec<&str> = parts.iter().filter(|(_, is)| *is).map(|(word, _)| *word).collect();
    parts.join("+")
}

fn test_mode(settings: &Settings) -> Option<Finding> {
    if let Some(url) = &settings.sandbox {
        return Some(finding(
            "sandbox",
            Status::Warning,
            format!("the sandbox `{url}` was examined"),
            "this proves nothing about AWS; a guard with this configuration marks every verdict and event",
            "leave `sandbox` out of what you ship",
        ));
    }
    settings.is_test().then(|| {
        finding(
            "sandbox",
            Status::Warning,
            format!(
                "licenses are taken from the issuer `{}`, which is not AWS Marketplace",
                settings.issuer_fingerprint
            ),
            "anybody can issue a license with a fingerprint of their own, so a guard with this configuration marks every \
             verdict and event",
            "leave `issuer_fingerprint` out of what you ship",
        )
    })
}

fn keys(settings: &Settings) -> Finding {
    let product = &settings.product;
    if !settings.pricing.hourly {
        let what = "no public key is used";
        let why = "only the answer of RegisterUsage is signed, and the pricing has no `hourly`";
        return finding("key", Status::Skipped, what, why, "");
    }
    let fix = "give the `BEGIN PUBLIC KEY` block that AWS shows for the product, with its version";
    let mut versions = Vec::new();
    let mut weak = false;
    for key in &product.public_keys {
        match measure_key(&key.pem) {
            Ok((bits, strength)) => {
                versions.push(format!("{} ({bits} bits)", key.version));
                weak = strength == KeyStrength::Weak;
            }
            Err(why) => {
                let what = format!(
                    "public key version `{}` of product `{}` cannot be read",
                    key.version, product.code
                );
                return finding("key", Status::Failed, what, why, fix);
            }
        }
    }
    let newest = product.public_keys.last().map_or(0, |key| key.version);
    let what = format!(
        "public key version {newest} verifies answers; versions given: {}",
        versions.join(", ")
    );
    if weak {
        let why = "such a key can be broken by who has the means, and its signatures forged";
        let fix = "ask AWS Marketplace seller operations for a key of 2048 bits, and add it under its new version";
        return finding("key", Status::Warning, what, why, fix);
    }
    finding("key", Status::Passed, what, "every key was read, and the newest one is sent", "")
}
