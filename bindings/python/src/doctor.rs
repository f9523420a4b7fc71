//! What is wrong with a set-up, and how to mend it.

use crate::{config, error, json, wait};
use mpguard_core::{
    Code,
    doctor::{self, Style},
    model::finding::Report,
};
use pyo3::{prelude::*, types::PyDict};
use std::env;

/// The report in its JSON form, its text, and its exit status.
type Answer<'py> = (Bound<'py, PyAny>, String, u8);

/// Examines what a guard of these keyword arguments would need; without any, the surroundings.
#[pyfunction]
#[pyo3(signature = (keys, /))]
pub(crate) fn examine<'py>(keys: &Bound<'py, PyDict>) -> PyResult<Answer<'py>> {
    let py = keys.py();
    if keys.is_empty() {
        return answer(py, Style::PLAIN, || doctor::examine(None));
    }
    let config = match config::read(keys) {
        Ok(config) => Ok(config),
        Err(raised) => Err(error::lower(py, raised, Code::InvalidConfig)?),
    };
    answer(py, Style::PLAIN, || doctor::examine_read(config))
}

/// The same for a JSON object of keys. The text is for standard output, which may be a terminal.
#[pyfunction]
#[pyo3(signature = (text, is_terminal, /))]
pub(crate) fn examine_json<'py>(
    py: Python<'py>,
    text: Option<&str>,
    is_terminal: bool,
) -> PyResult<Answer<'py>> {
    let variable = |name: &str| Some(env::var_os(name)?.to_string_lossy().into_owned());
    let text = text.map(str::to_owned);
    let style = Style::of(is_terminal, variable);
    answer(py, style, move || doctor::examine_json(text.as_deref()))
}

fn answer(
    py: Python<'_>,
    style: Style,
    examine: impl FnOnce() -> Report + Send + 'static,
) -> PyResult<Answer<'_>> {
    let report = wait::interruptibly(py, examine)?;
    let text = report.to_text(style.colour, style.width);
    Ok((json::to_python(py, &report.to_json())?, text, report.exit_code()))
}
