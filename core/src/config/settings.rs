//! Typed settings, made from checked values.

use super::{KEYS, invalid};
use crate::{
    error::Result,
    model::{
        ids::{Dimension, ProductCode, ProductSku},
        key::PublicKey,
        license::{EntitlementKind, EntitlementSpec},
        proxy::{NoProxy, ProxyChoice, ProxyUrl},
        usage::{DimensionSpec, Kind},
    },
};
use serde_json::{Map, Value};
use std::{collections::BTreeSet, path::PathBuf, time::Duration};

/// AWS Marketplace's own issuer. Source: Seller Guide, contract pricing for container products.
pub(crate) const MARKETPLACE_FINGERPRINT: &str =
    "aws:294406891311:AWS/Marketplace:issuer-fingerprint";

/// Which parts of the pricing there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pricing {
    /// RegisterUsage.
    pub hourly: bool,
    /// MeterUsage.
    pub usage: bool,
    /// License Manager.
    pub contract: bool,
}

/// What `init` does when its time is over without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartupPending {
    /// Give a live guard whose verdict is pending.
    Wait,
    /// Give an error.
    Fail,
}

/// A product that this build may stand for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedProduct {
    /// Product code.
    pub code: ProductCode,
    /// False for a free product.
    pub paid: bool,
    /// SKU, for contracts.
    pub sku: Option<ProductSku>,
    /// Public keys, the newest version last.
    pub public_keys: Vec<PublicKey>,
}

/// Everything a guard runs on.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Parts of the pricing.
    pub pricing: Pricing,
    /// The product; its keys and SKU come from `trusted_products`.
    pub product: TrustedProduct,
    /// Dimensions of custom metering.
    pub dimensions: Vec<DimensionSpec>,
    /// Contract dimensions, tiers from the lowest to the highest.
    pub entitlements: Vec<EntitlementSpec>,
    /// How long `init` waits.
    pub startup_timeout: Duration,
    /// What it does then.
    pub startup_pending: StartupPending,
    /// End the process on a definite denial at start.
    pub terminate: bool,
    /// Time between looks at the contract.
    pub recheck_interval: Duration,
    /// How long the contract's last good answer holds.
    pub grace: Duration,
    /// How long before its end a license is announced as expiring.
    pub expiring_notice: Duration,
    /// How long seats that were checked in stay with us.
    pub seat_linger: Duration,
    /// How long metering may fail before it is serious.
    pub outage_stop: Duration,
    /// An hour without units is reported as zero.
    pub zero_records: bool,
    /// The start-up check is a dry run, whatever else is known.
    pub dry_run: bool,
    /// Dimension that zero records may be sent of.
    pub probe_dimension: Option<Dimension>,
    /// Where the seller wants usage kept.
    pub state_dir: Option<PathBuf>,
    /// Where a proxy is to be found.
    pub proxy: ProxyChoice,
    /// AWS's hosts with FIPS-validated cryptography are asked for.
    pub use_fips_endpoint: bool,
    /// AWS's hosts that answer over IPv6 as well are asked for.
    pub use_dualstack_endpoint: bool,
    /// More roots to trust.
    pub extra_ca_pem: Option<String>,
    /// Issuer of licenses.
    pub issuer_fingerprint: String,
    /// Sandbox task.
    pub sandbox: Option<String>,
}

impl Settings {
    /// True when verdicts prove nothing: a sandbox, or another issuer than AWS Marketplace.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.sandbox.is_some() || self.issuer_fingerprint != MARKETPLACE_FINGERPRINT
    }
}

/// Source: Seller Guide, usage pricing: up to 24 dimensions.
const DIMENSIONS_MAX: usize = 24;

pub(super) fn build(values: &Map<String, Value>) -> Result<Settings> {
    for key in KEYS.iter().filter(|key| key.required) {
        if !values.contains_key(key.name) {
            return Err(invalid(format!("`{}` is missing: {}", key.name, key.doc)));
        }
    }
    let values = with_defaults(values);
    let pricing = pricing(text(&values, "pricing").unwrap_or_default());
    let product = product(&values, pricing)?;
    let dimensions = dimensions(&values, pricing)?;
    let probe_dimension = probe_dimension(&values, pricing, &dimensions)?;
    let entitlements = entitlements(&values, pricing)?;
    Ok(Settings {
        pricing,
        product,
        dimensions,
        entitlements,
        startup_timeout: duration(&values, "startup_timeout_ms"),
        startup_pending: match text(&values, "startup_pending") {
            Some("fail") => StartupPending::Fail,
            _ => StartupPending::Wait,
        },
        terminate: text(&values, "enforcement") == Some("terminate"),
        recheck_interval: duration(&values, "recheck_interval_ms"),
        grace: duration(&values, "grace_ms"),
        expiring_notice: duration(&values, "expiring_notice_ms"),
        seat_linger: duration(&values, "seat_linger_ms"),
        outage_stop: duration(&values, "outage_stop_ms"),
        zero_records: text(&values, "idle_hours") == Some("zero_record"),
        dry_run: text(&values, "startup_check") == Some("dry_run"),
        probe_dimension,
        state_dir: state_dir(&values)?,
        proxy: proxy(&values)?,
        use_fips_endpoint: flag(&values, "use_fips_endpoint"),
        use_dualstack_endpoint: flag(&values, "use_dualstack_endpoint"),
        extra_ca_pem: text(&values, "extra_ca_pem").map(str::to_owned),
        issuer_fingerprint: text(&values, "issuer_fingerprint").unwrap_or_default().to_owned(),
        sandbox: sandbox(&values)?,
    })
}

fn with_defaults(values: &Map<String, Value>) -> Map<String, Value> {
    let mut all = values.clone();
    for key in KEYS.iter().filter(|key| !key.default.is_empty()) {
        all.entry(key.name).or_insert_with(|| {
            serde_json::from_str(key.default).expect("a test reads every default of the table")
        });
    }
    all
}

fn pricing(word: &str) -> Pricing {
    let has = |part| word.split('+').any(|p| p == part);
    Pricing { hourly: has("hourly"), usage: has("usage"), contract: has("contract") }
}

fn product(values: &Map<String, Value>, pricing: Pricing) -> Result<TrustedProduct> {
    let code = text(values, "product_code").unwrap_or_default();
    // Source: MeterUsage model, `ProductCode`: 0-255 of `[-a-zA-Z0-9/=:_.@]`.
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-/=:_.@".contains(c);
    if code.len() > 255 || !code.chars().all(allowed) {
        return Err(invalid(format!(
            "cannot use product_code `{code}`: AWS takes at most 255 letters, digits and `-/=:_.@`"
        )));
    }
    let listed = list(values, "trusted_products");
    distinct(listed)?;
    let bare =
        || TrustedProduct { code: code.into(), paid: true, sku: None, public_keys: Vec::new() };
    let product = if listed.is_empty() {
        bare()
    } else {
        listed
            .iter()
            .map(trusted)
            .find(|product| product.code.as_str() == code)
            .ok_or_else(|| {
                let codes: Vec<_> = listed.iter().filter_map(|p| p["code"].as_str()).collect();
                invalid(format!(
                    "product_code `{code}` is not one of trusted_products: `{}`; give the code of this product, or list \
                     it in the seller's code",
                    codes.join("`, `")
                ))
            })?
    };
    if !product.paid && (pricing.hourly || pricing.usage || pricing.contract) {
        return Err(invalid(format!(
            "product_code `{code}` is listed as free and cannot satisfy paid pricing; give the code of the paid product"
        )));
    }
    if pricing.hourly && product.public_keys.is_empty() {
        return Err(invalid(format!(
            "hourly pricing needs a public key of product `{code}`: put the PEM that AWS gave you into \
             trusted_products[].public_keys"
        )));
    }
    if pricing.contract && product.sku.is_none() {
        return Err(invalid(format!(
            "contract pricing needs the SKU (Product ID) of product `{code}`: set trusted_products[].sku"
        )));
    }
    Ok(product)
}

/// Of two entries with one name the wrong one might count.
fn distinct(products: &[Value]) -> Result<()> {
    let mut codes = BTreeSet::new();
    for product in products {
        let code = product["code"].as_str().unwrap_or_default();
        if !codes.insert(code) {
            return Err(invalid(format!(
                "product code `{code}` is listed twice in trusted_products; put its public_keys into one entry"
            )));
        }
        let mut versions = BTreeSet::new();
        for key in product["public_keys"].as_array().into_iter().flatten() {
            let version = key["version"].as_i64().unwrap_or_default();
            if !versions.insert(version) {
                return Err(invalid(format!(
                    "product `{code}` has two public keys of version `{version}` in trusted_products; AWS gives each key a \
                     version of its own"
                )));
            }
        }
    }
    Ok(())
}

fn trusted(value: &Value) -> TrustedProduct {
    let mut public_keys: Vec<PublicKey> = value["public_keys"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|key| PublicKey {
            version: key["version"].as_i64().and_then(|v| v.try_into().ok()).unwrap_or(1),
            pem: key["pem"].as_str().unwrap_or_default().to_owned(),
        })
        .collect();
    public_keys.sort_by_key(|key| key.version);
    TrustedProduct {
        code: value["code"].as_str().unwrap_or_default().into(),
        paid: value["plan"].as_str() != Some("free"),
        sku: value["sku"].as_str().map(Into::into),
        public_keys,
    }
}

fn dimensions(values: &Map<String, Value>, pricing: Pricing) -> Result<Vec<DimensionSpec>> {
    let items = list(values, "dimensions");
    if pricing.usage && items.is_empty() {
        return Err(invalid("usage pricing needs at least one entry in `dimensions`"));
    }
    if !pricing.usage && !items.is_empty() {
        return Err(invalid(
            "`dimensions` are given, but `pricing` has no `usage`: their usage would never be reported; add `usage` or \
             leave them out",
        ));
    }
    if items.len() > DIMENSIONS_MAX {
        return Err(invalid(format!(
            "cannot use {} dimensions: a product has at most {DIMENSIONS_MAX}",
            items.len()
        )));
    }
    let mut specs: Vec<DimensionSpec> = Vec::new();
    for item in items {
        let name = item["name"].as_str().unwrap_or_default();
        check_dimension(name)?;
        if specs.iter().any(|spec| spec.name.as_str() == name) {
            return Err(invalid(format!("dimension `{name}` is listed twice")));
        }
        specs.push(DimensionSpec {
            name: name.into(),
            kind: match item["kind"].as_str() {
                Some("max") => Kind::Max,
                Some("last") => Kind::Last,
                _ => Kind::Sum,
            },
            per_unit: item["per_unit"].as_u64().unwrap_or(1),
            fraction_digits: item["fraction_digits"]
                .as_u64()
                .and_then(|n| n.try_into().ok())
                .unwrap_or(0),
            ceiling: item["ceiling"].as_u64(),
        });
    }
    Ok(specs)
}

/// Source: MeterUsage model, `UsageDimension`: 1-255.
fn check_dimension(name: &str) -> Result<()> {
    if name.len() > 255 {
        return Err(invalid(format!("dimension `{name}` is longer than 255 characters")));
    }
    Ok(())
}

/// Its zero record takes the hour, so nothing else may be reported there.
fn probe_dimension(
    values: &Map<String, Value>,
    pricing: Pricing,
    dimensions: &[DimensionSpec],
) -> Result<Option<Dimension>> {
    let Some(name) = text(values, "probe_dimension") else { return Ok(None) };
    check_dimension(name)?;
    if !pricing.usage {
        return Err(invalid(format!(
            "probe_dimension `{name}` is given, but `pricing` has no `usage`: it would never be asked; add `usage` or \
             leave it out"
        )));
    }
    if dimensions.iter().any(|spec| spec.name.as_str() == name) {
        return Err(invalid(format!(
            "probe_dimension `{name}` is one of `dimensions`: its record of zero would take the hour from their usage; \
             make a dimension for it in the listing, or leave it out"
        )));
    }
    if dimensions.len() >= DIMENSIONS_MAX {
        return Err(invalid(format!(
            "cannot use probe_dimension `{name}` beside {} dimensions: a product has at most {DIMENSIONS_MAX}",
            dimensions.len()
        )));
    }
    Ok(Some(name.into()))
}

/// A relative one would depend on where the host's process happens to stand.
fn state_dir(values: &Map<String, Value>) -> Result<Option<PathBuf>> {
    let Some(path) = text(values, "state_dir") else { return Ok(None) };
    let dir = PathBuf::from(path);
    if !dir.is_absolute() || path.contains('\0') {
        return Err(invalid(format!(
            "cannot use state_dir `{}`: give an absolute path, such as `/var/lib/mpguard`",
            path.escape_debug()
        )));
    }
    Ok(Some(dir))
}

fn entitlements(values: &Map<String, Value>, pricing: Pricing) -> Result<Vec<EntitlementSpec>> {
    let items = list(values, "entitlements");
    if pricing.contract && items.is_empty() {
        return Err(invalid("contract pricing needs at least one entry in `entitlements`"));
    }
    if !pricing.contract && !items.is_empty() {
        return Err(invalid(
            "`entitlements` are given, but `pricing` has no `contract`; add `contract` or leave them out",
        ));
    }
    let mut specs: Vec<EntitlementSpec> = Vec::new();
    for item in items {
        let name = item["name"].as_str().unwrap_or_default().to_owned();
        if specs.iter().any(|spec| spec.name == name) {
            return Err(invalid(format!("entitlement `{name}` is listed twice")));
        }
        let kind = match item["kind"].as_str() {
            Some("floating") => EntitlementKind::Floating,
            Some("drawdown") => EntitlementKind::Drawdown,
            _ => EntitlementKind::Tier,
        };
        let usual = if kind == EntitlementKind::Tier { "None" } else { "Count" };
        let unit = item["unit"].as_str().unwrap_or(usual).to_owned();
        if (kind == EntitlementKind::Tier) != (unit == "None") {
            return Err(invalid(format!(
                "entitlement `{name}` cannot have unit `{unit}`: a tier has `None`, a counted one a unit such as `Count`"
            )));
        }
        let (batch, low) = (item["batch"].as_u64(), item["low"].as_u64());
        if kind != EntitlementKind::Drawdown && (batch.is_some() || low.is_some()) {
            return Err(invalid(format!(
                "entitlement `{name}` cannot have `batch` or `low`: they are for `drawdown`, this one is `{}`",
                kind.as_str()
            )));
        }
        specs.push(EntitlementSpec { name, kind, unit, batch: batch.unwrap_or(1), low });
    }
    Ok(specs)
}

/// The URL itself is never quoted: it may hold a password.
fn proxy(values: &Map<String, Value>) -> Result<ProxyChoice> {
    let except = text(values, "no_proxy");
    let unheard = |proxy: &str, next: &str| match except {
        None => Ok(()),
        Some(_) => Err(invalid(format!(
            "`no_proxy` is given, but `proxy` is `{proxy}`: nobody would read it; {next}"
        ))),
    };
    match text(values, "proxy").unwrap_or("none") {
        "none" => {
            unheard("none", "give the URL of the proxy, or leave it out")?;
            Ok(ProxyChoice::None)
        }
        "environment" => {
            unheard("environment", "the buyer's NO_PROXY says it there; leave it out")?;
            Ok(ProxyChoice::Environment)
        }
        url => {
            let url = ProxyUrl::read(url).map_err(|why| {
                invalid(format!(
                    "cannot use the value of `proxy`: {why}; or give `none` or `environment`"
                ))
            })?;
            Ok(ProxyChoice::Url(url, NoProxy::read(except.unwrap_or_default())))
        }
    }
}

/// Only a loopback sandbox: configuration must not be able to move a guard to a server elsewhere.
fn sandbox(values: &Map<String, Value>) -> Result<Option<String>> {
    let Some(url) = text(values, "sandbox") else { return Ok(None) };
    let authority = url.strip_prefix("http://").and_then(|rest| rest.split('/').next());
    let loopback = authority.and_then(|a| a.parse::<std::net::SocketAddr>().ok());
    if loopback.is_some_and(|address| address.ip().is_loopback()) {
        Ok(Some(url.trim_end_matches('/').to_owned()))
    } else {
        Err(invalid(format!(
            "cannot use sandbox `{url}`: give a loopback address and port, such as `http://127.0.0.1:4000/t/app`"
        )))
    }
}

fn text<'a>(values: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    values.get(key).and_then(Value::as_str)
}

fn flag(values: &Map<String, Value>, key: &str) -> bool {
    values.get(key).and_then(Value::as_bool).unwrap_or_default()
}

fn duration(values: &Map<String, Value>, key: &str) -> Duration {
    Duration::from_millis(values.get(key).and_then(Value::as_u64).unwrap_or_default())
}

fn list<'a>(values: &'a Map<String, Value>, key: &str) -> &'a [Value] {
    values.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
