//! What the driver writes and the host reads.

use super::catalog::Catalog;
use super::{
    notifier::Notifier,
    report::{ShutdownReport, Stats},
};
use crate::{
    model::{
        ids::Identity,
        license::{License, Verdict},
        storage::Storage,
    },
    port::{counters::Add, state::Heirloom},
};
use arc_swap::ArcSwap;
use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

/// What the host's threads hold of the task's state, once it is open.
pub(crate) struct Attached {
    pub(crate) adder: Arc<dyn Add>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) storage: Storage,
    /// For a forked child.
    pub(crate) heirloom: Heirloom,
    pub(crate) identity: Option<Identity>,
}

/// State on both sides of the mailbox.
pub(crate) struct Shared {
    /// Read without a lock: a forked child reads its parent's too.
    license: ArcSwap<License>,
    attached: OnceLock<Attached>,
    state: Mutex<State>,
    changed: Condvar,
    calls: AtomicU64,
    calls_failed: AtomicU64,
}

struct State {
    report: Option<Arc<ShutdownReport>>,
    /// The driver has run its first step: counters carry a real hour.
    started: bool,
    /// The driver has ended.
    ended: bool,
}

impl Shared {
    pub(crate) fn new(license: Arc<License>) -> Shared {
        let state = State { report: None, started: false, ended: false };
        Shared {
            license: ArcSwap::new(license),
            attached: OnceLock::new(),
            state: Mutex::new(state),
            changed: Condvar::new(),
            calls: AtomicU64::new(0),
            calls_failed: AtomicU64::new(0),
        }
    }

    pub(crate) fn license(&self) -> Arc<License> {
        self.license.load_full()
    }

    pub(crate) fn attach(&self, attached: Attached) {
        let _ = self.attached.set(attached);
    }

    /// What there is to count with; `None` before the start and for pricing that counts nothing.
    pub(crate) fn attached(&self) -> Option<&Attached> {
        self.attached.get()
    }

    pub(crate) fn publish(&self, license: Arc<License>) {
        {
            let _waiting = self.lock();
            self.license.store(license);
        }
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
        let waiting = |s: &mut State| !s.ended && self.license.load().verdict == Verdict::Pending;
        let since = std::time::Instant::now();
        let state = self.changed.wait_while(self.lock(), |s| !s.started && !s.ended);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        let left = timeout.saturating_sub(since.elapsed());
        let waited = self.changed.wait_timeout_while(state, left, waiting);
        drop(waited);
        self.license()
    }

    /// Waits until there is something to count with, as there is after `init`. A forked child comes here early.
    pub(crate) fn wait_for_start(&self, limit: Duration) {
        let waiting = |s: &mut State| !s.started && !s.ended;
        drop(self.changed.wait_timeout_while(self.lock(), limit, waiting));
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
            storage: self.attached().map_or("memory", |attached| attached.storage.mode.as_str()),
            sandbox: self.license().sandbox,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
