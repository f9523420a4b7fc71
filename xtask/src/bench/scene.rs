//! The products and the task that all programs of the bench use.

use super::add::DIMENSIONS;
use crate::run::Done;
use mpguard_tests::sandbox::Sandbox;
use serde_json::{Value, json};
use std::process::Command;

/// What programs are told.
pub(super) struct Scene {
    hourly: Value,
    usage: Value,
    /// Usage and a contract of tiers and seats.
    contract: Value,
    address: String,
    credentials: [String; 3],
}

/// SKU of the contract, and the tier that is bought.
const SKU: &str = "prod-bench";
const TIER: &str = "Premium";

impl Scene {
    pub(super) fn set(sandbox: &Sandbox) -> Done<Scene> {
        let control = sandbox.control();
        let place = format!("{}/t/bench", control.address());
        let product = control
            .post("/_sandbox/products", &json!({"product_code": "bench", "subscribed": true}))?;
        let key = json!({"version": 1, "pem": product["public_keys"]["1"]});
        let hourly = json!({
            "pricing": "hourly", "product_code": "bench", "sandbox": place,
            "trusted_products": [{"code": "bench", "public_keys": [key]}],
        });
        control.post(
            "/_sandbox/products",
            &json!({
                "product_code": "bench-usage", "product_sku": SKU,
                "dimensions": DIMENSIONS, "subscribed": true,
            }),
        )?;
        let dimensions: Vec<Value> = DIMENSIONS.iter().map(|name| json!({"name": name})).collect();
        let usage = json!({
            "pricing": "usage", "product_code": "bench-usage", "sandbox": place,
            "dimensions": dimensions,
        });
        control.post(
            "/_sandbox/licenses",
            &json!({"product_sku": SKU, "entitlements": [
                {"name": TIER, "unit": "None", "value": "Enabled"},
                {"name": "Seats", "unit": "Count", "max_count": 100, "allow_check_in": true},
            ]}),
        )?;
        let contract = json!({
            "pricing": "usage+contract", "product_code": "bench-usage", "sandbox": place,
            "trusted_products": [{"code": "bench-usage", "sku": SKU}],
            "dimensions": dimensions,
            "entitlements": [
                {"name": "Basic", "kind": "tier"},
                {"name": "Standard", "kind": "tier"},
                {"name": TIER, "kind": "tier"},
                {"name": "Seats", "kind": "floating"},
            ],
        });
        let given = control.get("/t/bench/credentials")?;
        let text = |name: &str| given[name].as_str().unwrap_or_default().to_owned();
        let credentials = [text("AccessKeyId"), text("SecretAccessKey"), text("Token")];
        let address = control.address().to_owned();
        Ok(Scene { hourly, usage, contract, address, credentials })
    }

    /// Tells a program what to register and where, and nothing of this machine's own AWS settings.
    pub(super) fn tell(&self, command: &mut Command) {
        command.env("MPGUARD_CONFIG", self.hourly.to_string());
        self.tell_aws(command);
    }

    /// Tells a program that takes seats, with ours and with boto3.
    pub(super) fn tell_seats(&self, command: &mut Command) {
        command.env("MPGUARD_CONFIG", self.contract.to_string()).env("BENCH_SKU", SKU);
        self.tell_aws(command);
    }

    fn tell_aws(&self, command: &mut Command) {
        command.env("BENCH_AWS", &self.address);
        for (name, value) in
            ["BENCH_KEY", "BENCH_SECRET", "BENCH_TOKEN"].iter().zip(&self.credentials)
        {
            command.env(name, value);
        }
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_CONFIG_FILE", "/dev/null");
        command.env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    }

    /// Tells a program that counts: each has a dimension of its own, so that each can be checked. It has a contract
    /// too, so that its license has something in it.
    pub(super) fn tell_counting(&self, command: &mut Command, dimension: &str) {
        command.env("MPGUARD_CONFIG", self.contract.to_string());
        command.env("BENCH_DIMENSION", dimension).env("BENCH_TIER", TIER);
    }

    /// Tells a program that rests: without a contract, which would be looked at every 15 minutes.
    pub(super) fn tell_resting(&self, command: &mut Command, dimension: &str) {
        command.env("MPGUARD_CONFIG", self.usage.to_string()).env("BENCH_DIMENSION", dimension);
    }
}
