//! Waiting without the GIL.
//!
//! A main thread that waits in native code does not see Ctrl-C, so long calls run on a thread of their own while
//! the caller looks for signals. A thread that asks for the GIL when the interpreter is gone would be unwound
//! through Rust frames by `pthread_exit` (CPython before 3.14); PyO3 lets it hang until the process ends instead.

use crate::{error, json};
use mpguard_core::Code;
use pyo3::prelude::*;
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
    or_give_up(py, work, || ())
}

/// The same; `give_up` says that nobody takes the result any more.
pub(crate) fn or_give_up<T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce() -> T + Send + 'static,
    give_up: impl FnOnce(),
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
            Err(RecvTimeoutError::Timeout) => {
                if let Err(signal) = py.check_signals() {
                    give_up();
                    return Err(signal);
                }
            }
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

/// True for a timedelta.
///
/// Asked of Python itself: PyO3's own test imports `datetime` under a lock of its own, and a child that is forked
/// while another thread does so would wait for it for ever. Python's import survives a fork.
pub(crate) fn is_timedelta(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    value.is_instance(&value.py().import("datetime")?.getattr("timedelta")?)
}

/// A timedelta as a duration; `name` is the argument, for the error text.
pub(crate) fn duration(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Duration> {
    let py = value.py();
    if !is_timedelta(value)? {
        return Err(pyo3::exceptions::PyTypeError::new_err(format!(
            "`{name}` is a timedelta, found `{}`; give for example timedelta(seconds=5)",
            json::type_name(value)
        )));
    }
    let part = |name: &str| value.getattr(name)?.extract::<i64>();
    let (days, seconds, micros) = (part("days")?, part("seconds")?, part("microseconds")?);
    // Only the days of a timedelta are ever negative.
    let time = u64::try_from(days * 86_400 + seconds)
        .ok()
        .zip(u32::try_from(micros).ok())
        .map(|(seconds, micros)| Duration::new(seconds, micros * 1000));
    time.ok_or_else(|| {
        error::refuse(
            py,
            Code::InvalidArgument,
            format!("cannot use `{name}` of `{value}`: a time to wait is not negative"),
        )
    })
}
