//! Handles: tokens with the shape of a pointer, looked up and never dereferenced.
//!
//! A token is `tag << 32 | index`; a tag is four bits of kind and 28 bits of generation. The top byte of
//! a token is never zero, which on x86-64 no user address has: a host that dereferences one by mistake
//! faults at once, and no real pointer passes for a token.
//!
//! One slot holds one object. Its `state` is a single word, `tag << 32 | live << 31 | pins`, so one
//! compare checks kind, generation and liveness together, and one compare-and-swap takes a pin. Freeing
//! clears `live`; whoever then takes the count of pins to zero drops the object. There is no lock
//! anywhere, so a `fork` in the middle of any of this leaves the child with a usable table; at worst one
//! object that another thread had pinned is never dropped there.
//!
//! Slots are never given back to the allocator, so a stale token always has memory to be compared with.
//! A slot whose generations are used up is retired.

use mpguard_core::{Code, Error};
use std::{
    alloc::{Layout, alloc_zeroed},
    ops::Deref,
    ptr,
    sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering},
};

const _: () = assert!(usize::BITS == 64, "a token needs 64 bits");

/// What a handle stands for; the four top bits of its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Kind {
    Config = 1,
    Guard = 2,
    Meter = 3,
    Seat = 4,
    License = 5,
    Event = 6,
    Error = 7,
    Report = 8,
    Account = 9,
    Stats = 10,
    DoctorReport = 11,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Kind::Config => "config",
            Kind::Guard => "guard",
            Kind::Meter => "meter",
            Kind::Seat => "seat",
            Kind::License => "license",
            Kind::Event => "event",
            Kind::Error => "error",
            Kind::Report => "report",
            Kind::Account => "account",
            Kind::Stats => "stats",
            Kind::DoctorReport => "report of the doctor",
        }
    }

    /// The kind in the top of a tag.
    #[expect(clippy::as_conversions, reason = "a fieldless enum has no other way to its number")]
    const fn tag(self) -> u32 {
        (self as u32) << GENERATION_BITS
    }
}

/// Something that a handle can stand for.
pub(crate) trait Object: Send + Sync + Sized + 'static {
    /// The C type of its handles.
    type Opaque;
    const KIND: Kind;
    /// What to do once no handle and no call holds it.
    ///
    /// # Safety
    /// `object` came from `Box::into_raw` and nobody else uses it.
    unsafe fn end(object: *mut Self) {
        // SAFETY: the caller's promise.
        drop(unsafe { Box::from_raw(object) });
    }
}

/// An object that lives as long as the process, so that it can be used without a pin.
///
/// # Safety
/// `end` does nothing.
pub(crate) unsafe trait Immortal: Object {}

/// Makes a handle for `object`.
///
/// # Errors
/// `Internal` when a million handles are live.
pub(crate) fn issue<T: Object>(object: Box<T>) -> Result<*mut T::Opaque, Error> {
    let object = Box::into_raw(object);
    match TABLE.issue(T::KIND, object.cast()) {
        Some(token) => Ok(token.handle()),
        None => {
            // SAFETY: made by `Box::into_raw` above, and no handle knows it.
            drop(unsafe { Box::from_raw(object) });
            Err(full(T::KIND))
        }
    }
}

/// Makes one more handle for an object that lives as long as the process.
///
/// # Errors
/// As [`issue`].
pub(crate) fn issue_static<T: Immortal>(object: &'static T) -> Result<*mut T::Opaque, Error> {
    TABLE
        .issue(T::KIND, ptr::from_ref(object).cast_mut().cast())
        .map(Token::handle)
        .ok_or_else(|| full(T::KIND))
}

/// Looks `handle` up and keeps its object alive until the result is dropped.
///
/// # Errors
/// `InvalidArgument` for `NULL`, `StaleHandle` for anything that is not a live handle of this kind.
pub(crate) fn pin<T: Object>(handle: *const T::Opaque) -> Result<Pin<T>, Error> {
    let token = Token::from(handle);
    match TABLE.pin(token, T::KIND) {
        Some((slot, object)) => Ok(Pin { slot, object: object.cast::<T>() }),
        None => Err(why_not(token, T::KIND)),
    }
}

/// Looks `handle` up without a pin, for objects that live as long as the process.
///
/// Two loads and two compares: the way of `mpguard_meter_add`. Inlined always, here and below: the library is
/// optimised for size, which would make a call of each of these lines.
#[inline(always)]
pub(crate) fn peek<T: Immortal>(handle: *const T::Opaque) -> Option<&'static T> {
    let object = TABLE.peek(Token::from(handle), T::KIND)?;
    // SAFETY: the object was of kind `T` when the slot was compared, and an immortal one is never dropped.
    Some(unsafe { &*object.cast::<T>() })
}

/// Ends `handle`. The object goes when the last call that uses it has returned. `NULL` is fine.
///
/// # Errors
/// `StaleHandle` for anything else that is not a live handle of this kind.
pub(crate) fn free<T: Object>(handle: *mut T::Opaque) -> Result<(), Error> {
    if handle.is_null() {
        return Ok(());
    }
    let token = Token::from(handle.cast_const());
    let Some((slot, last)) = TABLE.close(token, T::KIND) else {
        return Err(why_not(token, T::KIND));
    };
    if last {
        end::<T>(slot);
    }
    Ok(())
}

/// Why `token` is not a live handle of `kind`, for [`peek`] that has no place for reasons.
#[cold]
pub(crate) fn why_not_live<T: Object>(handle: *const T::Opaque) -> Error {
    why_not(Token::from(handle), T::KIND)
}

/// An object that cannot go while this lives.
pub(crate) struct Pin<T: Object> {
    slot: &'static Slot,
    object: *const T,
}

impl<T: Object> Deref for Pin<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: a pinned slot keeps its object, and `Table::pin` compared the kind.
        unsafe { &*self.object }
    }
}

impl<T: Object> Drop for Pin<T> {
    fn drop(&mut self) {
        if self.slot.unpin() {
            end::<T>(self.slot);
        }
    }
}

/// Drops the object of a closed slot without pins and gives the slot back.
fn end<T: Object>(slot: &'static Slot) {
    let object = slot.object.load(Ordering::Acquire).cast::<T>();
    TABLE.recycle(slot);
    // SAFETY: exactly one thread sees a slot become closed without pins, and it comes here.
    unsafe { T::end(object) };
}

#[cold]
fn full(kind: Kind) -> Error {
    Error::new(
        Code::Internal,
        format!(
            "cannot make a {}: {CAPACITY} handles are live; free those that are done",
            kind.word()
        ),
    )
}

#[cold]
fn why_not(token: Token, kind: Kind) -> Error {
    let word = kind.word();
    if token.0 == 0 {
        return Error::new(
            Code::InvalidArgument,
            format!("the {word} handle is NULL; pass one that a call of mpguard gave you"),
        );
    }
    let found = TABLE.slot(token.index()).map(|slot| slot.state.load(Ordering::Acquire));
    let text = match found {
        Some(state) if token.tag() == tag_of(state) && state & LIVE != 0 => {
            format!("the handle given is not a {word}; pass the handle of a {word}")
        }
        Some(state) if token.tag() & !GENERATION_MASK == kind.tag() && token.is_before(state) => {
            format!("the {word} handle was freed before; keep it until its last use")
        }
        _ => format!(
            "the {word} handle was not made by mpguard; pass one that a call of mpguard gave you"
        ),
    };
    Error::new(Code::StaleHandle, text)
}

const GENERATION_BITS: u32 = 28;
const GENERATION_MASK: u32 = (1 << GENERATION_BITS) - 1;
const LIVE: u64 = 1 << 31;
const PINS: u64 = LIVE - 1;

#[derive(Clone, Copy)]
struct Token(u64);

impl Token {
    fn new(tag: u32, index: u32) -> Token {
        Token(u64::from(tag) << 32 | u64::from(index))
    }

    #[expect(clippy::as_conversions, reason = "the one place where pointers become numbers")]
    #[inline(always)]
    fn from<O>(handle: *const O) -> Token {
        Token(handle.addr() as u64)
    }

    #[expect(clippy::as_conversions, reason = "the one place where numbers become pointers")]
    fn handle<O>(self) -> *mut O {
        ptr::without_provenance_mut(self.0 as usize)
    }

    #[expect(clippy::as_conversions, reason = "the low half is the index")]
    #[inline(always)]
    fn index(self) -> u32 {
        self.0 as u32
    }

    #[inline(always)]
    fn tag(self) -> u32 {
        tag_of(self.0)
    }

    /// True when the slot, now in `state`, has been through this token's generation.
    fn is_before(self, state: u64) -> bool {
        let (ours, now) = (self.tag() & GENERATION_MASK, tag_of(state) & GENERATION_MASK);
        ours < now || self.tag() == tag_of(state)
    }
}

#[expect(clippy::as_conversions, reason = "the high half is the tag")]
#[inline(always)]
fn tag_of(word: u64) -> u32 {
    (word >> 32) as u32
}

/// A cache line of its own, so that threads on neighbouring handles do not slow each other.
#[repr(align(64))]
struct Slot {
    /// `tag << 32 | live << 31 | pins`.
    state: AtomicU64,
    object: AtomicPtr<()>,
    /// This slot's place in the table.
    index: AtomicU32,
    /// Place of the next free slot plus one, while this one is free.
    next_free: AtomicU32,
}

impl Slot {
    /// Gives a pin back; true when the slot is closed and this was the last one.
    fn unpin(&self) -> bool {
        let before = self.state.fetch_sub(1, Ordering::AcqRel);
        before & (LIVE | PINS) == 1
    }
}

const CHUNK_BITS: u32 = 7;
const CHUNK: usize = 1 << CHUNK_BITS;
const CHUNKS: usize = 8192;
const CAPACITY: u32 = 1 << 20;

/// Slots in chunks that are made at need and never moved or freed.
struct Table {
    chunks: [AtomicPtr<[Slot; CHUNK]>; CHUNKS],
    /// Slots that were ever given out.
    used: AtomicU32,
    /// Head of the free slots: `count of changes << 32 | place plus one`.
    free: AtomicU64,
}

static TABLE: Table = Table {
    chunks: [const { AtomicPtr::new(ptr::null_mut()) }; CHUNKS],
    used: AtomicU32::new(0),
    free: AtomicU64::new(0),
};

impl Table {
    #[expect(clippy::as_conversions, reason = "an index of 32 bits fits a usize of 64")]
    #[inline(always)]
    fn slot(&self, index: u32) -> Option<&Slot> {
        let chunk = self.chunks.get((index >> CHUNK_BITS) as usize)?.load(Ordering::Acquire);
        // SAFETY: a chunk's pointer is null or a chunk that is never freed.
        unsafe { chunk.as_ref() }?.get(index as usize % CHUNK)
    }

    fn issue(&self, kind: Kind, object: *mut ()) -> Option<Token> {
        let slot = self.pop_free().or_else(|| self.fresh())?;
        let generation = tag_of(slot.state.load(Ordering::Acquire)) & GENERATION_MASK;
        let tag = kind.tag() | generation;
        slot.object.store(object, Ordering::Release);
        // Release: who sees the new state sees the object.
        slot.state.store(u64::from(tag) << 32 | LIVE, Ordering::Release);
        Some(Token::new(tag, slot.index.load(Ordering::Relaxed)))
    }

    fn pin(&'static self, token: Token, kind: Kind) -> Option<(&'static Slot, *mut ())> {
        if token.tag() & !GENERATION_MASK != kind.tag() {
            return None;
        }
        let slot = self.slot(token.index())?;
        let mut state = slot.state.load(Ordering::Acquire);
        loop {
            if tag_of(state) != token.tag() || state & LIVE == 0 || state & PINS == PINS {
                return None;
            }
            let pinned = state.wrapping_add(1);
            match slot.state.compare_exchange_weak(
                state,
                pinned,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return Some((slot, slot.object.load(Ordering::Acquire))),
                Err(now) => state = now,
            }
        }
    }

    #[inline(always)]
    fn peek(&self, token: Token, kind: Kind) -> Option<*mut ()> {
        if token.tag() & !GENERATION_MASK != kind.tag() {
            return None;
        }
        let slot = self.slot(token.index())?;
        // Kind, generation and liveness in one compare.
        let wanted = u64::from(token.tag()) << 32 | LIVE;
        let matches = |state: u64| state & !PINS == wanted;
        if !matches(slot.state.load(Ordering::Acquire)) {
            return None;
        }
        // Acquire: if this is already the slot's next object, then what happened before that was stored
        // is seen too, and the state no longer matches.
        let object = slot.object.load(Ordering::Acquire);
        matches(slot.state.load(Ordering::Relaxed)).then_some(object)
    }

    /// Ends a token: true when nobody has it pinned.
    fn close(&'static self, token: Token, kind: Kind) -> Option<(&'static Slot, bool)> {
        if token.tag() & !GENERATION_MASK != kind.tag() {
            return None;
        }
        let slot = self.slot(token.index())?;
        let mut state = slot.state.load(Ordering::Acquire);
        loop {
            if tag_of(state) != token.tag() || state & LIVE == 0 {
                return None;
            }
            match slot.state.compare_exchange_weak(
                state,
                state & !LIVE,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return Some((slot, state & PINS == 0)),
                Err(now) => state = now,
            }
        }
    }

    /// Makes a closed slot ready for its next generation, or retires it after the last one.
    fn recycle(&self, slot: &Slot) {
        let generation = tag_of(slot.state.load(Ordering::Acquire)) & GENERATION_MASK;
        if generation == GENERATION_MASK {
            return;
        }
        let next = u64::from(generation.wrapping_add(1)) << 32;
        slot.state.store(next, Ordering::Release);
        self.push_free(slot);
    }

    fn push_free(&self, slot: &Slot) {
        let place = u64::from(slot.index.load(Ordering::Relaxed).wrapping_add(1));
        let mut head = self.free.load(Ordering::Acquire);
        loop {
            slot.next_free.store(low(head), Ordering::Release);
            let new = next_change(head) | place;
            match self.free.compare_exchange_weak(head, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    fn pop_free(&self) -> Option<&Slot> {
        let mut head = self.free.load(Ordering::Acquire);
        loop {
            let slot = self.slot(low(head).checked_sub(1)?)?;
            // Another thread may take and give back this slot meanwhile; the count of changes then differs.
            let new = next_change(head) | u64::from(slot.next_free.load(Ordering::Acquire));
            match self.free.compare_exchange_weak(head, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(slot),
                Err(now) => head = now,
            }
        }
    }

    fn fresh(&self) -> Option<&Slot> {
        let index = self
            .used
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
                (used < CAPACITY).then(|| used.wrapping_add(1))
            })
            .ok()?;
        self.make_chunk(index);
        let slot = self.slot(index)?;
        slot.index.store(index, Ordering::Relaxed);
        Some(slot)
    }

    #[expect(clippy::as_conversions, reason = "an index of 32 bits fits a usize of 64")]
    fn make_chunk(&self, index: u32) {
        let Some(place) = self.chunks.get((index >> CHUNK_BITS) as usize) else {
            return;
        };
        if !place.load(Ordering::Acquire).is_null() {
            return;
        }
        // SAFETY: the layout is not of size zero. Zeroed memory is a valid array of slots: atomics of
        // zeros, generation 0 and not live. A failed allocation leaves the place null.
        let chunk = unsafe { alloc_zeroed(Layout::new::<[Slot; CHUNK]>()) }.cast::<[Slot; CHUNK]>();
        if chunk.is_null() {
            return;
        }
        let lost = place
            .compare_exchange(ptr::null_mut(), chunk, Ordering::AcqRel, Ordering::Acquire)
            .is_err();
        if lost {
            // SAFETY: made above with the same layout, and published nowhere.
            unsafe { std::alloc::dealloc(chunk.cast(), Layout::new::<[Slot; CHUNK]>()) };
        }
    }
}

#[expect(clippy::as_conversions, reason = "the low half is a place")]
fn low(head: u64) -> u32 {
    head as u32
}

/// The head's count of changes, one more.
fn next_change(head: u64) -> u64 {
    (head >> 32).wrapping_add(1) << 32
}

#[cfg(test)]
mod tests;
