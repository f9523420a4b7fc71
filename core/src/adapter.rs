//! How is it done? The only room that touches the world: AWS, memory, clocks, randomness, threads.
#![allow(
    clippy::disallowed_methods,
    reason = "this is the room that the forbidden calls are to be made in"
)]

pub(crate) mod aws;
mod boot_time;
mod computer;
pub(crate) mod examine;
pub(crate) mod fork;
mod memory_ledger;
mod os_entropy;
pub(crate) mod process;
mod sandbox_address;
mod sandbox_clock;
mod segment;
mod series_file;
mod slab;
pub(crate) mod sqlite_ledger;
pub(crate) mod state;
pub(crate) mod surroundings;
mod system_clock;
pub(crate) mod thread;
mod wake;

use crate::{
    config::Settings,
    error::{Code, Error, Result},
    port::{cloud::CloudSettings, parts::Parts, state::Heirloom},
};

/// Plugs the real parts of a guard together. Reads the environment once, on the caller's thread.
///
/// # Errors
/// `InvalidConfig` for a public key or an extra root that is none.
pub(crate) fn plug(settings: &Settings, heirloom: Option<Heirloom>) -> Result<Parts> {
    for key in &settings.product.public_keys {
        aws::signature::check_key(&key.pem).map_err(|why| {
            Error::new(
                Code::InvalidConfig,
                format!(
                    "cannot read public key version `{}` of product `{}`: {why}; give the `BEGIN PUBLIC KEY` block that \
                     AWS shows for the product",
                    key.version, settings.product.code
                ),
            )
        })?;
    }
    if let Some(pem) = &settings.extra_ca_pem {
        aws::http::check_roots(pem).map_err(|why| Error::new(Code::InvalidConfig, why))?;
    }
    let surroundings = surroundings::Surroundings::read();
    let (cloud, wishes) = (cloud_settings(settings), wishes(settings, heirloom));
    Ok(Parts {
        open: Box::new(move |identity| state::open(&wishes, identity)),
        entropy: Box::new(os_entropy::OsEntropy),
        connect: Box::new(move || Box::pin(connect::connect(cloud, surroundings))),
        spawn: thread::spawn,
        wake: wake::event,
    })
}

/// What the cloud of a guard is built for.
fn cloud_settings(settings: &Settings) -> CloudSettings {
    CloudSettings {
        product_sku: settings.product.sku.clone(),
        issuer_fingerprint: settings.issuer_fingerprint.clone(),
        metering: settings.pricing.hourly || settings.pricing.usage,
        sandbox: settings.sandbox.clone(),
        extra_ca_pem: settings.extra_ca_pem.clone(),
        proxy: settings.proxy.clone(),
        use_fips_endpoint: settings.use_fips_endpoint,
        use_dualstack_endpoint: settings.use_dualstack_endpoint,
    }
}

/// What a guard wants of its state.
fn wishes(settings: &Settings, heirloom: Option<Heirloom>) -> state::Wishes {
    state::Wishes {
        state_dir: settings.state_dir.clone(),
        product_code: settings.product.code.to_string(),
        dimensions: settings.dimensions.iter().map(|spec| spec.name.clone()).collect(),
        sandbox: settings.sandbox.clone(),
        seal: seal(settings),
        heirloom,
    }
}

/// Names whoever wrote this build: what is kept of the contract by another one is not taken.
fn seal(settings: &Settings) -> [u8; 32] {
    let product = &settings.product;
    let sku = product.sku.as_ref().map_or("", |sku| sku.as_str());
    let versions: Vec<String> =
        product.public_keys.iter().map(|key| key.version.to_string()).collect();
    let mut parts = vec![product.code.as_str(), sku, &settings.issuer_fingerprint];
    for (key, version) in product.public_keys.iter().zip(&versions) {
        parts.extend([version.as_str(), &key.pem]);
    }
    state::seal(&parts)
}

mod connect;
