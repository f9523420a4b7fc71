//! What a handle table must stand.

use super::*;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize},
    },
    thread,
};

struct Opaque;

/// Counts its drops.
struct Thing(Arc<AtomicUsize>, u64);

impl Drop for Thing {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Object for Thing {
    type Opaque = Opaque;
    const KIND: Kind = Kind::Seat;
}

struct Other;

impl Object for Other {
    type Opaque = Opaque;
    const KIND: Kind = Kind::Stats;
}

fn thing(drops: &Arc<AtomicUsize>) -> *mut Opaque {
    issue(Box::new(Thing(drops.clone(), 7))).expect("room")
}

fn said<T: Object<Opaque = Opaque>>(handle: *mut Opaque) -> (Code, String) {
    let error = pin::<T>(handle).map(drop).expect_err("no live handle of this kind");
    (error.code(), error.text().to_owned())
}

#[test]
fn a_live_handle_leads_to_its_object_and_freeing_drops_it_once() {
    let drops = Arc::default();
    let handle = thing(&drops);
    assert_eq!(pin::<Thing>(handle).expect("live").1, 7);
    assert_eq!(drops.load(Ordering::SeqCst), 0);
    free::<Thing>(handle).expect("live");
    assert_eq!(drops.load(Ordering::SeqCst), 1);
    assert_eq!(free::<Thing>(handle).expect_err("freed").code(), Code::StaleHandle);
    assert_eq!(drops.load(Ordering::SeqCst), 1);
}

#[test]
fn each_wrong_handle_is_an_error_that_says_what_it_is() {
    let drops = Arc::default();
    let live = thing(&drops);
    let freed = thing(&drops);
    free::<Thing>(freed).expect("live");
    let local = 5_u64;
    let foreign = ptr::from_ref(&local).cast_mut().cast::<Opaque>();

    let (code, text) = said::<Thing>(ptr::null_mut());
    assert_eq!((code, text.contains("is NULL")), (Code::InvalidArgument, true), "{text}");
    let (code, text) = said::<Thing>(freed);
    assert_eq!((code, text.contains("was freed before")), (Code::StaleHandle, true), "{text}");
    let (code, text) = said::<Other>(live);
    assert_eq!((code, text.contains("is not a stats")), (Code::StaleHandle, true), "{text}");
    let (code, text) = said::<Thing>(foreign);
    assert_eq!((code, text.contains("not made by mpguard")), (Code::StaleHandle, true), "{text}");
    free::<Thing>(live).expect("live");
}

#[test]
fn a_slot_that_is_used_again_does_not_revive_the_old_token() {
    let drops = Arc::default();
    let mut old = Vec::new();
    for _ in 0..1000 {
        let handle = thing(&drops);
        free::<Thing>(handle).expect("live");
        old.push(handle);
    }
    let now = thing(&drops);
    assert!(old.iter().all(|stale| pin::<Thing>(*stale).is_err()));
    old.sort();
    old.dedup();
    assert_eq!(old.len(), 1000, "every token is a new one");
    free::<Thing>(now).expect("live");
}

#[test]
fn an_object_that_is_in_use_is_dropped_when_the_use_ends() {
    let drops = Arc::default();
    let handle = thing(&drops);
    let pinned = pin::<Thing>(handle).expect("live");
    free::<Thing>(handle).expect("live");
    assert!(pin::<Thing>(handle).is_err(), "freed for everybody else");
    assert_eq!((pinned.1, drops.load(Ordering::SeqCst)), (7, 0));
    drop(pinned);
    assert_eq!(drops.load(Ordering::SeqCst), 1);
}

#[test]
fn a_token_of_a_later_generation_or_place_was_never_made() {
    let drops = Arc::default();
    let handle = thing(&drops);
    let token = Token::from(handle.cast_const());
    for forged in [
        Token::new(token.tag() + 1, token.index()),
        Token::new(token.tag(), token.index() + 500_000),
        Token::new(token.tag(), u32::MAX),
        Token(u64::MAX),
    ] {
        assert_eq!(said::<Thing>(forged.handle()).0, Code::StaleHandle);
    }
    free::<Thing>(handle).expect("live");
}

#[test]
fn threads_that_use_and_free_the_same_handles_meet_no_dead_object() {
    let drops: Arc<AtomicUsize> = Arc::default();
    let rounds = 2000;
    for _ in 0..rounds {
        let handle = thing(&drops).addr();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(move || {
                    let handle: *mut Opaque = ptr::without_provenance_mut(handle);
                    if let Ok(pinned) = pin::<Thing>(handle) {
                        assert_eq!(pinned.1, 7);
                    }
                    let _ = free::<Thing>(handle);
                });
            }
        });
    }
    assert_eq!(drops.load(Ordering::SeqCst), rounds, "each object is dropped exactly once");
}

#[test]
fn a_peek_never_sees_the_object_of_another_token() {
    let table: &'static Table = Box::leak(Box::new(Table {
        chunks: [const { AtomicPtr::new(ptr::null_mut()) }; CHUNKS],
        used: AtomicU32::new(0),
        free: AtomicU64::new(0),
    }));
    // The object that goes with each generation, known to both threads.
    let numbers: &'static [u64] = &[0, 1, 2, 3];
    let object = |generation: u32| ptr::from_ref(&numbers[generation as usize % 4]).cast_mut();
    let stop = AtomicBool::new(false);
    let current = AtomicU64::new(0);
    // On a busy machine the writer would be done before the reader has begun.
    let both = std::sync::Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            both.wait();
            // The table's one slot, over and over.
            for generation in 0..300_000_u32 {
                let token = table.issue(Kind::Meter, object(generation).cast()).expect("room");
                assert_eq!((token.index(), token.tag() & GENERATION_MASK), (0, generation));
                current.store(token.0, Ordering::Release);
                if generation % 1024 == 0 {
                    thread::yield_now(); // the token lives: let the reader look
                }
                let (slot, last) = table.close(token, Kind::Meter).expect("live");
                assert!(last);
                table.recycle(slot);
            }
            stop.store(true, Ordering::Release);
        });
        scope.spawn(|| {
            both.wait();
            let mut seen = 0_u64;
            while !stop.load(Ordering::Acquire) {
                let token = Token(current.load(Ordering::Acquire));
                if let Some(found) = table.peek(token, Kind::Meter) {
                    assert_eq!(found.cast(), object(token.tag() & GENERATION_MASK));
                    seen += 1;
                }
            }
            assert!(seen > 0, "the reader must have met a live token");
        });
    });
}
