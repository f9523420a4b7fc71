//! Keyword arguments as a configuration.

use crate::{error, json, wait};
use mpguard_core::{Code, Config, config::KEYS};
use pyo3::{prelude::*, types::PyDict};
use serde_json::Value;

/// Reads `keys`: each key of the core by its name, and each key ending in `_ms` also without that ending, as a
/// `timedelta`.
pub(crate) fn read(keys: &Bound<'_, PyDict>) -> PyResult<Config> {
    let py = keys.py();
    let mut config = Config::new();
    for (name, value) in keys {
        let name: String = name.extract()?;
        let (name, value) = if is_time(&name) {
            (format!("{name}_ms"), time(keys, &name, &value)?)
        } else {
            let value = json::from_python(&name, &value).map_err(|(path, found)| {
                let hint = match name.strip_suffix("_ms") {
                    Some(stem) if found == "timedelta" => {
                        format!("; give whole milliseconds, or set `{stem}`")
                    }
                    _ => "; give plain values: text, numbers, lists, dicts".into(),
                };
                error::refuse(
                    py,
                    Code::InvalidConfig,
                    format!("cannot set `{path}`: a `{found}` is no configuration value{hint}"),
                )
            })?;
            (name, value)
        };
        config.set_value(&name, value).map_err(|e| error::raise(py, &e))?;
    }
    Ok(config)
}

fn is_time(name: &str) -> bool {
    KEYS.iter().any(|key| key.name.strip_suffix("_ms") == Some(name))
}

fn time(keys: &Bound<'_, PyDict>, name: &str, value: &Bound<'_, PyAny>) -> PyResult<Value> {
    let py = keys.py();
    let invalid = |text| error::refuse(py, Code::InvalidConfig, text);
    if value.is_none() {
        return Ok(Value::Null);
    }
    if keys.get_item(format!("{name}_ms"))?.is_some_and(|other| !other.is_none()) {
        return Err(invalid(format!("`{name}` and `{name}_ms` are both set; give one of them")));
    }
    if !wait::is_timedelta(value)? {
        let found = json::type_name(value);
        return Err(invalid(format!(
            "cannot set `{name}`: expected a timedelta, found `{found}`; milliseconds go to `{name}_ms`"
        )));
    }
    let millis =
        wait::duration(name, value).map_err(|e| invalid(e.value(py).to_string()))?.as_millis();
    Ok(u64::try_from(millis).map_or_else(|_| Value::from(millis as f64), Value::from))
}

/// Names of every key, for the test of the generated types.
#[pyfunction]
pub(crate) fn config_keys() -> Vec<&'static str> {
    KEYS.iter().map(|key| key.name).collect()
}
