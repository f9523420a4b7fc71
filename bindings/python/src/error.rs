//! Errors of the core as exceptions of `mpguard.errors`.

use mpguard_core::{Code, Error};
use pyo3::{prelude::*, types::PyType};

/// The exception for `error`: the class of its code, with its text.
pub(crate) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    match class(py, error.code()) {
        Ok(class) => PyErr::from_type(class, error.text().to_owned()),
        Err(missing) => missing,
    }
}

/// An exception made here: of `code`, with a text that says what failed, on which thing, and the next step.
pub(crate) fn refuse(py: Python<'_>, code: Code, text: impl Into<String>) -> PyErr {
    raise(py, &Error::new(code, text))
}

/// `raised` as the error of the core that it was made from, when it is one of `code`; else it is raised on.
pub(crate) fn lower(py: Python<'_>, raised: PyErr, code: Code) -> PyResult<Error> {
    if raised.is_instance(py, class(py, code)?.as_any()) {
        Ok(Error::new(code, raised.value(py).to_string()))
    } else {
        Err(raised)
    }
}

fn class(py: Python<'_>, code: Code) -> PyResult<Bound<'_, PyType>> {
    let class = py.import("mpguard.errors")?.getattr(class_name(code))?;
    Ok(class.cast_into::<PyType>()?)
}

/// `Code::NotEntitled` as `NotEntitledError`.
fn class_name(code: Code) -> String {
    format!("{code:?}Error")
}

/// Every code of the core as (class name, code, number, kind, retryable), for the test of `mpguard.errors`.
#[pyfunction]
pub(crate) fn error_codes() -> Vec<(String, &'static str, i32, &'static str, bool)> {
    let row = |code: &Code| {
        let error = Error::new(*code, "");
        (class_name(*code), code.as_str(), *code as i32, code.kind().as_str(), error.retryable())
    };
    Code::ALL.iter().map(row).collect()
}

/// Hands an exception of a callback to `sys.unraisablehook`, which only C code may call with its own argument.
#[pyfunction]
pub(crate) fn report_unraisable(callback: &Bound<'_, PyAny>, exception: &Bound<'_, PyAny>) {
    PyErr::from_value(exception.clone()).write_unraisable(callback.py(), Some(callback));
}
