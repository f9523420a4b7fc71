//! Promises for what waits: a thread for each.
//!
//! Not libuv's pool: it has four threads by default, shared with files, DNS and crypto, and four
//! customers waiting a minute for a seat would stop them all. Waits are rare and long, so a thread of
//! its own costs nothing that matters. A pending promise keeps the process alive, as a pending request
//! does; a live guard alone does not.

use crate::error;
use mpguard_core::{Code, Error, Result};
use napi::{
    Env,
    bindgen_prelude::{Object, ToNapiValue},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

/// Runs `work` on a thread of its own; `finish` makes its result a value on the JavaScript thread.
///
/// When the environment ends first, the result is dropped.
pub(crate) fn wait<'env, T, V>(
    env: &'env Env,
    work: impl FnOnce() -> Result<T> + Send + 'static,
    finish: impl FnOnce(T) -> V + Send + 'static,
) -> napi::Result<Object<'env>>
where
    T: Send + 'static,
    V: ToNapiValue + 'static,
{
    let (deferred, promise) = env.create_deferred()?;
    let body = move || {
        let result = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(bug()));
        deferred.resolve(move |env| match result {
            Ok(value) => Ok(finish(value)),
            Err(why) => Err(error::to_js(&env, &why)),
        });
    };
    signals::blocked(|| thread::Builder::new().name("mpguard-wait".into()).spawn(body)).map_err(
        |why| {
            let text =
                format!("cannot start a thread to wait on: {why}; allow this process more threads");
            error::to_js(env, &Error::new(Code::Thread, text))
        },
    )?;
    Ok(promise)
}

fn bug() -> Error {
    Error::new(
        Code::Internal,
        "mpguard failed inside; please report this with the output on stderr",
    )
}

/// New threads inherit the mask of signals; ours must never run a handler of the host.
mod signals {
    #[cfg(unix)]
    pub(super) fn blocked<T>(start: impl FnOnce() -> T) -> T {
        use std::mem::MaybeUninit;
        let mut all = MaybeUninit::uninit();
        let mut before = MaybeUninit::uninit();
        // SAFETY: both sets are written by the calls before anything reads them.
        unsafe {
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
        }
        let started = start();
        // SAFETY: `before` was filled by the call above on this same thread.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut()) };
        started
    }

    #[cfg(not(unix))]
    pub(super) fn blocked<T>(start: impl FnOnce() -> T) -> T {
        start()
    }
}
