//! `GetLicense`, `GetLicenseUsage` and `ListReceivedLicenses`: looking without taking.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{date, invalid_parameter, read};
use crate::service::Caller;
use crate::store::licenses::{License, Terms};
use crate::store::{State, World};
use crate::wire::answer::Outcome;
use crate::wire::error::AwsError;

/// Largest page, and the one that is sent when none is asked for. Source: `MaxSize100` of the model.
const PAGE_MAX: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetLicense {
    license_arn: String,
    version: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    name: Option<String>,
    #[serde(default)]
    values: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListReceivedLicenses {
    license_arns: Option<Vec<String>>,
    filters: Option<Vec<Filter>>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

pub(super) fn get_license(world: &World, caller: &Caller, input: &Value) -> Outcome {
    let request: GetLicense = read(input)?;
    let now_ms = world.clock.now_ms();
    let state = world.state();
    let license = find(&state, caller, &request.license_arn)?;
    let newest = license.versions.len();
    let version = match request.version.as_deref().map(str::parse::<usize>) {
        None => newest,
        Some(Ok(version)) if (1..=newest).contains(&version) => version,
        Some(_) => return Err(invalid_parameter("The license has no such version.")),
    };
    Ok(json!({"License": shape(&state, license, version, now_ms)}))
}

pub(super) fn get_license_usage(world: &World, caller: &Caller, input: &Value) -> Outcome {
    let request: GetLicense = read(input)?;
    let now_ms = world.clock.now_ms();
    let state = world.state();
    let license = find(&state, caller, &request.license_arn)?;
    let counted =
        license.terms().entitlements.iter().filter(|entitlement| entitlement.is_counted());
    let usages: Vec<Value> = counted
        .map(|entitlement| {
            let name = &entitlement.name;
            let consumed = state.checkouts.in_use(&license.id, name, now_ms) + state.licenses.drawn(&license.id, name);
            let mut usage = json!({"Name": name, "ConsumedValue": consumed.to_string(), "Unit": entitlement.unit});
            if let Some(max_count) = entitlement.max_count {
                usage["MaxCount"] = max_count.to_string().into();
            }
            usage
        })
        .collect();
    Ok(json!({"LicenseUsage": {"EntitlementUsages": usages}}))
}

pub(super) fn list_received_licenses(world: &World, caller: &Caller, input: &Value) -> Outcome {
    let request: ListReceivedLicenses = read(input)?;
    let now_ms = world.clock.now_ms();
    let state = world.state();
    let filters = request.filters.unwrap_or_default();
    let filters: Vec<(&str, &str)> = filters.iter().map(checked).collect::<Result<_, _>>()?;
    let arns = request.license_arns.unwrap_or_default();
    let matching: Vec<&License> = state
        .licenses
        .all()
        .filter(|license| license.account == caller.account)
        .filter(|license| arns.is_empty() || arns.contains(&license.arn()))
        .filter(|license| filters.iter().all(|(name, value)| fits(license, name, value, now_ms)))
        .collect();

    let first = request.next_token.as_deref().map_or(Ok(0), offset)?;
    let size = request.max_results.unwrap_or(PAGE_MAX);
    let page: Vec<Value> = matching
        .iter()
        .skip(first)
        .take(size)
        .map(|license| granted(&state, license, now_ms))
        .collect();
    let next = first + page.len();
    let mut answer = json!({"Licenses": page});
    if next < matching.len() {
        answer["NextToken"] = STANDARD.encode(format!("sandbox-page-{next}")).into();
    }
    Ok(answer)
}

/// The model of `GetLicense` has no `ResourceNotFoundException`.
fn find<'a>(state: &'a State, caller: &Caller, arn: &str) -> Result<&'a License, AwsError> {
    let license = state.licenses.by_arn(arn).filter(|license| license.account == caller.account);
    license.ok_or_else(|| invalid_parameter(format!("License {arn} is not found.")))
}

/// One value per filter, names as the API reference lists them; both case-sensitive.
fn checked(filter: &Filter) -> Result<(&str, &str), AwsError> {
    const NAMES: [&str; 5] = ["ProductSKU", "Status", "Fingerprint", "IssuerName", "Beneficiary"];
    let name = filter.name.as_deref().unwrap_or_default();
    if !NAMES.contains(&name) {
        return Err(invalid_parameter(format!(
            "There is no filter {name}; use one of {}.",
            NAMES.join(", ")
        )));
    }
    match filter.values.as_deref() {
        Some([value]) => Ok((name, value)),
        _ => Err(invalid_parameter(format!("Filter {name} needs exactly one value."))),
    }
}

fn fits(license: &License, name: &str, value: &str, now_ms: i64) -> bool {
    value
        == match name {
            "ProductSKU" => &license.product_sku,
            "Status" => license.status(now_ms),
            "Fingerprint" => &license.fingerprint,
            "IssuerName" => &license.issuer,
            _ => &license.account,
        }
}

fn offset(token: &str) -> Result<usize, AwsError> {
    let text = STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.as_deref()
        .and_then(|text| text.strip_prefix("sandbox-page-"))
        .and_then(|offset| offset.parse().ok())
        .ok_or_else(|| invalid_parameter("The NextToken is not one that was handed out."))
}

fn granted(state: &State, license: &License, now_ms: i64) -> Value {
    let mut granted = shape(state, license, license.versions.len(), now_ms);
    granted["ReceivedMetadata"] = json!({
        "ReceivedStatus": license.received_status,
        "AllowedOperations": ["CheckoutLicense", "CheckInLicense", "ExtendConsumptionLicense", "CreateToken"],
        "GrantType": license.grant_type,
    });
    granted
}

fn shape(state: &State, license: &License, version: usize, now_ms: i64) -> Value {
    let Terms { entitlements, end_ms } = &license.versions[version - 1];
    let mut validity = json!({"Begin": date(&state.switches, license.begin_ms)});
    if let Some(end_ms) = end_ms {
        validity["End"] = date(&state.switches, *end_ms);
    }
    json!({
        "LicenseArn": license.arn(),
        "LicenseName": license.name,
        "ProductName": license.name,
        "ProductSKU": license.product_sku,
        "Issuer": {"Name": license.issuer, "KeyFingerprint": license.fingerprint},
        "HomeRegion": license.home_region,
        "Status": license.status(now_ms),
        "Validity": validity,
        "Beneficiary": license.account,
        "Entitlements": entitlements.iter().map(|entitlement| entitlement.shape()).collect::<Vec<_>>(),
        "ConsumptionConfiguration": {
            "RenewType": "None",
            "ProvisionalConfiguration": {"MaxTimeToLiveInMinutes": license.ttl_minutes},
        },
        "CreateTime": date(&state.switches, license.created_ms),
        "Version": version.to_string(),
    })
}
