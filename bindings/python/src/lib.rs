//! mpguard for Python: the native half, module `mpguard._mpguard`.
//!
//! Nothing here decides: each call checks its arguments, calls the core, and converts the answer. The
//! classes that Python code sees and the threads that run its callbacks are in the package `mpguard`
//! beside this crate; `Meter` and `Seat` are native themselves.
//!
//! Two rules hold in every file. No native thread enters Python. A call that may wait releases the GIL.

mod config;
mod count;
mod doctor;
mod error;
mod event;
mod guard;
mod json;
mod license;
mod metering;
mod owned;
mod seat;
mod wait;
mod wish;

use pyo3::prelude::*;

/// Native half of the package `mpguard`; use that one.
#[pymodule]
mod _mpguard {
    #[pymodule_export]
    use crate::{
        config::config_keys,
        doctor::{examine, examine_json},
        error::{error_codes, report_unraisable},
        event::{Feed, event_kinds},
        guard::{NativeGuard, start, start_from_json},
        license::license_words,
        metering::Meter,
        owned::{after_fork, shut_down_all},
        seat::Seat,
        wish::{SeatsAsked, UnitsAsked},
    };

    use super::{Bound, PyModule, PyModuleMethods, PyResult};

    #[pymodule_init]
    fn fill(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::count::install(module.py())?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
