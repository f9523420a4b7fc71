//! Values of the core as plain JavaScript objects, keys in camelCase.

use mpguard_core::config::render::camel;
use napi::{
    Env, Result,
    bindgen_prelude::{Array, BigInt, Null, Object, ToNapiValue},
    sys,
};
use serde::Serialize;
use serde_json::Value;

/// How whole numbers arrive in JavaScript.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// As `number`: exact up to 2^53 - 1.
    Double,
    /// As `bigint`: always exact, for accounts that must balance to the last unit.
    Exact,
}

impl Numbers {
    pub(crate) fn exact_if(bigint: bool) -> Numbers {
        if bigint { Numbers::Exact } else { Numbers::Double }
    }
}

/// A value on its way to JavaScript; it becomes objects on the JavaScript thread.
pub struct Plain {
    value: Value,
    numbers: Numbers,
}

impl Plain {
    pub(crate) fn json(value: Value) -> Plain {
        Plain { value, numbers: Numbers::Double }
    }

    pub(crate) fn of(value: &impl Serialize, numbers: Numbers) -> Plain {
        let value = serde_json::to_value(value).expect("reports are trees of numbers and texts");
        Plain { value, numbers }
    }
}

impl ToNapiValue for Plain {
    unsafe fn to_napi_value(raw: sys::napi_env, plain: Plain) -> Result<sys::napi_value> {
        let env = Env::from_raw(raw);
        let Plain { value, numbers } = plain;
        // SAFETY: each conversion gets the environment that this call got, on its thread.
        unsafe {
            match value {
                Value::Null => ToNapiValue::to_napi_value(raw, Null),
                Value::Bool(flag) => ToNapiValue::to_napi_value(raw, flag),
                Value::String(text) => ToNapiValue::to_napi_value(raw, text),
                Value::Number(number) => match (numbers, number.as_u64(), number.as_i64()) {
                    (Numbers::Exact, Some(n), _) => {
                        ToNapiValue::to_napi_value(raw, BigInt::from(n))
                    }
                    (Numbers::Exact, None, Some(n)) => {
                        ToNapiValue::to_napi_value(raw, BigInt::from(n))
                    }
                    _ => ToNapiValue::to_napi_value(raw, number.as_f64()),
                },
                Value::Array(items) => {
                    let items = items.into_iter().map(|value| Plain { value, numbers }).collect();
                    ToNapiValue::to_napi_value(raw, Array::from_vec(&env, items)?)
                }
                Value::Object(members) => {
                    let mut object = Object::new(&env)?;
                    for (key, value) in members {
                        object.set(camel(&key), Plain { value, numbers })?;
                    }
                    ToNapiValue::to_napi_value(raw, object)
                }
            }
        }
    }
}
