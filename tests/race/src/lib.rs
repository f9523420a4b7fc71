//! The slab protocol under loom: the core's own file, with loom's atomics below it.
//!
//! Loom runs a model again and again until every order of the threads' steps that the memory model allows
//! has been tried. The rings are tiny, for the number of orders grows with every step.
#![cfg(test)]

/// What the protocol counts with here.
mod atomic {
    pub(super) use loom::sync::atomic::{AtomicU64, Ordering};
}

#[path = "../../../core/src/adapter/slab/protocol.rs"]
mod protocol;

use atomic::AtomicU64;
use loom::{sync::Arc, thread};
use protocol::{Merge, OPEN, Refused, VALUE_MAX, Words};

/// A ring of `SLABS` slabs with one counter each.
struct Ring<const SLABS: usize> {
    current: AtomicU64,
    slots: [AtomicU64; SLABS],
}

impl<const SLABS: usize> Ring<SLABS> {
    fn new() -> Ring<SLABS> {
        let ring =
            Ring { current: AtomicU64::new(0), slots: std::array::from_fn(|_| AtomicU64::new(0)) };
        protocol::prepare(&ring, 1);
        protocol::publish(&ring, 1);
        ring
    }
}

impl<const SLABS: usize> Words for Ring<SLABS> {
    fn current(&self) -> &AtomicU64 {
        &self.current
    }

    fn slot(&self, sequence: u64, series: usize) -> Option<&AtomicU64> {
        self.slots.get(sequence as usize % SLABS).filter(|_| series == 0)
    }

    fn series(&self) -> usize {
        1
    }
}

fn add<const SLABS: usize>(ring: &Arc<Ring<SLABS>>, times: u64) -> thread::JoinHandle<()> {
    let ring = ring.clone();
    thread::spawn(move || {
        for _ in 0..times {
            protocol::put(&*ring, 0, Merge::Sum, 1).expect("a slab is always open");
        }
    })
}

/// Tries every order with at most three preemptions, where all orders would take minutes.
fn with_three_preemptions(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// Closes what is open and gives the sum of everything that was taken.
fn total<const SLABS: usize>(ring: &Ring<SLABS>, mut taken: u64) -> u64 {
    let current = ring.current.load(atomic::Ordering::Acquire);
    protocol::close(ring, current, |_, value| taken += value);
    taken
}

#[test]
fn two_adders_and_a_sealer_lose_and_double_nothing() {
    loom::model(|| {
        let ring = Arc::new(Ring::<4>::new());
        let adders = [add(&ring, 1), add(&ring, 1)];
        let mut taken = 0;
        protocol::rotate(&*ring, || (), |_, value| taken += value);
        adders.into_iter().for_each(|adder| adder.join().expect("it adds"));
        assert_eq!(total(&ring, taken), 2);
    });
}

#[test]
fn an_adder_may_stall_over_several_hours_and_meet_its_slab_recycled() {
    // Two slabs: the second rotation opens the very slab that the adder may still look at.
    loom::model(|| {
        let ring = Arc::new(Ring::<2>::new());
        let adder = add(&ring, 2);
        let mut taken = 0;
        protocol::rotate(&*ring, || (), |_, value| taken += value);
        protocol::rotate(&*ring, || (), |_, value| taken += value);
        adder.join().expect("it adds");
        assert_eq!(total(&ring, taken), 2);
    });
}

#[test]
fn two_adders_a_sealer_and_a_place_that_is_used_again_lose_and_double_nothing() {
    // Two slabs: slab 3 stands in the place of slab 1.
    with_three_preemptions(|| {
        let ring = Arc::new(Ring::<2>::new());
        let adders = [add(&ring, 1), add(&ring, 1)];
        let mut taken = 0;
        protocol::rotate(&*ring, || (), |_, value| taken += value);
        protocol::rotate(&*ring, || (), |_, value| taken += value);
        adders.into_iter().for_each(|adder| adder.join().expect("it adds"));
        assert_eq!(total(&ring, taken), 2);
    });
}

#[test]
fn a_close_with_the_same_label_reads_twice_what_it_closed_and_loses_nothing() {
    // The last slab of a process that ends while others count: rotated, and captured again by the next leader.
    with_three_preemptions(|| {
        let ring = Arc::new(Ring::<4>::new());
        let adders = [add(&ring, 1), add(&ring, 1)];
        let (mut first, mut second) = (0, 0);
        protocol::rotate(&*ring, || (), |_, value| first += value);
        protocol::close(&*ring, 1, |_, value| second += value);
        assert_eq!(first, second);
        adders.into_iter().for_each(|adder| adder.join().expect("it adds"));
        assert_eq!(total(&ring, first), 2);
    });
}

#[test]
fn a_sealer_that_died_before_it_published_took_nothing_with_it() {
    // The adder may have stalled since slab 1 and find its slot open again before slab 3 is published.
    loom::model(|| {
        let ring = Arc::new(Ring::<2>::new());
        let adder = add(&ring, 1);
        let mut taken = 0;
        protocol::rotate(&*ring, || (), |_, value| taken += value);
        protocol::prepare(&*ring, 3);
        // Here it died; its successor begins again.
        protocol::rotate(&*ring, || (), |_, value| taken += value);
        adder.join().expect("it adds");
        assert_eq!(total(&ring, taken), 1);
    });
}

#[test]
fn a_slab_that_was_closed_without_a_capture_opens_again_with_its_values() {
    loom::model(|| {
        let ring = Arc::new(Ring::<2>::new());
        protocol::put(&*ring, 0, Merge::Sum, 5).expect("open");
        protocol::close(&*ring, 1, |_, value| assert_eq!(value, 5));
        let adder = {
            let ring = ring.clone();
            thread::spawn(move || protocol::put(&*ring, 0, Merge::Sum, 1).is_ok())
        };
        protocol::reopen(&*ring, 1);
        let added = adder.join().expect("it ends");
        assert_eq!(total(&ring, 0), 5 + u64::from(added));
    });
}

#[test]
fn a_closed_slab_keeps_its_values_whoever_adds() {
    loom::model(|| {
        let ring = Arc::new(Ring::<4>::new());
        let adder = add(&ring, 1);
        let (mut first, mut second) = (0, 0);
        protocol::rotate(&*ring, || (), |_, value| first += value);
        adder.join().expect("it adds");
        protocol::close(&*ring, 1, |_, value| second += value);
        assert_eq!(first, second, "a second capture reads the same");
    });
}

#[test]
fn zero_memory_takes_nothing() {
    loom::model(|| {
        let slots = std::array::from_fn(|_| AtomicU64::new(0));
        let ring = Ring::<2> { current: AtomicU64::new(1), slots };
        assert_eq!(protocol::put(&ring, 0, Merge::Sum, 1), Err(Refused::Closed));
    });
}

#[test]
fn levels_race_to_one_of_their_values() {
    loom::model(|| {
        let ring = Arc::new(Ring::<4>::new());
        let set = |merge, value| {
            let ring = ring.clone();
            thread::spawn(move || protocol::put(&*ring, 0, merge, value).expect("open"))
        };
        let setters = [set(Merge::Max, 3), set(Merge::Max, 5)];
        setters.into_iter().for_each(|setter| setter.join().expect("it sets"));
        assert_eq!(protocol::peek(&*ring, 0), 5);
        protocol::put(&*ring, 0, Merge::Last, 2).expect("open");
        assert_eq!(protocol::put(&*ring, 0, Merge::Sum, VALUE_MAX), Err(Refused::Overflow));
        assert_eq!(ring.slots[1].load(atomic::Ordering::Acquire), OPEN | 2);
    });
}
