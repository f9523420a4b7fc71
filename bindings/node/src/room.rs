//! What one environment owns, and what happens when it ends.
//!
//! An environment is the main thread's JavaScript or a worker's. Its guards live here until they are
//! shut down, not in JavaScript objects: the last drop of a guard waits for AWS, and garbage
//! collection must never wait. When the environment ends, whoever comes first ends every guard that is
//! left: the environment's cleanup hook (natural end, `worker.terminate`) or [`end`], because Node runs no
//! cleanup hooks of the main thread in `process.exit`.

use crate::error::MakeError;
use mpguard_core::Guard;
use napi::{Env, bindgen_prelude::Function};
use napi_derive::napi;
use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// How long a guard that nobody shut down may take at the end of its environment; the core's own
/// limit for a dropped guard.
const END: Duration = Duration::from_secs(5);

/// What the environment owns. Threads that work for it share this, and nothing of JavaScript.
#[derive(Default)]
pub(crate) struct Room {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    closed: bool,
    next: u64,
    guards: Vec<(u64, Guard)>,
}

/// The environment's instance data.
pub(crate) struct Instance {
    pub(crate) make_error: MakeError,
    pub(crate) room: Arc<Room>,
}

/// Tells the native half how to make an `MpguardError`; called once when the package is loaded.
#[napi(ts_args_type = "makeError: (code: string, text: string) => Error")]
pub fn bind(
    env: Env,
    make_error: Function<'_, crate::error::Parts, napi::Unknown<'static>>,
) -> napi::Result<()> {
    let make_error = make_error.create_ref()?;
    if let Some(instance) = env.get_instance_data::<Instance>()? {
        // The package's JavaScript was loaded a second time into this environment.
        instance.make_error = make_error;
        return Ok(());
    }
    let room = Arc::new(Room::default());
    env.set_instance_data(Instance { make_error, room: room.clone() }, (), |_| {})?;
    env.add_env_cleanup_hook(room, |room| room.close())?;
    Ok(())
}

/// Ends every guard of this environment, and lets none start any more; the package calls it in `process.on('exit')`.
#[napi(catch_unwind)]
pub fn end(env: Env) -> napi::Result<()> {
    of(&env)?.close();
    Ok(())
}

/// The room of this environment.
pub(crate) fn of(env: &Env) -> napi::Result<Arc<Room>> {
    let instance = env.get_instance_data::<Instance>()?;
    let instance =
        instance.ok_or_else(|| napi::Error::from_reason("load mpguard through its index.js"))?;
    Ok(instance.room.clone())
}

impl Room {
    /// Keeps `guard` until it is shut down; ends it at once when the environment is gone already.
    pub(crate) fn keep(&self, guard: &Guard) -> u64 {
        let mut state = self.lock();
        if state.closed {
            drop(state);
            let _ = guard.shutdown(END);
            return 0;
        }
        state.next += 1;
        let key = state.next;
        state.guards.push((key, guard.clone()));
        key
    }

    /// Lets go of a guard that was shut down.
    pub(crate) fn forget(&self, key: u64) {
        self.lock().guards.retain(|(kept, _)| *kept != key);
    }

    /// Waits until `done` or the end of the environment. `done` is asked again after [`Room::stir`].
    pub(crate) fn wait(&self, done: impl Fn() -> bool) {
        let mut state = self.lock();
        while !state.closed && !done() {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Runs `change` and wakes whoever waits for it.
    pub(crate) fn stir(&self, change: impl FnOnce()) {
        let _state = self.lock();
        change();
        self.changed.notify_all();
    }

    pub(crate) fn closed(&self) -> bool {
        self.lock().closed
    }

    /// Ends every guard that is left, side by side, and waits for them.
    fn close(&self) {
        let guards = {
            let mut state = self.lock();
            state.closed = true;
            // Lets notify threads go that wait for JavaScript to take an event: it never will now.
            self.changed.notify_all();
            std::mem::take(&mut state.guards)
        };
        thread::scope(|scope| {
            for (_, guard) in &guards {
                let end = || drop(guard.shutdown(END));
                if thread::Builder::new()
                    .name("mpguard-end".into())
                    .spawn_scoped(scope, end)
                    .is_err()
                {
                    let _ = guard.shutdown(END);
                }
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
