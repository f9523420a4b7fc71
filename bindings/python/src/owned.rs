//! Values of the core inside Python objects, and what becomes of them at a fork and at the end.

use mpguard_core::{Error, Event, Guard, ShutdownReport, fork, port::listener::Listener};
use pyo3::prelude::*;
use std::{
    collections::BTreeMap,
    mem::ManuallyDrop,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// A value of the core that is dropped without the GIL.
pub(crate) struct Owned<T: Send> {
    value: ManuallyDrop<T>,
}

impl<T: Send> Owned<T> {
    pub(crate) fn new(value: T) -> Owned<T> {
        Owned { value: ManuallyDrop::new(value) }
    }

    pub(crate) fn get(&self) -> &T {
        &self.value
    }
}

impl<T: Send> Drop for Owned<T> {
    fn drop(&mut self) {
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

/// A guard, who listens to it, and whether it was shut down.
pub(crate) struct Live {
    pub(crate) guard: Guard,
    shut_down: AtomicBool,
    /// Listeners by the number of their callback.
    listeners: Mutex<BTreeMap<u64, Subscribed>>,
}

/// A listener, which is subscribed in one process at a time: a forked child subscribes it again.
struct Subscribed {
    listener: Arc<dyn Listener>,
    generation: u64,
    id: u64,
}

/// Every guard that may still be up.
///
/// This lock and that of [`Live::listeners`] are held under the GIL or within [`fork::busy`]: no fork happens then.
static LIVE: Mutex<Vec<Weak<Live>>> = Mutex::new(Vec::new());

/// A forked child that goes on to `exec`, or ends at once, gets no threads for nothing.
const JOIN_DELAY: Duration = Duration::from_millis(100);

impl Live {
    /// Keeps `guard`, and remembers it for [`shut_down_all`] and [`after_fork`].
    pub(crate) fn new(guard: Guard) -> Arc<Live> {
        let live = Arc::new(Live {
            guard,
            shut_down: AtomicBool::new(false),
            listeners: Mutex::default(),
        });
        let _busy = fork::busy();
        let mut all = lock(&LIVE);
        all.retain(|live| live.strong_count() > 0);
        all.push(Arc::downgrade(&live));
        live
    }

    /// Has `listener` hear the current state and every event, as callback `number`.
    pub(crate) fn subscribe(&self, number: u64, listener: impl Fn(&Event) + Send + Sync + 'static) {
        let listener: Arc<dyn Listener> = Arc::new(listener);
        let (generation, id) = (fork::generation(), self.guard.subscribe(listener.clone()));
        let _busy = fork::busy();
        lock(&self.listeners).insert(number, Subscribed { listener, generation, id });
    }

    /// Removes callback `number`.
    pub(crate) fn unsubscribe(&self, number: u64) {
        let gone = {
            let _busy = fork::busy();
            lock(&self.listeners).remove(&number)
        };
        // A child that has not come to subscribing it again has nothing to take back.
        if let Some(gone) = gone.filter(|gone| gone.generation == fork::generation()) {
            self.guard.unsubscribe(gone.id);
        }
    }

    /// Starts this process's own threads, and has its parent's listeners hear of them.
    fn join(&self) {
        if self.is_shut_down() {
            return;
        }
        let _any_call_starts_them = self.guard.verdict();
        if !self.guard.runs_here() {
            return; // the system gives no thread; the next call of the host tries again
        }
        let _busy = fork::busy();
        for subscribed in lock(&self.listeners).values_mut() {
            if subscribed.generation != fork::generation() {
                subscribed.id = self.guard.subscribe(subscribed.listener.clone());
                subscribed.generation = fork::generation();
            }
        }
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs in a forked child: soon, it has threads of its own, which hear events and send when the parent is gone.
#[pyfunction]
pub(crate) fn after_fork() {
    let inherited = lock(&LIVE).clone();
    if inherited.iter().all(|live| live.strong_count() == 0) {
        return;
    }
    let join = move || {
        thread::sleep(JOIN_DELAY);
        inherited.iter().filter_map(Weak::upgrade).for_each(|live| live.join());
    };
    // Without a thread the first call of the host does it.
    fork::spawn("mpguard-join", Box::new(join));
}

/// Shuts every guard that runs in this process down at once, with the five seconds that dropping it would take.
///
/// Objects that are alive at interpreter exit are not always freed, and a guard that is not shut down leaves
/// the running hour unsent. A forked child that never came to have threads leaves all to its parent.
#[pyfunction]
pub(crate) fn shut_down_all(py: Python<'_>) {
    let all = std::mem::take(&mut *lock(&LIVE));
    let guards: Vec<Arc<Live>> =
        all.iter().filter_map(Weak::upgrade).filter(|live| live.guard.runs_here()).collect();
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
