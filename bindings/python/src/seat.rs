//! Seats held of a floating entitlement.

use crate::{error, owned::Owned, wait};
use pyo3::{prelude::*, types::PyAny};
use std::sync::Arc;

/// Seats of a floating entitlement, kept until checked in; made by `Guard.check_out`.
#[pyclass(frozen, module = "mpguard")]
pub(crate) struct Seat {
    seat: Owned<Arc<mpguard_core::Seat>>,
}

impl Seat {
    pub(crate) fn new(seat: mpguard_core::Seat) -> Seat {
        Seat { seat: Owned::new(Arc::new(seat)) }
    }
}

#[pymethods]
impl Seat {
    /// Number of this seat in its guard.
    #[getter]
    fn number(&self) -> u64 {
        self.seat.get().number()
    }

    /// API name of the entitlement.
    #[getter]
    fn entitlement(&self) -> &str {
        self.seat.get().entitlement()
    }

    /// How many seats.
    #[getter]
    fn count(&self) -> u64 {
        self.seat.get().count()
    }

    /// True while AWS holds the seats for us; false once lost or checked in.
    #[getter]
    fn held(&self) -> bool {
        self.seat.get().held()
    }

    /// When they would return by themselves if nothing extended them, in epoch milliseconds.
    #[getter]
    fn expires_ms(&self) -> i64 {
        self.seat.get().expires_ms()
    }

    /// `expires_ms` as a datetime in UTC.
    #[getter]
    fn expires<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let instant = py.import("mpguard._answers")?.getattr("_instant")?;
        instant.call1((self.expires_ms(),))
    }

    /// Return the seats; a second call does nothing.
    fn check_in(&self, py: Python<'_>) -> PyResult<()> {
        let seat = Arc::clone(self.seat.get());
        wait::interruptibly(py, move || seat.check_in())?.map_err(|e| error::raise(py, &e))
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    /// Checks in. An unanswered check-in does not hide the error that left the block.
    fn __exit__(
        &self,
        py: Python<'_>,
        kind: &Bound<'_, PyAny>,
        _value: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        match self.check_in(py) {
            Err(_) if !kind.is_none() => Ok(()),
            result => result,
        }
    }

    fn __repr__(&self) -> String {
        let seat = self.seat.get();
        let held = if seat.held() { "held" } else { "not held" };
        format!("<mpguard.Seat: {} of `{}`, {held}>", seat.count(), seat.entitlement())
    }
}
