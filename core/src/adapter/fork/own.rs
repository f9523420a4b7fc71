//! One value for each process, so that no child waits for a lock that a thread of its parent held.

use std::{
    ptr::null_mut,
    sync::atomic::{
        AtomicPtr,
        Ordering::{AcqRel, Acquire},
    },
};

/// A value that every process makes anew. What a parent made is left as it was at the fork, and not dropped.
#[derive(Debug)]
pub struct Own<T> {
    newest: AtomicPtr<Of<T>>,
}

#[derive(Debug)]
struct Of<T> {
    generation: u64,
    value: T,
    /// Its parent's, so that a leak checker sees it.
    _older: *mut Of<T>,
}

// SAFETY: values are reached by reference only, and `_older` never changes.
unsafe impl<T: Send + Sync> Send for Own<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Own<T> {}

impl<T> Default for Own<T> {
    fn default() -> Own<T> {
        Own { newest: AtomicPtr::new(null_mut()) }
    }
}

impl<T: Default> Own<T> {
    /// This process's value.
    pub fn get(&self) -> &T {
        let generation = super::generation();
        loop {
            let newest = self.newest.load(Acquire);
            // SAFETY: null, or made below and freed by `drop` alone.
            if let Some(there) = unsafe { newest.as_ref() }
                && there.generation == generation
            {
                return &there.value;
            }
            let new =
                Box::into_raw(Box::new(Of { generation, value: T::default(), _older: newest }));
            if self.newest.compare_exchange(newest, new, AcqRel, Acquire).is_err() {
                // SAFETY: made above, and nobody has seen it.
                drop(unsafe { Box::from_raw(new) });
            }
        }
    }
}

impl<T> Drop for Own<T> {
    fn drop(&mut self) {
        let newest = *self.newest.get_mut();
        // SAFETY: as in `get`.
        if unsafe { newest.as_ref() }.is_some_and(|there| there.generation == super::generation()) {
            // SAFETY: nobody else has it any more. A parent's value may have been in the middle of a change, and
            // stays where it is.
            drop(unsafe { Box::from_raw(newest) });
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Runs `check` in a forked child and says whether it held there.
    fn in_a_child(check: impl FnOnce() -> bool) -> bool {
        // SAFETY: the child ends by `_exit` and takes no lock of its parent.
        unsafe {
            match libc::fork() {
                0 => libc::_exit(if check() { 0 } else { 1 }),
                child => {
                    let mut status = -1;
                    libc::waitpid(child, &raw mut status, 0) == child && status == 0
                }
            }
        }
    }

    #[test]
    fn a_child_has_a_lock_of_its_own_while_its_parent_holds_one() {
        let own: Own<Mutex<u32>> = Own::default();
        let mut held = own.get().lock().expect("no poison");
        *held = 7;
        assert!(in_a_child(|| own.get().try_lock().is_ok_and(|number| *number == 0)));
        drop(held);
        assert_eq!(*own.get().lock().expect("no poison"), 7);
    }

    #[test]
    fn a_child_drops_nothing_of_its_parent() {
        #[derive(Default)]
        struct Shared(Mutex<Option<Arc<()>>>);
        let witness = Arc::new(());
        let own: Own<Shared> = Own::default();
        *own.get().0.lock().expect("no poison") = Some(witness.clone());
        let mut own = Some(own);
        assert!(in_a_child(|| {
            own.as_ref().map(Own::get);
            own.take();
            Arc::strong_count(&witness) == 2
        }));
        drop(own);
        assert_eq!(Arc::strong_count(&witness), 1);
    }
}
