//! Waiting without the GIL.
//!
//! A main thread that waits in native code does not see Ctrl-C, so long calls run on a thread of their own while
//! the caller looks for signals. A thread that asks for the GIL when the interpreter is gone would be unwound
//! through Rust frames by `pthread_exit` (CPython before 3.14); PyO3 lets it hang until the process ends instead.

use crate::{error, json};
use mpguard_core::Code;
use pyo3::{prelude::*, types::PyDelta};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

/// How long a signal may go unseen.
pub(crate) const SLICE: Duration = Duration::from_millis(50);

/// Runs `work` without the GIL, and lets a signal handler that raises (Ctrl-C) end the wait.
///
/// The work goes on to its end then, and its result is dropped.
pub(crate) fn interruptibly<T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce() -> T + Send + 'static,
) -> PyResult<T> {
    let (reply, mut answer) = mpsc::sync_channel(1);
    let work = Arc::new(Mutex::new(Some(work)));
    let take = |work: &Mutex<Option<_>>| work.lock().unwrap_or_else(PoisonError::into_inner).take();
    let theirs = Arc::clone(&work);
    let spawned =
        thread::Builder::new().name("mpguard-wait".into()).stack_size(1 << 20).spawn(move || {
            if let Some(work) = take(&theirs) {
                let _ = reply.send(work());
            }
        });
    if spawned.is_err() {
        let work = take(&work).expect("a thread that was refused took nothing");
        return Ok(py.detach(work));
    }
    loop {
        let answer = &mut answer; // shared, a receiver would have to be Sync to leave the GIL
        match py.detach(move || answer.recv_timeout(SLICE)) {
            Ok(result) => return Ok(result),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(error::refuse(
                    py,
                    Code::Internal,
                    "a call into mpguard panicked; please report it",
                ));
            }
        }
    }
}

/// A timedelta as a duration; `name` is the argument, for the error text.
pub(crate) fn duration(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Duration> {
    let py = value.py();
    if !value.is_instance_of::<PyDelta>() {
        return Err(pyo3::exceptions::PyTypeError::new_err(format!(
            "`{name}` is a timedelta, found `{}`; give for example timedelta(seconds=5)",
            json::type_name(value)
        )));
    }
    value.extract().map_err(|_| {
        error::refuse(
            py,
            Code::InvalidArgument,
            format!("cannot use `{name}` of `{value}`: a time to wait is not negative"),
        )
    })
}
