//! Checks one value against its key, with errors that name the place.

use super::{
    invalid,
    keys::{Key, Shape, nearest},
};
use crate::error::Result;
use serde_json::Value;

/// Checks that `value` fits `key`; `path` is how the seller would name the place.
pub(super) fn check(key: &Key, path: &str, value: &Value) -> Result<()> {
    let wrong = || {
        invalid(format!(
            "cannot set `{path}`: expected {}, found {}",
            key.shape.describe(),
            show(value)
        ))
    };
    let fits = match &key.shape {
        Shape::Text => value.as_str().is_some_and(|text| !text.trim().is_empty()),
        Shape::Word(words) => value.as_str().is_some_and(|word| words.contains(&word)),
        Shape::Integer { min, max } => value.as_u64().is_some_and(|n| (*min..=*max).contains(&n)),
        Shape::Flag => value.is_boolean(),
        Shape::Pem => {
            value.as_str().is_some_and(|text| text.trim_start().starts_with("-----BEGIN"))
        }
        Shape::List(keys) => {
            let items = value.as_array().ok_or_else(wrong)?;
            for (index, item) in items.iter().enumerate() {
                check_object(keys, &format!("{path}[{index}]"), item)?;
            }
            true
        }
    };
    if fits { Ok(()) } else { Err(wrong()) }
}

fn check_object(keys: &'static [Key], path: &str, value: &Value) -> Result<()> {
    let object = value.as_object().ok_or_else(|| {
        invalid(format!("cannot set `{path}`: expected an object, found {}", show(value)))
    })?;
    for (name, value) in object {
        let key = keys.iter().find(|key| key.name == name).ok_or_else(|| {
            let known: Vec<&str> = keys.iter().map(|key| key.name).collect();
            let hint = nearest(name, keys).map_or_else(
                || format!("; known here: `{}`", known.join("`, `")),
                |near| format!("; did you mean `{near}`?"),
            );
            invalid(format!("unknown key `{name}` in `{path}`{hint}"))
        })?;
        if !value.is_null() {
            check(key, &format!("{path}.{name}"), value)?;
        }
    }
    for key in keys.iter().filter(|key| key.required) {
        if object.get(key.name).is_none_or(Value::is_null) {
            return Err(invalid(format!("`{path}` has no `{}`: {}", key.name, key.doc)));
        }
    }
    Ok(())
}

/// What kind of JSON value it is, for an error text.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The value in backticks when it is short, else its kind: a PEM does not belong in an error.
fn show(value: &Value) -> String {
    let text = value.to_string();
    if text.len() <= SHORT { format!("`{text}`") } else { kind_of(value).into() }
}

/// A text in backticks when it is short: what is long may be a key that was pasted into the wrong place.
pub(super) fn quote(text: &str) -> String {
    if text.len() <= SHORT {
        format!("`{text}`")
    } else {
        format!("a text of {} bytes", text.len())
    }
}

const SHORT: usize = 60;
