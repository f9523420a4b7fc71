//! The notifier: hands events to listeners, on the thread `mpguard-notify`, with no lock held.
//!
//! Each subscriber has its own queue, and of each topic a queue keeps only the newest event: an event carries
//! the whole new state, so a slow listener misses nothing and memory never grows. Events about different seats or
//! entitlements do not replace each other.

use crate::{
    error::{Code, Error, Result},
    event::{Event, EventKind},
    machine::command::Notice,
    model::{
        license::{License, marked},
        time::Timestamp,
    },
    port::{listener::Listener, wake::Wake},
};
use std::{
    collections::BTreeMap,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

/// Queue and subscribers.
pub(crate) struct Notifier {
    state: Mutex<State>,
    changed: Condvar,
    wake: fn() -> io::Result<Box<dyn Wake>>,
}

struct State {
    subscribers: BTreeMap<u64, Subscriber>,
    next: u64,
    sequence: u64,
    /// The newest license, for late listeners.
    license: Arc<License>,
    time: Timestamp,
    /// Whose listener runs now.
    running: Option<u64>,
    thread: Option<ThreadId>,
    /// No more events come; what waits is still handed out.
    closed: bool,
    /// Nothing is handed out any more.
    stopped: bool,
    deferred: Option<Box<dyn FnOnce() + Send>>,
    descriptor: Option<Box<dyn Wake>>,
    counts: Counts,
}

struct Subscriber {
    /// `None` for the queue that `next_event` takes from.
    listener: Option<Arc<dyn Listener>>,
    waiting: BTreeMap<u64, Event>,
}

/// Counts of events.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) announced: u64,
    pub(crate) replaced: u64,
    pub(crate) failures: u64,
}

/// Most events that wait for one subscriber.
const WAITING_MAX: usize = 1024;

/// The subscriber that `next_event` takes from.
const PULL: u64 = 0;

impl Notifier {
    pub(crate) fn new(
        license: License,
        listener: Option<Arc<dyn Listener>>,
        wake: fn() -> io::Result<Box<dyn Wake>>,
    ) -> Notifier {
        let time = license.since;
        let mut state = State {
            subscribers: BTreeMap::new(),
            next: 1,
            sequence: 0,
            license: Arc::new(license),
            time,
            running: None,
            thread: None,
            closed: false,
            stopped: false,
            deferred: None,
            descriptor: None,
            counts: Counts::default(),
        };
        if listener.is_some() {
            state.add(1, listener);
            state.next = 2;
        }
        Notifier { state: Mutex::new(state), changed: Condvar::new(), wake }
    }

    /// Queues an event for every subscriber. Never waits for one.
    pub(crate) fn announce(&self, notice: Notice, time: Timestamp) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        state.sequence += 1;
        state.counts.announced += 1;
        state.license = notice.license.clone();
        state.time = time;
        let Notice { kind, old, license, text, details } = notice;
        let event = Event { sequence: state.sequence, kind, old, license, text, time, details };
        let mut replaced = 0;
        for subscriber in state.subscribers.values_mut() {
            replaced += subscriber.push(event.clone());
        }
        state.counts.replaced += replaced;
        state.raise();
        drop(state);
        self.changed.notify_all();
    }

    /// Adds a listener, which first hears the current state.
    pub(crate) fn subscribe(&self, listener: Arc<dyn Listener>) -> u64 {
        let mut state = self.lock();
        let id = state.next;
        state.next += 1;
        state.add(id, Some(listener));
        state.greet(id);
        drop(state);
        self.changed.notify_all();
        id
    }

    /// Removes a listener and, on another thread than its own, waits until it runs no more.
    pub(crate) fn unsubscribe(&self, id: u64) {
        let mut state = self.lock();
        state.subscribers.remove(&id);
        while state.running == Some(id) && state.thread != Some(thread::current().id()) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The next event of the pull queue.
    pub(crate) fn next_event(&self, timeout: Option<Duration>) -> Option<Event> {
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.lock();
        state.begin_pull();
        loop {
            if let Some(event) = state.pull() {
                return Some(event);
            }
            if state.closed {
                return None;
            }
            state = match until {
                None if timeout.is_some() => return None,
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return None;
                    }
                    let waited = self.changed.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// The descriptor that is readable while the pull queue has something.
    pub(crate) fn event_fd(&self) -> Result<i32> {
        let mut state = self.lock();
        if state.descriptor.is_none() {
            let descriptor = (self.wake)().map_err(|e| {
                Error::new(
                    Code::Storage,
                    format!("cannot make an event descriptor: {e}; raise the limit of open files, or use a callback"),
                )
            })?;
            state.descriptor = Some(descriptor);
        }
        state.begin_pull();
        state.raise();
        Ok(state.descriptor.as_ref().map_or(-1, |descriptor| descriptor.fd()))
    }

    pub(crate) fn counts(&self) -> Counts {
        self.lock().counts
    }

    /// True on the notify thread, inside a listener.
    pub(crate) fn on_own_thread(&self) -> bool {
        self.lock().thread == Some(thread::current().id())
    }

    /// True while a listener has not returned.
    pub(crate) fn listener_runs(&self) -> bool {
        self.lock().running.is_some()
    }

    /// Runs `finish` on the notify thread as soon as the running listener has returned.
    pub(crate) fn defer(&self, finish: Box<dyn FnOnce() + Send>) {
        self.lock().deferred = Some(finish);
    }

    /// Hands out what waits, at most until `deadline`, and then nothing any more.
    pub(crate) fn stop(&self, deadline: Duration) {
        let mut state = self.lock();
        state.closed = true;
        state.raise();
        self.changed.notify_all();
        if state.thread == Some(thread::current().id()) {
            state.stopped = true;
            return;
        }
        // Also when the thread has not begun yet: a start that is denied at once ends this soon.
        let waiting = |s: &mut State| s.running.is_some() || s.listener_with_work().is_some();
        let waited = self.changed.wait_timeout_while(state, deadline, waiting);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.stopped = true;
        drop(state);
        self.changed.notify_all();
    }

    /// The thread `mpguard-notify`.
    pub(crate) fn run(&self) {
        self.lock().thread = Some(thread::current().id());
        let mut state = self.lock();
        while !state.stopped {
            if let Some(finish) = state.deferred.take() {
                drop(state);
                finish();
                state = self.lock();
                continue;
            }
            let Some((id, listener, event)) = state.take() else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            state.running = Some(id);
            drop(state);
            let failed = catch_unwind(AssertUnwindSafe(|| listener.on_event(&event))).is_err();
            drop(listener);
            state = self.lock();
            state.running = None;
            state.counts.failures += u64::from(failed);
            self.changed.notify_all();
        }
        state.thread = None;
        state.subscribers.retain(|id, _| *id == PULL);
        drop(state);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn add(&mut self, id: u64, listener: Option<Arc<dyn Listener>>) {
        self.subscribers.insert(id, Subscriber { listener, waiting: BTreeMap::new() });
    }

    /// Queues the current state for a subscriber that came late.
    fn greet(&mut self, id: u64) {
        let event = Event {
            sequence: self.sequence,
            kind: EventKind::VerdictChanged,
            old: self.license.clone(),
            license: self.license.clone(),
            text: marked(
                self.license.sandbox,
                format!(
                    "the verdict is {}: {}",
                    self.license.verdict.as_str(),
                    self.license.said()
                ),
            ),
            time: self.time,
            details: serde_json::Map::new(),
        };
        if let Some(subscriber) = self.subscribers.get_mut(&id) {
            subscriber.push(event);
        }
    }

    fn begin_pull(&mut self) {
        if !self.closed && !self.subscribers.contains_key(&PULL) {
            self.add(PULL, None);
            self.greet(PULL);
        }
    }

    fn pull(&mut self) -> Option<Event> {
        let queue = &mut self.subscribers.get_mut(&PULL)?.waiting;
        let (_, event) = queue.pop_first()?;
        if queue.is_empty()
            && !self.closed
            && let Some(descriptor) = &self.descriptor
        {
            descriptor.lower();
        }
        Some(event)
    }

    /// Makes the descriptor readable when there is something to pull, or an end to see.
    fn raise(&self) {
        let waits = self.subscribers.get(&PULL).is_some_and(|pull| !pull.waiting.is_empty());
        if let Some(descriptor) = self.descriptor.as_ref().filter(|_| waits || self.closed) {
            descriptor.raise();
        }
    }

    fn listener_with_work(&self) -> Option<u64> {
        let mut work =
            self.subscribers.iter().filter(|(_, s)| s.listener.is_some() && !s.waiting.is_empty());
        work.next().map(|(id, _)| *id)
    }

    fn take(&mut self) -> Option<(u64, Arc<dyn Listener>, Event)> {
        let id = self.listener_with_work()?;
        let subscriber = self.subscribers.get_mut(&id)?;
        let (_, event) = subscriber.waiting.pop_first()?;
        Some((id, subscriber.listener.clone()?, event))
    }
}

impl Subscriber {
    /// Queues an event; an older one of its topic and subject is replaced. Returns how many were.
    fn push(&mut self, event: Event) -> u64 {
        let before = self.waiting.len();
        self.waiting.retain(|_, old| !old.gives_way_to(&event));
        if self.waiting.len() >= WAITING_MAX {
            self.waiting.pop_first(); // seats are many, and a listener may never come back
        }
        let replaced = before - self.waiting.len();
        self.waiting.insert(event.sequence, event);
        u64::try_from(replaced).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
