//! JSON values to and from Python.

use pyo3::{
    prelude::*,
    types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyMapping, PySequence, PyString},
};
use serde::Serialize;
use serde_json::{Map, Value};

/// `value` as dict, list, str, int, float, bool or `None`.
pub(crate) fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(flag) => PyBool::new(py, *flag).to_owned().into_any(),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(n), _) => n.into_pyobject(py)?.into_any(),
            (None, Some(n)) => n.into_pyobject(py)?.into_any(),
            (None, None) => PyFloat::new(py, number.as_f64().unwrap_or(f64::NAN)).into_any(),
        },
        Value::String(text) => PyString::new(py, text).into_any(),
        Value::Array(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(to_python(py, item)?)?;
            }
            list.into_any()
        }
        Value::Object(members) => {
            let dict = PyDict::new(py);
            for (name, member) in members {
                dict.set_item(name, to_python(py, member)?)?;
            }
            dict.into_any()
        }
    })
}

/// Any answer of the core in its JSON form, as Python values.
pub(crate) fn answer<'py>(py: Python<'py>, answer: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    let value = serde_json::to_value(answer).expect("answers of the core are plain data");
    to_python(py, &value)
}

/// A Python value as JSON. On failure: the path of what has no JSON form, and its type.
pub(crate) fn from_python(path: &str, value: &Bound<'_, PyAny>) -> Result<Value, (String, String)> {
    let wrong = |_: PyErr| (path.to_owned(), type_name(value));
    if value.is_none() {
        Ok(Value::Null)
    } else if let Ok(flag) = value.cast::<PyBool>() {
        Ok(Value::Bool(flag.is_true()))
    } else if value.is_instance_of::<PyInt>() {
        // A number beyond 64 bits fits no key; as a float it is refused with its value in the text.
        match (value.extract::<u64>(), value.extract::<i64>()) {
            (Ok(n), _) => Ok(Value::from(n)),
            (_, Ok(n)) => Ok(Value::from(n)),
            _ => value.extract::<f64>().map(Value::from).map_err(wrong),
        }
    } else if let Ok(number) = value.cast::<PyFloat>() {
        Ok(Value::from(number.value()))
    } else if let Ok(text) = value.cast::<PyString>() {
        text.extract().map(Value::String).map_err(wrong)
    } else if let Ok(members) = value.cast::<PyMapping>() {
        let mut object = Map::new();
        for pair in members.items().map_err(wrong)? {
            let (name, member): (Bound<'_, PyAny>, Bound<'_, PyAny>) =
                pair.extract().map_err(wrong)?;
            let name: String = name.extract().map_err(wrong)?;
            let member = from_python(&format!("{path}.{name}"), &member)?;
            object.insert(name, member);
        }
        Ok(Value::Object(object))
    } else if let (Ok(items), false) = (value.cast::<PySequence>(), is_bytes(value)) {
        let mut list = Vec::new();
        for (index, item) in items.try_iter().map_err(wrong)?.enumerate() {
            list.push(from_python(&format!("{path}[{index}]"), &item.map_err(wrong)?)?);
        }
        Ok(Value::Array(list))
    } else {
        Err((path.to_owned(), type_name(value)))
    }
}

/// Bytes are a sequence of numbers to Python, and a mistake to us: a PEM read in binary mode.
fn is_bytes(value: &Bound<'_, PyAny>) -> bool {
    matches!(type_name(value).as_str(), "bytes" | "bytearray" | "memoryview")
}

/// Name of the type of `value`, for an error text.
pub(crate) fn type_name(value: &Bound<'_, PyAny>) -> String {
    value.get_type().name().map_or_else(|_| "object".into(), |name| name.to_string())
}
