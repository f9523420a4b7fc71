//! What a task waits for and may stop waiting for: the native half of `mpguard.aio`.

use crate::{error, owned::Owned, seat::Seat};
use pyo3::prelude::*;
use std::sync::Arc;

/// Seats that were asked for.
#[pyclass(frozen, module = "mpguard._mpguard")]
pub(crate) struct SeatsAsked {
    asked: Owned<Arc<mpguard_core::SeatsAsked>>,
}

/// Prepaid units that were asked for.
#[pyclass(frozen, module = "mpguard._mpguard")]
pub(crate) struct UnitsAsked {
    asked: Owned<Arc<mpguard_core::UnitsAsked>>,
}

impl SeatsAsked {
    pub(crate) fn new(asked: mpguard_core::SeatsAsked) -> SeatsAsked {
        SeatsAsked { asked: Owned::new(Arc::new(asked)) }
    }

    pub(crate) fn share(&self) -> Arc<mpguard_core::SeatsAsked> {
        Arc::clone(self.asked.get())
    }
}

impl UnitsAsked {
    pub(crate) fn new(asked: mpguard_core::UnitsAsked) -> UnitsAsked {
        UnitsAsked { asked: Owned::new(Arc::new(asked)) }
    }

    pub(crate) fn share(&self) -> Arc<mpguard_core::UnitsAsked> {
        Arc::clone(self.asked.get())
    }
}

#[pymethods]
impl SeatsAsked {
    /// Waits on a thread of the caller's, which sees no signal meanwhile.
    fn wait(&self, py: Python<'_>) -> PyResult<Seat> {
        let asked = self.share();
        py.detach(move || asked.wait()).map(Seat::new).map_err(|e| error::raise(py, &e))
    }

    /// Waits no more. What comes all the same is returned.
    fn give_up(&self) {
        self.asked.get().give_up();
    }
}

#[pymethods]
impl UnitsAsked {
    /// Waits on a thread of the caller's, which sees no signal meanwhile.
    fn wait(&self, py: Python<'_>) -> PyResult<()> {
        let asked = self.share();
        py.detach(move || asked.wait()).map_err(|e| error::raise(py, &e))
    }

    /// Waits no more. Nothing is booked, also when the answer has come.
    fn give_up(&self) {
        self.asked.get().give_up();
    }
}
