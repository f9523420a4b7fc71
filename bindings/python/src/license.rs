//! What a product asks about its license.

use crate::{error, json};
use mpguard_core::{Guard, Verdict};
use pyo3::prelude::*;

/// The license in its JSON form, as Python values.
pub(crate) fn snapshot<'py>(py: Python<'py>, guard: &Guard) -> PyResult<Bound<'py, PyAny>> {
    json::to_python(py, &guard.license().to_json())
}

/// Returns when the product may run now, raises otherwise.
pub(crate) fn require(py: Python<'_>, guard: &Guard) -> PyResult<()> {
    guard.require().map_err(|e| error::raise(py, &e))
}

/// Every verdict, for the test of the types.
#[pyfunction]
pub(crate) fn license_words() -> Vec<&'static str> {
    [Verdict::Pending, Verdict::Licensed, Verdict::Grace, Verdict::Denied]
        .map(Verdict::as_str)
        .to_vec()
}
