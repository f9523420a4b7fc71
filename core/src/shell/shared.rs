//! What the driver writes and the host reads.

use super::{
    notifier::Notifier,
    report::{ShutdownReport, Stats},
};
use crate::model::license::{License, Verdict};
use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// State on both sides of the mailbox.
pub(crate) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    calls: AtomicU64,
    calls_failed: AtomicU64,
    storage: &'static str,
}

struct State {
    license: Arc<License>,
    report: Option<Arc<ShutdownReport>>,
    /// The driver has run its first step: counters carry a real hour.
    started: bool,
    /// The driver has ended.
    ended: bool,
}

impl Shared {
    pub(crate) fn new(license: License, storage: &'static str) -> Shared {
        let state =
            State { license: Arc::new(license), report: None, started: false, ended: false };
        Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
            calls: AtomicU64::new(0),
            calls_failed: AtomicU64::new(0),
            storage,
        }
    }

    pub(crate) fn license(&self) -> Arc<License> {
        self.lock().license.clone()
    }

    pub(crate) fn publish(&self, license: Arc<License>) {
        self.lock().license = license;
        self.changed.notify_all();
    }

    pub(crate) fn started(&self) {
        self.lock().started = true;
        self.changed.notify_all();
    }

    pub(crate) fn ended(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    /// Waits until there is a verdict, the time is over, or the driver has ended.
    pub(crate) fn wait_for_verdict(&self, timeout: Duration) -> Arc<License> {
        let waiting = |s: &mut State| !s.ended && s.license.verdict == Verdict::Pending;
        let state = self.changed.wait_while(self.lock(), |s| !s.started && !s.ended);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(state, timeout, waiting);
        waited.unwrap_or_else(PoisonError::into_inner).0.license.clone()
    }

    pub(crate) fn report(&self) -> Option<Arc<ShutdownReport>> {
        self.lock().report.clone()
    }

    pub(crate) fn set_report(&self, report: &ShutdownReport) {
        self.lock().report = Some(Arc::new(report.clone()));
    }

    pub(crate) fn count_call(&self) {
        self.calls.fetch_add(1, Relaxed);
    }

    pub(crate) fn count_failure(&self) {
        self.calls_failed.fetch_add(1, Relaxed);
    }

    pub(crate) fn stats(&self, notifier: &Notifier) -> Stats {
        let counts = notifier.counts();
        Stats {
            calls: self.calls.load(Relaxed),
            calls_failed: self.calls_failed.load(Relaxed),
            events: counts.announced,
            events_replaced: counts.replaced,
            listener_failures: counts.failures,
            storage: self.storage,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
