//! Events: from the notify thread to the event loop, one at a time.
//!
//! The notify thread waits until JavaScript has taken an event before it gives the next. So a blocked
//! event loop grows no queue here: the core's own queue keeps the newest event of each topic meanwhile.
//! The thread-safe function is weak: waiting for events never keeps the process alive.

use crate::{plain::Plain, room::Room};
use mpguard_core::{Event, EventKind, port::listener::Listener};
use napi::{
    Status,
    bindgen_prelude::{FnArgs, Function},
    threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode::NonBlocking},
};
use napi_derive::napi;
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

/// Takes one event in JavaScript; it must not throw.
pub(crate) type OnEvent<'env> = Function<'env, FnArgs<(Plain,)>, ()>;

type Call = ThreadsafeFunction<Event, (), FnArgs<(Plain,)>, Status, false, true>;

/// The core's listener that hands events to one JavaScript function.
pub(crate) struct Door {
    /// `None` after [`Door::shut`].
    call: Mutex<Option<Arc<Call>>>,
    room: Arc<Room>,
}

impl Door {
    pub(crate) fn new(on_event: &OnEvent<'_>, room: Arc<Room>) -> napi::Result<Door> {
        let call = on_event
            .build_threadsafe_function::<Event>()
            .weak::<true>()
            .callee_handled::<false>()
            .build_callback(|context| Ok(FnArgs::from((Plain::json(context.value.to_json()),))))?;
        Ok(Door { call: Mutex::new(Some(Arc::new(call))), room })
    }

    /// Lets go of the JavaScript function, and so of the guard's JavaScript object, which can then be collected.
    pub(crate) fn shut(&self) {
        self.call().take();
    }

    fn call(&self) -> MutexGuard<'_, Option<Arc<Call>>> {
        self.call.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener for Door {
    fn on_event(&self, event: &Event) {
        let call = self.call().clone();
        let Some(call) = call.filter(|_| !self.room.closed()) else { return };
        let taken = Arc::new(AtomicBool::new(false));
        let (tell, room) = (taken.clone(), self.room.clone());
        let status = call.call_with_return_value(event.clone(), NonBlocking, move |_, _| {
            room.stir(|| tell.store(true, Ordering::Release));
            Ok(())
        });
        if status == Status::Ok {
            self.room.wait(|| taken.load(Ordering::Acquire));
        }
    }
}

/// Every kind of event, each also the name of a Node event.
#[napi(catch_unwind)]
pub fn event_kinds() -> Vec<String> {
    EventKind::ALL.iter().map(|kind| kind.as_str().to_owned()).collect()
}
