//! Values of the core inside Python objects: used in the process that made them, dropped without the GIL.

use crate::error;
use mpguard_core::{Code, Error, Guard, ShutdownReport};
use pyo3::prelude::*;
use std::{
    mem::ManuallyDrop,
    process,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// A value of the core that belongs to one process.
///
/// A forked child has our memory but none of our threads, so there nothing may wait on them, nor may a drop
/// end what is the parent's: the value is leaked.
pub(crate) struct Owned<T: Send> {
    value: ManuallyDrop<T>,
    process: u32,
}

impl<T: Send> Owned<T> {
    pub(crate) fn new(value: T) -> Owned<T> {
        Owned { value: ManuallyDrop::new(value), process: process::id() }
    }

    /// The value, for calls that neither wait nor end anything.
    pub(crate) fn look(&self) -> &T {
        &self.value
    }

    /// The value, for calls that need our threads; an error in a forked child.
    pub(crate) fn get(&self, py: Python<'_>, what: &str) -> PyResult<&T> {
        if self.is_ours() {
            return Ok(&self.value);
        }
        Err(error::refuse(
            py,
            Code::Thread,
            format!(
                "cannot {what} in the forked process `{}`: the guard's threads are in process `{}`; init a guard \
                 after the fork",
                process::id(),
                self.process
            ),
        ))
    }

    fn is_ours(&self) -> bool {
        self.process == process::id()
    }
}

impl<T: Send> Drop for Owned<T> {
    fn drop(&mut self) {
        if !self.is_ours() {
            return;
        }
        // SAFETY: taken once, here, and nothing reads it after drop.
        let value = unsafe { ManuallyDrop::take(&mut self.value) };
        let mut rest = Some(value);
        // The last clone of a guard shuts it down, which may take seconds: not under the GIL. An interpreter
        // that is ending no longer gives it back; `shut_down_all` has run then, and there is nothing to wait for.
        let _ = Python::try_attach(|py| {
            let value = rest.take();
            py.detach(move || drop(value));
        });
        drop(rest);
    }
}

/// A guard, and whether it was shut down.
pub(crate) struct Live {
    pub(crate) guard: Guard,
    shut_down: AtomicBool,
}

/// Every guard that may still be up, with the process that made it.
static LIVE: Mutex<Vec<(u32, Weak<Live>)>> = Mutex::new(Vec::new());

impl Live {
    /// Keeps `guard`, and remembers it for [`shut_down_all`].
    pub(crate) fn new(guard: Guard) -> Arc<Live> {
        let live = Arc::new(Live { guard, shut_down: AtomicBool::new(false) });
        let mut all = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(_, live)| live.strong_count() > 0);
        all.push((process::id(), Arc::downgrade(&live)));
        live
    }

    pub(crate) fn shut_down(&self, deadline: Duration) -> Result<ShutdownReport, Error> {
        let report = self.guard.shutdown(deadline);
        self.shut_down.store(true, Ordering::Release);
        report
    }

    /// True when no event comes any more.
    pub(crate) fn is_shut_down(&self) -> bool {
        self.shut_down.load(Ordering::Acquire)
    }
}

/// Shuts every live guard of this process down at once, with the five seconds that dropping it would take.
///
/// Objects that are alive at interpreter exit are not always freed, and a guard that is not shut down leaves
/// the running hour unsent. A forked child leaves the guards of its parent alone.
#[pyfunction]
pub(crate) fn shut_down_all(py: Python<'_>) {
    let all = std::mem::take(&mut *LIVE.lock().unwrap_or_else(PoisonError::into_inner));
    let ours = all.into_iter().filter(|(process, _)| *process == process::id());
    let guards: Vec<Arc<Live>> = ours.filter_map(|(_, live)| live.upgrade()).collect();
    py.detach(|| {
        thread::scope(|scope| {
            for live in &guards {
                scope.spawn(|| live.shut_down(Duration::from_secs(5)));
            }
        });
        // The last share of a guard may be here, and dropping it may take time.
        drop(guards);
    });
}
