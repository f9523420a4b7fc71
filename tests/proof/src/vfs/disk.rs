//! What the disk holds, and what it would hold after a crash.

use super::{CrashKind, Fault};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

const SECTOR: usize = 512;

#[derive(Default)]
pub(super) struct State {
    pub(super) names: BTreeMap<String, u64>,
    pub(super) files: BTreeMap<u64, File>,
    pub(super) steps: u64,
    pub(super) faults: u64,
    pub(super) plan: BTreeMap<u64, Fault>,
    pub(super) full: bool,
    pub(super) lies: bool,
    durable_names: BTreeMap<String, u64>,
    pending_names: Vec<NameChange>,
    next: u64,
    dead: bool,
    draws: u64,
}

#[derive(Default)]
pub(super) struct File {
    pub(super) now: Vec<u8>,
    /// A sync of it has failed.
    pub(super) poisoned: bool,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
}

#[derive(Clone)]
enum NameChange {
    Link(String, u64),
    Rename(String, String),
    Remove(String),
}

/// Why a step was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Dead,
    Io,
    Full,
}

impl From<Refused> for io::Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full => io::Error::from(io::ErrorKind::StorageFull),
            Refused::Dead | Refused::Io => io::Error::other("the disk failed"),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Grows,
    Other,
}

impl State {
    pub(super) fn alive(&self) -> Result<(), Refused> {
        if self.dead { Err(Refused::Dead) } else { Ok(()) }
    }

    fn step(&mut self, kind: Kind) -> Result<(), Refused> {
        self.alive()?;
        self.steps += 1;
        let fault = self.plan.get(&self.steps).copied();
        self.faults += u64::from(fault.is_some());
        match fault {
            Some(Fault::Crash) => {
                self.dead = true;
                return Err(Refused::Dead);
            }
            Some(Fault::Io) => return Err(Refused::Io),
            Some(Fault::Full) => self.full = true,
            None => {}
        }
        if self.full && kind == Kind::Grows { Err(Refused::Full) } else { Ok(()) }
    }

    /// The file of that name, made where there is none.
    pub(super) fn create(&mut self, name: &str) -> Result<u64, Refused> {
        if let Some(number) = self.names.get(name) {
            return Ok(*number);
        }
        self.step(Kind::Grows)?;
        let number = self.anonymous();
        self.rename_later(NameChange::Link(name.to_owned(), number));
        Ok(number)
    }

    /// A file without a name, for SQLite's scratch.
    pub(super) fn anonymous(&mut self) -> u64 {
        self.next += 1;
        self.files.insert(self.next, File::default());
        self.next
    }

    pub(super) fn write(&mut self, number: u64, at: usize, bytes: &[u8]) -> Result<(), Refused> {
        self.step(Kind::Grows)?;
        self.change(number, Change::Write { at, bytes: bytes.to_vec() });
        Ok(())
    }

    pub(super) fn truncate(&mut self, number: u64, size: usize) -> Result<(), Refused> {
        self.step(Kind::Other)?;
        self.change(number, Change::Truncate(size));
        Ok(())
    }

    fn change(&mut self, number: u64, change: Change) {
        if let Some(file) = self.files.get_mut(&number) {
            apply(&mut file.now, &change);
            file.pending.push(change);
        }
    }

    pub(super) fn sync(&mut self, number: u64) -> Result<(), Refused> {
        let done = self.step(Kind::Other);
        let lies = self.lies;
        let Some(file) = self.files.get_mut(&number) else { return done };
        match done {
            Ok(()) if lies => {}
            Ok(()) => {
                for change in file.pending.drain(..) {
                    apply(&mut file.durable, &change);
                }
            }
            // The kernel reports a lost page once and takes it for clean from then on.
            Err(Refused::Io) => {
                file.pending.clear();
                file.poisoned = true;
            }
            Err(_) => {}
        }
        done
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> Result<(), Refused> {
        self.step(Kind::Other)?;
        self.rename_later(NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    pub(super) fn remove(&mut self, name: &str) -> Result<(), Refused> {
        self.step(Kind::Other)?;
        self.rename_later(NameChange::Remove(name.to_owned()));
        Ok(())
    }

    fn rename_later(&mut self, change: NameChange) {
        apply_name(&mut self.names, &change);
        self.pending_names.push(change);
    }

    pub(super) fn sync_names(&mut self) -> Result<(), Refused> {
        self.step(Kind::Other)?;
        if !self.lies {
            for change in self.pending_names.drain(..) {
                apply_name(&mut self.durable_names, &change);
            }
        }
        Ok(())
    }

    /// The same bytes in every run, so that a seed repeats a run.
    pub(super) fn draw(&mut self) -> u64 {
        self.draws += 1;
        mix(self.draws)
    }

    /// What would be there after a crash that keeps nothing else.
    pub(super) fn after_power_cut(&self) -> State {
        let names = self.durable_names.clone();
        let left = |number: &u64| {
            let durable = self.files.get(number).map(|file| file.durable.clone());
            let durable = durable.unwrap_or_default();
            (*number, File { now: durable.clone(), durable, ..File::default() })
        };
        State {
            files: names.values().map(left).collect(),
            durable_names: names.clone(),
            names,
            next: self.next,
            ..State::default()
        }
    }

    pub(super) fn crash(&mut self, kind: CrashKind, seed: u64) {
        let mut draws = seed;
        let mut draw = || {
            draws = draws.wrapping_add(1);
            mix(draws)
        };
        let names = std::mem::take(&mut self.pending_names);
        let kept = match kind {
            CrashKind::Clean => 0,
            CrashKind::Torn => (draw() % (names.len() as u64 + 1)) as usize,
        };
        for change in names.iter().take(kept) {
            apply_name(&mut self.durable_names, change);
        }
        self.names = self.durable_names.clone();
        for file in self.files.values_mut() {
            for change in std::mem::take(&mut file.pending) {
                if kind == CrashKind::Torn {
                    tear(&mut file.durable, change, &mut draw);
                }
            }
            file.now = file.durable.clone();
        }
        let named: BTreeSet<u64> = self.names.values().copied().collect();
        self.files.retain(|number, _| named.contains(number));
        self.dead = false;
        self.full = false;
        self.plan.clear();
    }
}

/// Applies a random part of one change.
fn tear(bytes: &mut Vec<u8>, change: Change, draw: &mut impl FnMut() -> u64) {
    let Change::Write { at, bytes: new } = change else {
        if draw().is_multiple_of(2) {
            apply(bytes, &change);
        }
        return;
    };
    let (mut from, end) = (at, at + new.len());
    while from < end {
        let to = ((from / SECTOR + 1) * SECTOR).min(end);
        if draw().is_multiple_of(2) {
            let part = new[from - at..to - at].to_vec();
            apply(bytes, &Change::Write { at: from, bytes: part });
        }
        from = to;
    }
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write { at, bytes: new } => {
            let end = at + new.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[*at..end].copy_from_slice(new);
        }
        Change::Truncate(size) => bytes.resize(*size, 0),
    }
}

fn apply_name(names: &mut BTreeMap<String, u64>, change: &NameChange) {
    match change {
        NameChange::Link(name, number) => drop(names.insert(name.clone(), *number)),
        NameChange::Remove(name) => drop(names.remove(name)),
        NameChange::Rename(from, to) => {
            if let Some(number) = names.remove(from) {
                names.insert(to.clone(), number);
            }
        }
    }
}

/// SplitMix64.
fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
