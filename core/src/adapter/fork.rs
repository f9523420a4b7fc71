//! Forks of the host: how we notice them, and how they wait until our initialisations are through.
//!
//! A host may fork at any time, also by `clone` without libc's handlers. So [`generation`] rests on a page that the
//! kernel itself empties in a child (`MADV_WIPEONFORK`), and only the gate rests on `pthread_atfork`: a fork waits
//! until no thread is in the middle of [`gate::busy`], because a child inherits locks as they are and nobody who
//! would open them. Without the gate 22 of 60 children hung in a trial, with it none.
//!
//! Handlers run on the host's thread inside `fork`. In the child they touch atomics only.
#![allow(
    unreachable_pub,
    reason = "the proofs build this very file below a crate root of their own"
)]

pub mod gate;
pub mod own;
#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;
mod word;

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
};

/// A number that is another one in every forked child. One load, but for the first call in each process.
#[inline]
#[must_use]
pub fn generation() -> u64 {
    word::generation()
}

/// What runs around every fork that libc knows of.
#[derive(Clone, Copy)]
struct Hook {
    prepare: fn(),
    parent: fn(),
    child: fn(),
}

/// Room for hooks: each part of the library that holds a table or a lock across calls has one.
const HOOKS_MAX: usize = 16;
static HOOKS: [OnceLock<Hook>; HOOKS_MAX] = [const { OnceLock::new() }; HOOKS_MAX];
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Has `prepare` run before every fork, and `parent` or `child` after it, until the process ends.
///
/// Prepares run after the gate has closed and in the opposite order of registration, the others in order.
/// They must neither panic nor allocate, nor take a lock that is held while a fork is waited for; `child` may only do
/// what a signal handler may. False when there is no room left, or libc takes no handler.
#[must_use]
pub fn on_fork(prepare: fn(), parent: fn(), child: fn()) -> bool {
    let _busy = gate::busy(); // so that no fork runs a `parent` without its `prepare`
    let hook = HOOKS.get(NEXT.fetch_add(1, SeqCst));
    install() && hook.is_some_and(|hook| hook.set(Hook { prepare, parent, child }).is_ok())
}

/// Hands our handlers to libc, once. False when it has no room for them.
fn install() -> bool {
    static DONE: AtomicBool = AtomicBool::new(false);
    // Not `Once`: a fork in its middle would leave a child that waits for ever.
    if DONE.swap(true, SeqCst) {
        return true;
    }
    // SAFETY: three functions without arguments that live as long as the program; the library is never unloaded.
    let refused = unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) } != 0;
    if refused {
        DONE.store(false, SeqCst);
    }
    !refused
}

fn hooks() -> impl DoubleEndedIterator<Item = &'static Hook> {
    HOOKS.iter().filter_map(OnceLock::get)
}

extern "C" fn prepare() {
    gate::close();
    hooks().rev().for_each(|hook| (hook.prepare)());
}

extern "C" fn parent() {
    hooks().for_each(|hook| (hook.parent)());
    gate::open_in_parent();
}

extern "C" fn child() {
    hooks().for_each(|hook| (hook.child)());
    gate::open_in_child();
}
