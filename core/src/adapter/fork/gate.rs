//! The gate between forks and what must not be forked in its middle.
//!
//! One word counts both sides: forks that wait or run in the upper half, threads in the middle of something in
//! the lower half. Forks come first: a thread that wants to begin waits while there is one. No side waits for
//! longer than two seconds, for a host that stands still is worse than a child that cannot meter.

use std::{
    cell::Cell,
    marker::PhantomData,
    sync::atomic::{
        AtomicU64,
        Ordering::{AcqRel, Acquire, SeqCst},
    },
    thread::sleep,
    time::{Duration, Instant},
};

const WAIT_MAX: Duration = Duration::from_secs(2);
const NAP: Duration = Duration::from_micros(50);
const FORK: u64 = 1 << 32;

static STATE: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// How often this thread is in the middle of something. It may fork there itself, and must not wait for itself.
    static OWN: Cell<u64> = const { Cell::new(0) };
}

/// While one lives, no fork of another thread happens, but after a wait of two seconds.
#[must_use = "the gate opens again when this is dropped"]
#[derive(Debug)]
pub struct Busy(PhantomData<*const ()>);

/// Begins something that a forked child must not inherit half-done: a lock held, a file half-written.
pub fn busy() -> Busy {
    super::install();
    let own = own();
    let deadline = Deadline::new();
    loop {
        let state = STATE.load(Acquire);
        // Inside of another one the fork waits for us already; past the deadline the fork itself hangs.
        let enter = state < FORK || own > 0 || deadline.passed();
        if enter && STATE.compare_exchange(state, state + 1, AcqRel, Acquire).is_ok() {
            let _ = OWN.try_with(|count| count.set(own + 1));
            return Busy(PhantomData);
        }
        if !enter {
            sleep(NAP);
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = OWN.try_with(|count| count.set(count.get().saturating_sub(1)));
        lower(1);
    }
}

/// Before a fork: nothing begins any more; waits until all that other threads began is through.
pub(super) fn close() {
    STATE.fetch_add(FORK, SeqCst);
    let deadline = Deadline::new();
    while STATE.load(Acquire) % FORK > own() && !deadline.passed() {
        sleep(NAP);
    }
}

/// After a fork, in the process that forked.
pub(super) fn open_in_parent() {
    lower(FORK);
}

/// After a fork, in the child: there is one thread, and what it is in the middle of is its own.
pub(super) fn open_in_child() {
    STATE.store(own(), SeqCst);
}

fn own() -> u64 {
    OWN.try_with(Cell::get).unwrap_or(0)
}

/// Takes `amount` off. Never below zero: a child that was forked past the deadline starts a count of its own.
fn lower(amount: u64) {
    let lowered = |state: u64| Some(state.saturating_sub(amount));
    let _ = STATE.fetch_update(AcqRel, Acquire, lowered);
}

/// Two seconds, read only by those who wait.
struct Deadline(Cell<Option<Instant>>);

impl Deadline {
    fn new() -> Deadline {
        Deadline(Cell::new(None))
    }

    fn passed(&self) -> bool {
        let start = self.0.get().unwrap_or_else(Instant::now);
        self.0.set(Some(start));
        start.elapsed() >= WAIT_MAX
    }
}
