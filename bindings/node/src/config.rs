//! Options in camelCase to keys of the core.
//!
//! The table of keys is the core's; here only their spelling changes, and changes back in errors, so
//! that an error names an option as the seller's code does.

use mpguard_core::{
    Code, Config, Error, Result,
    config::{
        KEYS, Key, Shape, keys,
        render::{camel, camel_keys},
    },
};
use serde_json::{Map, Value};

/// Reads options, a JSON object.
pub(crate) fn read(json: &str) -> Result<Config> {
    let Ok(Value::Object(options)) = serde_json::from_str(json) else {
        return Err(invalid(
            "cannot read options: give one object, such as `{ productCode, pricing }`".into(),
        ));
    };
    let mut config = Config::new();
    for (key, value) in renamed(options, KEYS, "")? {
        config.set_value(&key, value).map_err(|why| spelled(&why))?;
    }
    Ok(config)
}

/// `error` with every key spelled as in Node.
pub(crate) fn spelled(error: &Error) -> Error {
    Error::new(error.code(), camel_keys(error.text()))
}

fn renamed(
    options: Map<String, Value>,
    table: &'static [Key],
    path: &str,
) -> Result<Map<String, Value>> {
    options
        .into_iter()
        .map(|(name, value)| {
            let key = table
                .iter()
                .find(|key| camel(key.name) == name)
                .ok_or_else(|| unknown(&name, table, path))?;
            Ok((key.name.to_owned(), inside(key, &name, value)?))
        })
        .collect()
}

fn inside(key: &'static Key, path: &str, value: Value) -> Result<Value> {
    let (Shape::List(table), Value::Array(items)) = (&key.shape, &value) else { return Ok(value) };
    let item = |(index, item): (usize, &Value)| match item {
        Value::Object(members) => {
            renamed(members.clone(), table, &format!("{path}[{index}]")).map(Value::Object)
        }
        other => Ok(other.clone()),
    };
    items.iter().enumerate().map(item).collect::<Result<_>>().map(Value::Array)
}

fn unknown(name: &str, table: &'static [Key], path: &str) -> Error {
    let place = if path.is_empty() { String::new() } else { format!(" in `{path}`") };
    let hint = match keys::nearest(name, table) {
        Some(near) => format!("did you mean `{}`?", camel(near)),
        None if path.is_empty() => "docs/CONFIGURATION.md lists every option".to_owned(),
        None => {
            let names: Vec<_> = table.iter().map(|key| camel(key.name)).collect();
            format!("known here: `{}`", names.join("`, `"))
        }
    };
    invalid(format!("unknown option `{name}`{place}; {hint}"))
}

fn invalid(text: String) -> Error {
    Error::new(Code::InvalidConfig, text)
}
