//! A disk that can crash, as a VFS of SQLite.
//!
//! A file is what reads give (`now`), what survives a crash (`durable`), and the changes between the two. A sync
//! makes a file's changes durable; names wait for a sync of their directory, as on ext4. Every write, sync,
//! delete, truncate, rename and creation is a step with a number, and a fault can be planned for each.
#![allow(dead_code, reason = "each proof uses its own part of the disk")]

mod calls;
mod disk;

use disk::State;
use mpguard_handless::adapter::sqlite_ledger::{Files, Place};
use std::{
    hash::{Hash, Hasher},
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What goes wrong at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The power goes: this step and all later ones fail until [`Disk::crash`] rebuilds the world.
    Crash,
    /// The disk is full, from here until [`Disk::heal`].
    Full,
    /// This step fails once. After a failed sync the pending changes of that file never become durable.
    Io,
}

/// What a crash leaves of changes that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CrashKind {
    /// Nothing.
    Clean,
    /// Any sectors of them, in any order; of names, the first so many.
    Torn,
}

/// An in-memory disk. Clones are the same disk.
#[derive(Clone)]
pub(crate) struct Disk {
    state: Shared,
    vfs: Arc<Vfs>,
}

type Shared = Arc<Mutex<State>>;

/// One VFS of SQLite. SQLite finds it by walking a list, so a proof of many thousand disks must not register as
/// many: with the last clone of a disk its VFS is empty and free for the next one.
struct Vfs {
    name: String,
    state: Shared,
}

static FREE: Mutex<Vec<Vfs>> = Mutex::new(Vec::new());

impl Drop for Vfs {
    fn drop(&mut self) {
        *lock(&self.state) = State::default();
        let again = Vfs { name: std::mem::take(&mut self.name), state: Arc::clone(&self.state) };
        FREE.lock().unwrap_or_else(PoisonError::into_inner).push(again);
    }
}

impl Disk {
    /// An empty disk under a VFS name of its own.
    pub(crate) fn new() -> Disk {
        let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let vfs = free.unwrap_or_else(|| {
            let state = Shared::default();
            Vfs { name: calls::register(Arc::clone(&state)), state }
        });
        Disk { state: Arc::clone(&vfs.state), vfs: Arc::new(vfs) }
    }

    /// Another disk that holds what this one would hold if the power went now; its steps begin at 1. Nothing is
    /// changed here.
    pub(crate) fn after_power_cut(&self) -> Disk {
        let other = Disk::new();
        let state = self.lock().after_power_cut();
        *other.lock() = state;
        other
    }

    /// What to open a connection with.
    pub(crate) fn vfs_name(&self) -> &str {
        &self.vfs.name
    }

    /// What to open a ledger with.
    pub(crate) fn place(&self) -> Place {
        Place { vfs: Some(self.vfs_name().to_owned()), files: Box::new(self.clone()) }
    }

    /// Durable steps so far.
    pub(crate) fn steps(&self) -> u64 {
        self.lock().steps
    }

    /// Lets step number `step`, counted from 1, go wrong.
    pub(crate) fn plan(&self, step: u64, fault: Fault) {
        self.lock().plan.insert(step, fault);
    }

    /// True when a sync of the file that has this name now has failed: nobody knows what the disk holds of it.
    pub(crate) fn is_poisoned(&self, name: &str) -> bool {
        let state = self.lock();
        let file = state.names.get(name).and_then(|number| state.files.get(number));
        file.is_some_and(|file| file.poisoned)
    }

    /// True after a crash, until the world is rebuilt.
    pub(crate) fn is_dead(&self) -> bool {
        self.lock().alive().is_err()
    }

    /// Feeds `hash` with every file that has a name. Of a journal only its size: SQLite puts a random number in it.
    pub(crate) fn fingerprint(&self, hash: &mut impl Hasher) {
        let state = self.lock();
        for (name, number) in &state.names {
            let bytes = state.files.get(number).map_or(&[][..], |file| &file.now);
            (name, bytes.len()).hash(hash);
            if !name.ends_with("-journal") {
                bytes.hash(hash);
            }
        }
    }

    /// Planned faults that have happened.
    pub(crate) fn faults(&self) -> u64 {
        self.lock().faults
    }

    /// Ends a full disk and forgets planned faults.
    pub(crate) fn heal(&self) {
        let mut state = self.lock();
        state.full = false;
        state.plan.clear();
    }

    /// Syncs report success and do nothing from here on: a disk that lies.
    pub(crate) fn lie(&self) {
        self.lock().lies = true;
    }

    /// Ends a full disk; faults that are still planned stay.
    pub(crate) fn make_room(&self) {
        self.lock().full = false;
    }

    /// The world after a power failure. Close what is open before: it belongs to the old world.
    pub(crate) fn crash(&self, kind: CrashKind, seed: u64) {
        self.lock().crash(kind, seed);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock(state: &Shared) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Files for Disk {
    fn size(&self, path: &Path) -> io::Result<Option<u64>> {
        let state = self.lock();
        state.alive()?;
        let number = state.names.get(text(path));
        Ok(number.and_then(|number| state.files.get(number)).map(|file| file.now.len() as u64))
    }

    fn copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.alive()?;
        let source = state.names.get(text(from)).and_then(|number| state.files.get(number));
        let bytes = source.ok_or(io::ErrorKind::NotFound)?.now.clone();
        let number = state.create(text(to))?;
        state.truncate(number, 0)?;
        state.write(number, 0, &bytes)?;
        Ok(state.sync(number)?)
    }

    fn mark(&self, path: &Path) -> io::Result<()> {
        self.lock().create(text(path)).map(drop).map_err(io::Error::from)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock();
        let number = *state.names.get(text(path)).ok_or(io::ErrorKind::NotFound)?;
        Ok(state.sync(number)?)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Ok(self.lock().rename(text(from), text(to))?)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.alive()?;
        if state.names.contains_key(text(path)) { Ok(state.remove(text(path))?) } else { Ok(()) }
    }

    fn sync_names(&self, _: &Path) -> io::Result<()> {
        Ok(self.lock().sync_names()?)
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}
