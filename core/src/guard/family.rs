//! One guard over forks: each process has its own threads, made at its first call that needs them.
//!
//! A forked child has its parent's memory and none of its threads, and a lock in that memory may be held for
//! ever. So a child never touches what its parent runs on: it reads what is readable without a lock, leaves
//! the rest where it is, undropped, and starts threads of its own. Meters need none of that: they count
//! through the shared mapping.

use crate::{
    adapter::{self, fork},
    config::Settings,
    error::Result,
    model::license::License,
    port::listener::Listener,
    shell::{self, running::Running},
};
use once_cell::sync::OnceCell;
use std::{
    mem::ManuallyDrop,
    ptr,
    sync::{
        Arc,
        atomic::{AtomicPtr, Ordering},
    },
};

/// A guard and what its forked children made of it.
pub(crate) struct Family {
    settings: Settings,
    listener: Option<Arc<dyn Listener>>,
    /// Generation of processes that `first` belongs to.
    generation: u64,
    first: ManuallyDrop<Running>,
    /// A list that only grows, newest first: a child sees those of its ancestors, whose numbers are not its own.
    heirs: AtomicPtr<Heir>,
}

struct Heir {
    generation: u64,
    running: OnceCell<Running>,
    next: *mut Heir,
}

// SAFETY: `next` is written before the heir is published and never changes; the rest is `Sync` by itself.
unsafe impl Send for Family {}
// SAFETY: as above.
unsafe impl Sync for Family {}

impl Family {
    pub(crate) fn start(settings: Settings, listener: Option<Arc<dyn Listener>>) -> Result<Family> {
        // No fork in the middle of this: the child would inherit half of it.
        let _busy = fork::gate::busy();
        let running = shell::start(&settings, listener.clone(), adapter::plug, None)?;
        Ok(Family {
            settings,
            listener,
            generation: fork::generation(),
            first: ManuallyDrop::new(running),
            heirs: AtomicPtr::new(ptr::null_mut()),
        })
    }

    /// What runs in this process; a forked child starts its own.
    ///
    /// # Errors
    /// `Thread`, `Storage`: the child could not start.
    pub(crate) fn running(&self) -> Result<&Running> {
        let generation = fork::generation();
        if generation == self.generation {
            return Ok(&self.first);
        }
        let heir = self.heir(generation);
        heir.running.get_or_try_init(|| {
            let _busy = fork::gate::busy();
            // A guard that was shut down before the fork stays so.
            self.ancestor().still_up("use the guard in a forked process")?;
            let inheritance = self.ancestor().inheritance();
            shell::start(&self.settings, self.listener.clone(), adapter::plug, Some(inheritance))
        })
    }

    /// What runs in this process, when something does already.
    pub(crate) fn present(&self) -> Option<&Running> {
        let generation = fork::generation();
        if generation == self.generation {
            return Some(&self.first);
        }
        self.find(generation)?.running.get()
    }

    /// The license; what the parent knew when this process cannot start threads.
    pub(crate) fn license(&self) -> Arc<License> {
        match self.running() {
            Ok(running) => running.shared.license(),
            Err(_) => self.ancestor().shared.license(),
        }
    }

    /// Number of the process that runs this, for what belongs to one process.
    pub(crate) fn generation() -> u64 {
        fork::generation()
    }

    /// The nearest ancestor that ran: what it knew at the fork is in our memory.
    fn ancestor(&self) -> &Running {
        let own = fork::generation();
        let mut heir = self.heirs.load(Ordering::Acquire);
        // SAFETY: heirs are made by `heir` and freed by nobody while the family lives.
        while let Some(there) = unsafe { heir.as_ref() } {
            if there.generation != own
                && let Some(running) = there.running.get()
            {
                return running;
            }
            heir = there.next;
        }
        &self.first
    }

    fn find(&self, generation: u64) -> Option<&Heir> {
        let mut heir = self.heirs.load(Ordering::Acquire);
        // SAFETY: as in `ancestor`.
        while let Some(there) = unsafe { heir.as_ref() } {
            if there.generation == generation {
                return Some(there);
            }
            heir = there.next;
        }
        None
    }

    fn heir(&self, generation: u64) -> &Heir {
        loop {
            if let Some(heir) = self.find(generation) {
                return heir;
            }
            let next = self.heirs.load(Ordering::Acquire);
            let new = Box::into_raw(Box::new(Heir { generation, running: OnceCell::new(), next }));
            if self.heirs.compare_exchange(next, new, Ordering::AcqRel, Ordering::Acquire).is_err()
            {
                // SAFETY: nobody has seen it.
                drop(unsafe { Box::from_raw(new) });
            }
        }
    }
}

impl Drop for Family {
    /// Ends what this process runs. What an ancestor ran on is left as it is: its locks may be held for ever.
    fn drop(&mut self) {
        let generation = fork::generation();
        if generation == self.generation {
            // SAFETY: dropped here only, and nobody holds the family any more.
            unsafe { ManuallyDrop::drop(&mut self.first) };
        }
        let mut heir = *self.heirs.get_mut();
        // SAFETY: each heir is in the list once; those of other processes are left undropped.
        while let Some(there) = unsafe { heir.as_ref() } {
            let next = there.next;
            if there.generation == generation {
                // SAFETY: as above.
                drop(unsafe { Box::from_raw(heir) });
            }
            heir = next;
        }
    }
}

impl std::fmt::Debug for Family {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Family").field("started", &self.present().is_some()).finish_non_exhaustive()
    }
}
