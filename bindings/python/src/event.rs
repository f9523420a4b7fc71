//! Events on their way to Python: native listeners fill a feed, a Python thread empties it.

use crate::json;
use mpguard_core::{Event, EventKind, fork::Own};
use pyo3::{prelude::*, types::PyAny};
use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

/// Events for the callbacks of one guard, each with the number of its callback.
///
/// Of each topic and subject only the newest waits for a callback, as in the core, so a slow callback never grows memory.
///
/// Every process has a queue of its own: in a forked child its parent's lock may be held for ever.
#[derive(Clone)]
#[pyclass(frozen, module = "mpguard._mpguard")]
pub(crate) struct Feed {
    queues: Arc<Own<Queue>>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(u64, Event)>,
    closed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, callback: u64, event: &Event) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        state.waiting.retain(|(other, old)| *other != callback || !old.gives_way_to(event));
        state.waiting.push_back((callback, event.clone()));
        self.changed.notify_all();
    }

    fn take(&self) -> Option<(u64, Event)> {
        let mut state = self.lock();
        loop {
            if let Some(next) = state.waiting.pop_front() {
                return Some(next);
            }
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes no more; what waits is still given out.
    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }
}

impl Feed {
    /// A native listener that fills this feed for `callback`.
    pub(crate) fn listener(&self, callback: u64) -> impl Fn(&Event) + Send + Sync + use<> {
        let queues = Arc::clone(&self.queues);
        move |event: &Event| queues.get().put(callback, event)
    }

    /// Takes no more events; what waits is still given out.
    pub(crate) fn end(&self) {
        self.queues.get().close();
    }
}

#[pymethods]
impl Feed {
    #[new]
    fn new() -> Feed {
        Feed { queues: Arc::default() }
    }

    /// Waits for the next event and gives (number of its callback, event); `None` once closed and empty.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Option<(u64, Bound<'py, PyAny>)>> {
        let next = py.detach(|| self.queues.get().take());
        next.map(|(callback, event)| Ok((callback, json::to_python(py, &event.to_json())?)))
            .transpose()
    }

    /// Takes no more events; what waits is still given out.
    fn close(&self) {
        self.end();
    }

    /// Throws away what waits for `callback`, or for every callback.
    #[pyo3(signature = (callback=None, /))]
    fn discard(&self, callback: Option<u64>) {
        self.queues
            .get()
            .lock()
            .waiting
            .retain(|(other, _)| callback.is_some_and(|gone| gone != *other));
    }
}

/// Every kind of event with its topic, for the test of the generated types.
#[pyfunction]
pub(crate) fn event_kinds() -> Vec<(&'static str, &'static str)> {
    EventKind::ALL.iter().map(|kind| (kind.as_str(), kind.topic().as_str())).collect()
}
