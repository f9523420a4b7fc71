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
    address: String,
    credentials: [String; 3],
}

impl Scene {
    pub(super) fn set(sandbox: &Sandbox) -> Done<Scene> {
        let control = sandbox.control();
        let place = format!("{}/t/bench", control.address());
        let mut configs = Vec::new();
        for (pricing, code, dimensions) in
            [("hourly", "bench", &[][..]), ("usage", "bench-usage", DIMENSIONS)]
        {
            let product = control.post(
                "/_sandbox/products",
                &json!({"product_code": code, "dimensions": dimensions, "subscribed": true}),
            )?;
            let mut config =
                json!({"pricing": pricing, "product_code": code, "sandbox": place.clone()});
            if pricing == "hourly" {
                let key = json!({"version": 1, "pem": product["public_keys"]["1"]});
                config["trusted_products"] = json!([{"code": code, "public_keys": [key]}]);
            } else {
                config["dimensions"] =
                    dimensions.iter().map(|name| json!({"name": name})).collect();
            }
            configs.push(config);
        }
        let given = control.get("/t/bench/credentials")?;
        let text = |name: &str| given[name].as_str().unwrap_or_default().to_owned();
        Ok(Scene {
            usage: configs.pop().unwrap_or_default(),
            hourly: configs.pop().unwrap_or_default(),
            address: control.address().to_owned(),
            credentials: [text("AccessKeyId"), text("SecretAccessKey"), text("Token")],
        })
    }

    /// Tells a program what to register and where, and nothing of this machine's own AWS settings.
    pub(super) fn tell(&self, command: &mut Command) {
        command.env("MPGUARD_CONFIG", self.hourly.to_string()).env("BENCH_AWS", &self.address);
        for (name, value) in
            ["BENCH_KEY", "BENCH_SECRET", "BENCH_TOKEN"].iter().zip(&self.credentials)
        {
            command.env(name, value);
        }
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_CONFIG_FILE", "/dev/null");
        command.env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    }

    /// Tells a program that counts: each has a dimension of its own, so that each can be checked.
    pub(super) fn tell_counting(&self, command: &mut Command, dimension: &str) {
        command.env("MPGUARD_CONFIG", self.usage.to_string()).env("BENCH_DIMENSION", dimension);
    }
}
