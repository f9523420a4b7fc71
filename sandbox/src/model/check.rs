//! Requests against input shapes, answers against output shapes.

use serde_json::{Map, Value};

use super::{Kind, Model, Shape};

/// Why a request never reaches the operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Invalid {
    /// A value of the wrong JSON type: `SerializationException`.
    Type(String),
    /// Values that break constraints: `ValidationException`, all of them in one message.
    Constraints(Vec<String>),
}

/// Checks a request. Unknown members pass, as AWS lets them pass; `null` means absent.
pub(super) fn input(model: &Model, shape: &Shape, value: &Value) -> Result<(), Invalid> {
    let mut walk = Walk { model, strict: false, wrong_types: Vec::new(), broken: Vec::new() };
    walk.value(shape, value, "");
    match (walk.wrong_types.into_iter().next(), walk.broken) {
        (Some(wrong), _) => Err(Invalid::Type(wrong)),
        (None, broken) if broken.is_empty() => Ok(()),
        (None, broken) => Err(Invalid::Constraints(broken)),
    }
}

/// Checks an answer. Here an unknown member is a defect of the sandbox.
pub(super) fn output(model: &Model, shape: &Shape, value: &Value) -> Vec<String> {
    let mut walk = Walk { model, strict: true, wrong_types: Vec::new(), broken: Vec::new() };
    walk.value(shape, value, "");
    walk.wrong_types.into_iter().chain(walk.broken).collect()
}

struct Walk<'a> {
    model: &'a Model,
    strict: bool,
    wrong_types: Vec<String>,
    broken: Vec<String>,
}

impl Walk<'_> {
    fn value(&mut self, shape: &Shape, value: &Value, path: &str) {
        match (shape.kind, value) {
            (Kind::Structure, Value::Object(object)) => self.structure(shape, object, path),
            (Kind::List, Value::Array(items)) => self.list(shape, items, path),
            (Kind::Map, Value::Object(_))
            | (Kind::Boolean, Value::Bool(_))
            | (Kind::Timestamp, Value::Number(_)) => {}
            (Kind::String, Value::String(text)) => self.text(shape, text, path),
            (Kind::Integer, Value::Number(number))
                if number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) =>
            {
                self.number(shape, number.as_i64().unwrap_or_default(), path);
            }
            (Kind::Long, Value::Number(number)) if number.is_i64() => {
                self.number(shape, number.as_i64().unwrap_or_default(), path);
            }
            (kind, value) => self.wrong_types.push(wrong_type(kind, value, path)),
        }
    }

    fn structure(&mut self, shape: &Shape, object: &Map<String, Value>, path: &str) {
        let model = self.model;
        for required in &shape.required {
            if object.get(required).is_none_or(Value::is_null) {
                let path = join(path, required);
                self.broken.push(format!(
                    "Value null at '{path}' failed to satisfy constraint: Member must not be null"
                ));
            }
        }
        for (name, shape_name) in shape.members() {
            if let Some(value) = object.get(name).filter(|value| !value.is_null()) {
                self.value(model.shape(shape_name), value, &join(path, name));
            }
        }
        if self.strict {
            let unknown = object.keys().filter(|name| !shape.has_member(name));
            self.broken
                .extend(unknown.map(|name| format!("`{}` is not in the model", join(path, name))));
        }
    }

    fn list(&mut self, shape: &Shape, items: &[Value], path: &str) {
        let model = self.model;
        self.size(shape, items.len(), &Value::Array(Vec::new()), path);
        let Some(member) = &shape.member else { return };
        for (index, item) in items.iter().enumerate() {
            self.value(model.shape(&member.shape), item, &format!("{path}.{}.member", index + 1));
        }
    }

    fn text(&mut self, shape: &Shape, text: &str, path: &str) {
        let value = Value::String(text.to_owned());
        self.size(shape, text.chars().count(), &value, path);
        if !shape.fits(text) {
            let pattern = shape.pattern.as_deref().unwrap_or_default();
            self.breaks(
                &value,
                path,
                &format!("Member must satisfy regular expression pattern: {pattern}"),
            );
        }
        if !shape.one_of.is_empty() && !shape.one_of.iter().any(|allowed| allowed == text) {
            let allowed = shape.one_of.join(", ");
            self.breaks(&value, path, &format!("Member must satisfy enum value set: [{allowed}]"));
        }
    }

    fn number(&mut self, shape: &Shape, number: i64, path: &str) {
        let value = Value::from(number);
        if let Some(min) = shape.min.filter(|min| number < *min) {
            self.breaks(
                &value,
                path,
                &format!("Member must have value greater than or equal to {min}"),
            );
        }
        if let Some(max) = shape.max.filter(|max| number > *max) {
            self.breaks(
                &value,
                path,
                &format!("Member must have value less than or equal to {max}"),
            );
        }
    }

    fn size(&mut self, shape: &Shape, size: usize, value: &Value, path: &str) {
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        if let Some(min) = shape.min.filter(|min| size < *min) {
            self.breaks(
                value,
                path,
                &format!("Member must have length greater than or equal to {min}"),
            );
        }
        if let Some(max) = shape.max.filter(|max| size > *max) {
            self.breaks(
                value,
                path,
                &format!("Member must have length less than or equal to {max}"),
            );
        }
    }

    fn breaks(&mut self, value: &Value, path: &str, constraint: &str) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.broken.push(format!(
            "Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"
        ));
    }
}

fn wrong_type(kind: Kind, value: &Value, path: &str) -> String {
    let found = match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(number) if number.is_f64() => "DECIMAL_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    };
    format!("{found} can not be converted to {kind:?} at '{path}'")
}

/// AWS names members in messages with a small first letter.
fn join(path: &str, name: &str) -> String {
    let mut letters = name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase());
    let name: String = first.into_iter().chain(letters).collect();
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Service;
    use super::*;

    fn metering(operation: &str, input: Value) -> Result<(), Invalid> {
        Service::Metering.model().check_input(operation, &input)
    }

    fn broken(result: Result<(), Invalid>) -> String {
        match result {
            Err(Invalid::Constraints(broken)) => broken.join("; "),
            other => panic!("expected broken constraints, got {other:?}"),
        }
    }

    #[test]
    fn a_good_request_passes_with_unknown_members_and_nulls() {
        let input = json!({"ProductCode": "abc", "Timestamp": 1.5, "UsageDimension": "d", "ClientToken": null, "New": 1});
        assert_eq!(metering("MeterUsage", input), Ok(()));
    }

    #[test]
    fn each_broken_constraint_is_named_with_its_member() {
        let message =
            broken(metering("MeterUsage", json!({"ProductCode": "a b", "UsageDimension": ""})));
        assert!(message.contains("Value null at 'timestamp'"), "{message}");
        assert!(message.contains(
            "Value 'a b' at 'productCode' failed to satisfy constraint: Member must satisfy regular"
        ));
        assert!(message.contains(
            "at 'usageDimension' failed to satisfy constraint: Member must have length greater"
        ));
        let message =
            broken(metering("RegisterUsage", json!({"ProductCode": "a", "PublicKeyVersion": 0})));
        assert!(message.contains("'0' at 'publicKeyVersion'"), "{message}");
        let tags = json!([{"AllocatedUsageQuantity": 1, "Tags": [{"Key": "k!{}", "Value": "v"}]}]);
        let input = json!({"ProductCode": "a", "Timestamp": 1, "UsageDimension": "d", "UsageAllocations": tags});
        assert!(
            broken(metering("MeterUsage", input))
                .contains("'usageAllocations.1.member.tags.1.member.key'")
        );
    }

    #[test]
    fn a_decimal_has_at_most_ten_digits_before_the_point_and_six_behind() {
        let decimal = |text: &str| {
            let input = json!({"ProductCode": "a", "Timestamp": 1, "UsageDimension": "d", "UsageQuantityAsDecimal": text});
            metering("MeterUsage", input).is_ok()
        };
        for good in ["0", "17", "17.0", "0.000001", "9999999999.999999"] {
            assert!(decimal(good), "{good}");
        }
        for bad in ["", "-1", "+1", "01", "1.", ".5", "1e3", "1.0000001", "10000000000", "1\n"] {
            assert!(!decimal(bad), "{bad}");
        }
    }

    #[test]
    fn a_value_of_another_type_is_a_serialization_error() {
        let wrong = |input| matches!(metering("RegisterUsage", input), Err(Invalid::Type(_)));
        assert!(wrong(json!({"ProductCode": 7, "PublicKeyVersion": 1})));
        assert!(wrong(json!({"ProductCode": "a", "PublicKeyVersion": "1"})));
        assert!(wrong(json!({"ProductCode": "a", "PublicKeyVersion": 1.5})));
        assert!(wrong(json!({"ProductCode": "a", "PublicKeyVersion": 2_147_483_648_i64})));
        assert!(wrong(json!([])));
    }

    #[test]
    fn an_answer_with_an_unknown_member_or_a_bad_value_is_a_defect() {
        let model = Service::LicenseManager.model();
        assert!(model.check_output("CheckInLicense", &json!({})).is_empty());
        let answer = json!({"Expiration": "2026-01-01T10:00:00", "Units": "Count"});
        let defects = model.check_output("ExtendLicenseConsumption", &answer);
        assert_eq!(defects.len(), 2, "{defects:?}");
    }
}
