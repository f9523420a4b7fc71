//! Real directories, real processes. T and a number name scenarios.

/// Runs the test in a process of its own: children that other tests fork would be attached to its directories too,
/// and a lock of SQLite that another thread holds at a fork is held in the child for ever.
macro_rules! apart {
    ($name:ident) => {
        if !super::apart(module_path!(), stringify!($name)) {
            return;
        }
    };
}

mod attach;
mod broken;
mod cache;
mod holdings;
mod mounts;
mod orphans;
mod places;
mod survey;

use super::{Wishes, World, hex, open_in, place, random};
use crate::{
    model::{
        entry::Entry,
        ids::{Dimension, Identity, Platform, SeriesId},
        quantity::Raw,
        time::{Hour, Timestamp},
        usage::{Closed, Kind, Series, Tags},
    },
    port::{
        counters::CountError,
        state::{Heirloom, Lead, Note, NoteKind, State},
    },
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

pub(super) const HOUR: Hour = Hour(490_900);
const REQUESTS: SeriesId = SeriesId(0);

/// A computer of its own, gone when dropped.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new() -> Folder {
        Folder::inside(Path::new("/tmp"))
    }

    fn inside(above: &Path) -> Folder {
        let name = format!("mpguard-test-{}", hex(&random().expect("randomness")));
        let path = above.join(name);
        fs::create_dir(&path).expect("a folder");
        for part in ["temporary", "memory"] {
            fs::create_dir(path.join(part)).expect("a folder");
        }
        Folder(path)
    }

    fn world(&self) -> World {
        World {
            system: self.0.join("system"),
            temporary: self.0.join("temporary"),
            shared_memory: self.0.join("memory"),
            container: false,
            ..World::look()
        }
    }

    fn state_dir(&self) -> PathBuf {
        self.0.join("state")
    }

    /// The directory of this identity below `state_dir`.
    fn of(&self, name: &str) -> PathBuf {
        let wishes = self.wishes();
        let about = super::About::new(&wishes.product_code, Some(&identity(name)), None);
        self.state_dir().join(place::name(&hex(&place::hash(&about))))
    }

    fn wishes(&self) -> Wishes {
        Wishes {
            state_dir: Some(self.state_dir()),
            product_code: "3xmpl".into(),
            dimensions: vec![Dimension::from("requests"), Dimension::from("users")],
            sandbox: None,
            seal: [7; 32],
            heirloom: None,
        }
    }

    pub(super) fn open(&self, name: &str) -> Box<dyn State> {
        open_in(&self.world(), &self.wishes(), Some(&identity(name)))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// True in the process that is to run the test; elsewhere the test has been run when this returns.
#[track_caller]
pub(crate) fn apart(module: &str, name: &str) -> bool {
    const MARK: &str = "MPGUARD_TEST_APART";
    if std::env::var_os(MARK).is_some() {
        return true;
    }
    let module = module.split_once("::").map_or(module, |(_, inside)| inside);
    let done = std::process::Command::new(std::env::current_exe().expect("this program"))
        .args([&format!("{module}::{name}"), "--exact", "--nocapture", "--test-threads=1"])
        .env(MARK, "1")
        .output()
        .expect("it starts");
    let said =
        String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.contains("1 passed"), "{said}");
    false
}

fn identity(name: &str) -> Identity {
    Identity { platform: Platform::Ecs, name: name.into(), region: "eu-west-1".into() }
}

fn at(hour: Hour) -> Timestamp {
    hour.start()
}

/// A process that leads, with one counter.
struct Product {
    // Before the state: what was borrowed is given back first.
    lead: Lead,
    state: Box<dyn State>,
}

impl Product {
    fn leads(mut state: Box<dyn State>, hour: Hour) -> Product {
        let lead = state.lead(at(hour), false);
        let lead = lead.unwrap_or_else(|| panic!("leads; notes: {:?}", state.take_notes()));
        let series = Series { dimension: Dimension::from("requests"), tags: Tags::new() };
        name(&*state, &series);
        Product { lead, state }
    }

    fn start(folder: &Folder, name: &str) -> Product {
        Product::leads(folder.open(name), HOUR)
    }

    fn count(&self, value: Raw) -> Result<(), CountError> {
        count(&*self.state, value)
    }

    fn capture(&mut self, closed: Closed) {
        let sequence = closed.sequence;
        let Closed { hour, provisional, values, .. } = closed;
        let series = Series { dimension: Dimension::from("requests"), tags: Tags::new() };
        let entries = [
            Entry::Named(vec![(REQUESTS, series)]),
            Entry::Captured { sequence, hour, provisional, values },
        ];
        self.lead.ledger.commit(&entries, at(hour.next())).expect("the disk takes it");
        entries.iter().for_each(|entry| self.lead.books.apply(entry));
        self.lead.counters.captured(sequence);
    }

    /// The hour ends.
    fn hour(&mut self) {
        let next = self.lead.counters.hour().next();
        let closed = self.lead.counters.rotate(next, false).expect("the ring has room");
        self.capture(closed);
    }

    fn capture_rest(&mut self) {
        for closed in self.lead.counters.uncaptured() {
            self.capture(closed);
        }
    }

    /// Everything that is counted: waiting, disputed, and open.
    fn found(&self) -> (Raw, Raw, Raw) {
        let books = &self.lead.books;
        let waiting = books.waiting.values().flat_map(BTreeMap::values).sum();
        let disputed = books.totals.values().map(|totals| totals.disputed).sum();
        (waiting, disputed, self.state.counting().adder.peek(REQUESTS))
    }

    fn notes(&mut self, kind: NoteKind) -> Vec<String> {
        texts(self.state.take_notes(), kind)
    }
}

fn texts(notes: Vec<Note>, kind: NoteKind) -> Vec<String> {
    notes.into_iter().filter(|note| note.kind == kind).map(|note| note.text).collect()
}

fn count(state: &dyn State, value: Raw) -> Result<(), CountError> {
    state.counting().adder.put(REQUESTS, Kind::Sum, value)
}

fn name(state: &dyn State, series: &Series) {
    let mut change = |list: &[Series]| (!list.contains(series)).then(|| series.clone());
    state.counting().series.with(&mut change).expect("the list takes it");
}

/// Runs `work` in a forked child, which ends with its answer. Tests run in threads, so the child does little.
fn fork(work: impl FnOnce() -> i32) -> libc::pid_t {
    // SAFETY: the child runs our own code and ends by `_exit`.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "a child");
    if child == 0 {
        let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or(101);
        // SAFETY: ends this process.
        unsafe { libc::_exit(answer) };
    }
    child
}

fn kill(child: libc::pid_t, signal: i32) {
    // SAFETY: a child of ours that was not waited for.
    unsafe { libc::kill(child, signal) };
}

/// Waits for a child, 20 seconds at most. Its answer, or minus its signal.
fn wait(child: libc::pid_t) -> i32 {
    let start = Instant::now();
    loop {
        let mut status = 0;
        // SAFETY: a child of ours.
        let done = unsafe { libc::waitpid(child, &raw mut status, libc::WNOHANG) };
        if done == child {
            let ended = libc::WIFEXITED(status);
            return if ended { libc::WEXITSTATUS(status) } else { -libc::WTERMSIG(status) };
        }
        if start.elapsed() > Duration::from_secs(20) {
            kill(child, libc::SIGKILL);
            panic!("child {child} does not end");
        }
        super::nap();
    }
}

/// Waits until `done`, 10 seconds at most.
#[track_caller]
fn until(mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(10), "it does not happen");
        super::nap();
    }
}
