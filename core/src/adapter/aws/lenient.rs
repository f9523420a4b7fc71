//! License Manager's answers, brought into the shape of its model before the SDK reads them.
//!
//! AWS's own sample answers break the model: `Units` and `Count` instead of `Unit`, numbers where texts
//! belong, dates as they come. [AC §4.3, §4.6] The SDK takes such an answer for none at all, and a buyer
//! would be locked out, or a draw disputed, over a member that nobody reads. So an answer is cut down to
//! what we read of it, by the model's names alone, and each member gets the model's type or is left out.

use crate::model::time::Timestamp;
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::BeforeDeserializationInterceptorContextMut},
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::{body::SdkBody, config_bag::ConfigBag};
use serde_json::{Map, Value};

/// What a member is by the model.
enum Kind {
    Text,
    Date,
    Count,
    /// An object, or a list of objects.
    Parts,
}

/// The members that we read. Source: License Manager service model.
fn kind(name: &str) -> Option<Kind> {
    Some(match name {
        "LicenseConsumptionToken" | "LicenseArn" | "NextToken" | "AccessToken" => Kind::Text,
        "Name" | "Unit" | "Value" | "ConsumedValue" => Kind::Text,
        "ProductSKU" | "KeyFingerprint" | "Status" | "Version" => Kind::Text,
        "ReceivedStatus" | "GrantType" => Kind::Text,
        "Expiration" | "CreateTime" | "Begin" | "End" => Kind::Date,
        "MaxCount" => Kind::Count,
        "EntitlementsAllowed" | "Entitlements" | "LicenseUsage" | "EntitlementUsages" => {
            Kind::Parts
        }
        "License" | "Licenses" | "Issuer" | "Validity" | "ReceivedMetadata" => Kind::Parts,
        _ => return None,
    })
}

/// What we read of an answer; `None` when it is none.
fn cut(answer: &[u8]) -> Option<Vec<u8>> {
    match serde_json::from_slice(answer) {
        Ok(Value::Object(members)) => serde_json::to_vec(&object(members, "")).ok(),
        _ => None,
    }
}

fn object(members: Map<String, Value>, place: &str) -> Value {
    let read = |(name, value): (String, Value)| {
        let value = match kind(&name)? {
            Kind::Text => text(value),
            Kind::Date => date(value),
            // A text here, a number everywhere else.
            Kind::Count if place == "EntitlementUsages" => text(value),
            Kind::Count => count(&value),
            Kind::Parts => parts(value, &name),
        };
        Some((name, value?))
    };
    let mut members: Map<String, Value> = members.into_iter().filter_map(read).collect();
    // An entitlement needs a unit; without one the SDK refuses the whole answer.
    if ["EntitlementsAllowed", "Entitlements", "EntitlementUsages"].contains(&place) {
        let unit = if members.contains_key("MaxCount") { "Count" } else { "None" };
        members.entry("Unit").or_insert_with(|| unit.into());
    }
    Value::Object(members)
}

fn parts(value: Value, place: &str) -> Option<Value> {
    match value {
        // What is no object becomes one without a name: somebody was told something, and we could not read it.
        Value::Array(list) => Some(
            list.into_iter()
                .map(|part| match part {
                    Value::Object(members) => object(members, place),
                    _ => object(Map::new(), place),
                })
                .collect(),
        ),
        Value::Object(members) => Some(object(members, place)),
        _ => None,
    }
}

fn text(value: Value) -> Option<Value> {
    match &value {
        // They end up in texts and files; no name, token or ARN has such a character.
        Value::String(text) if text.chars().any(char::is_control) => None,
        Value::String(_) => Some(value),
        Value::Number(number) => Some(number.to_string().into()),
        Value::Bool(yes) => Some(yes.to_string().into()),
        _ => None,
    }
}

fn count(value: &Value) -> Option<Value> {
    match value {
        Value::Number(number) if number.is_i64() => Some(value.clone()),
        Value::String(text) => text.trim().parse::<i64>().ok().map(Value::from),
        _ => None,
    }
}

/// A number is a time since 1970, in seconds as AWS's other services write it, or in milliseconds.
fn date(value: Value) -> Option<Value> {
    const SECONDS_MAX: f64 = 1e11;
    let Value::Number(number) = &value else { return text(value) };
    let number = number.as_f64()?;
    let ms = if number < SECONDS_MAX { number * 1000.0 } else { number };
    // Far outside of any date the cast ends at the type's own border, and that is no date either.
    #[expect(clippy::cast_possible_truncation, reason = "a fraction of a millisecond")]
    let ms = ms as i64;
    (0..i64::MAX / 2).contains(&ms).then(|| Timestamp(ms).to_string().into())
}

/// Does it with every answer that is one.
#[derive(Debug)]
pub(super) struct Lenient;

impl Intercept for Lenient {
    fn name(&self) -> &'static str {
        "Lenient"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let answer = context.response_mut();
        if !answer.status().is_success() {
            return Ok(());
        }
        // `Wire` has read the body whole. The SDK's own reader takes control characters inside of texts.
        match answer.body().bytes() {
            None | Some([]) => Ok(()),
            Some(body) => {
                let cut = cut(body).ok_or("the answer is not a JSON object")?;
                *answer.body_mut() = SdkBody::from(cut);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(answer: Value) -> Value {
        let cut = cut(answer.to_string().as_bytes()).expect("an object");
        serde_json::from_slice(&cut).expect("JSON")
    }

    #[test]
    fn an_answer_as_the_model_has_it_stays_as_it_is() {
        let answer = json!({
            "LicenseConsumptionToken": "t", "LicenseArn": "arn", "Expiration": "2026-01-01T10:00:00Z",
            "EntitlementsAllowed": [{ "Name": "Users", "Unit": "Count", "Value": "3" }],
        });
        assert_eq!(read(answer.clone()), answer);
        let license = json!({ "License": {
            "LicenseArn": "arn", "ProductSKU": "p", "Status": "AVAILABLE", "Version": "2",
            "Issuer": { "Name": "AWS/Marketplace", "KeyFingerprint": "f" },
            "Validity": { "Begin": "2026-01-01T10:00:00Z", "End": "2027-01-01T10:00:00Z" },
            "Entitlements": [{ "Name": "Users", "Unit": "Count", "MaxCount": 10 }],
        }});
        assert_eq!(read(license.clone()), license);
    }

    #[test]
    fn odd_members_are_passed_over_and_odd_types_are_mended() {
        let answer = read(json!({
            "EntitlementsAllowed": [
                { "Name": "Users", "Units": "Count", "Count": 10, "Value": 3 },
                { "Name": "Basic", "Value": true, "Unit": null },
                "Premium",
            ],
            "LicenseConsumptionToken": 7,
            "Expiration": 1_767_261_600,
            "SignedToken": { "a": 1 },
        }));
        assert_eq!(
            answer,
            json!({
                "EntitlementsAllowed": [
                    { "Name": "Users", "Unit": "None", "Value": "3" },
                    { "Name": "Basic", "Unit": "None", "Value": "true" },
                    { "Unit": "None" },
                ],
                "LicenseConsumptionToken": "7",
                "Expiration": "2026-01-01T10:00:00Z",
            })
        );
    }

    #[test]
    fn a_text_with_a_control_character_is_no_text() {
        let odd = json!({ "LicenseArn": "arn:\r::1", "LicenseConsumptionToken": "t" });
        assert_eq!(read(odd), json!({ "LicenseConsumptionToken": "t" }));
        assert_eq!(
            cut(b"{\"LicenseArn\": \"arn:\r::1\"}"),
            None,
            "no JSON, which the SDK would take"
        );
    }

    #[test]
    fn a_maximum_is_a_number_in_a_license_and_a_text_in_its_usage() {
        let entitlements = json!([{ "Name": "a", "MaxCount": "10" }, { "Name": "b", "MaxCount": 1.5 }, { "Name": "c", "MaxCount": [] }]);
        assert_eq!(
            read(json!({ "License": { "Entitlements": entitlements } })),
            json!({ "License": { "Entitlements": [
                { "Name": "a", "Unit": "Count", "MaxCount": 10 }, { "Name": "b", "Unit": "None" }, { "Name": "c", "Unit": "None" },
            ] } })
        );
        let usages = json!([{ "Name": "a", "Unit": "Count", "ConsumedValue": 3, "MaxCount": 10 }]);
        assert_eq!(
            read(json!({ "LicenseUsage": { "EntitlementUsages": usages } })),
            json!({ "LicenseUsage": { "EntitlementUsages": [
                { "Name": "a", "Unit": "Count", "ConsumedValue": "3", "MaxCount": "10" },
            ] } })
        );
    }

    #[test]
    fn a_date_may_be_a_number() {
        let check = |number: Value, expected: Option<&str>| {
            let found = read(json!({ "Expiration": number }));
            assert_eq!(found.get("Expiration").and_then(Value::as_str), expected, "{found}");
        };
        check(json!(1_767_261_600_000_i64), Some("2026-01-01T10:00:00Z"));
        check(json!(1_767_261_600.5), Some("2026-01-01T10:00:00Z"));
        check(json!("2026-01-01T10:00:00"), Some("2026-01-01T10:00:00"));
        check(json!(-1), None);
        check(json!(1e300), None);
        check(json!(null), None);
    }

    #[test]
    fn what_is_no_object_is_left_alone() {
        for body in ["", "null", "[]", "7", "<html></html>", "{"] {
            assert_eq!(cut(body.as_bytes()), None, "{body}");
        }
    }
}
