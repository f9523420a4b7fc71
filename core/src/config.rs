//! Configuration: one table of keys, from which checks, documents and types are made.
//!
//! A [`Config`] is what the seller's code sets, key by key or as JSON; [`Config::settings`] checks all
//! of it and gives the typed [`Settings`] that a guard runs on. Nothing here reads the environment.

pub mod keys;
mod read;
pub mod render;
mod settings;

pub use keys::{KEYS, Key, Shape};
pub use settings::{Pricing, Settings, StartupPending, TrustedProduct};

use crate::error::{Code, Error, Result};
use serde_json::{Map, Value};
use std::fmt;
use zeroize::Zeroize;

/// Values that a seller sets, not yet checked as a whole.
#[derive(Clone, Default, PartialEq)]
pub struct Config {
    values: Map<String, Value>,
}

/// Without the values: `proxy` may hold a password.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&String> = self.values.keys().collect();
        f.debug_struct("Config").field("keys", &keys).finish()
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        if let Some(Value::String(proxy)) = self.values.get_mut("proxy") {
            proxy.zeroize();
        }
    }
}

impl Config {
    /// A configuration with every key at its default.
    #[must_use]
    pub fn new() -> Config {
        Config::default()
    }

    /// Reads a JSON object whose members are keys.
    ///
    /// # Errors
    /// `InvalidConfig` when it is not an object, or a key is unknown or has a wrong value.
    pub fn from_json(text: &str) -> Result<Config> {
        let value: Value = serde_json::from_str(text).map_err(|e| {
            invalid(format!("cannot read configuration: {e}; give one JSON object of keys"))
        })?;
        let Value::Object(values) = value else {
            return Err(invalid(format!(
                "cannot read configuration: expected a JSON object of keys, found `{}`",
                read::kind_of(&value)
            )));
        };
        let mut config = Config::new();
        for (key, value) in values {
            config.set_value(&key, value)?;
        }
        Ok(config)
    }

    /// Sets `key` from text: words and numbers as they are, lists and objects as JSON.
    ///
    /// # Errors
    /// `InvalidConfig` naming the key, the value and what is allowed. The old value stays.
    pub fn set(&mut self, key: &str, text: &str) -> Result<&mut Config> {
        let spec = keys::find(key)?;
        let value = match spec.shape {
            Shape::Text | Shape::Word(_) | Shape::Pem => Value::from(text),
            Shape::Integer { .. } | Shape::Flag | Shape::List(_) => serde_json::from_str(text)
                .map_err(|_| {
                    invalid(format!(
                        "cannot set `{key}`: {} is not {}",
                        read::quote(text),
                        spec.shape.describe()
                    ))
                })?,
        };
        self.set_value(key, value)
    }

    /// Sets `key` from a JSON value; `null` puts the default back.
    ///
    /// # Errors
    /// `InvalidConfig` naming the key, the value and what is allowed. The old value stays.
    pub fn set_value(&mut self, key: &str, value: Value) -> Result<&mut Config> {
        let spec = keys::find(key)?;
        if value.is_null() {
            self.values.remove(key);
        } else {
            read::check(spec, key, &value)?;
            self.values.insert(key.to_owned(), value);
        }
        Ok(self)
    }

    /// Checks the whole and gives the typed settings.
    ///
    /// # Errors
    /// `InvalidConfig` when a required key is missing or keys contradict each other.
    pub fn settings(&self) -> Result<Settings> {
        settings::build(&self.values)
    }
}

fn invalid(text: impl Into<String>) -> Error {
    Error::new(Code::InvalidConfig, text)
}

#[cfg(test)]
mod tests;
