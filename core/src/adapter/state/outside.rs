//! A state directory whose files somebody has changed: see `crate::outside`.
//!
//! An input is a list of changes to the files of a directory that a product has left. A change is a byte for the file, one
//! for what is done, three for the place, one for a length, and so many bytes. Whatever was done, a start leads, its
//! accounts balance, a second start finds the same, and counting goes on. Where the changed files hold no counts, all are
//! found; a contract is the one that was kept, or none.

use super::{Wishes, World, hex, open_in, place, random, whole};
use crate::{
    adapter::sqlite_ledger::read,
    model::{
        entry::{Entry, Fate},
        holdings::{Given, Holdings, KeptLease, KeptUnits},
        ids::{Dimension, Identity, Platform, RecordId, SeriesId},
        license::{Contract, Entitlement, Remembered},
        quantity::{Raw, Units},
        time::{Hour, Timestamp},
        usage::{Closed, Kind, Lot, Lots, Record, Series, Tags},
    },
    port::{
        counters::CountError,
        state::{Lead, NoteKind, State},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::LazyLock,
};

/// Files that a change can name. What a product has not left is made by a change.
const FILES: [&str; 12] = [
    "ledger.db",
    "usage.seg",
    "series",
    "license.json",
    "holdings-0.json",
    "about.json",
    "ledger.db-journal",
    "holdings-1.json",
    "ledger.db-broken",
    "license.json.new",
    "use.lock",
    "leader.lock",
];
/// Those of them that hold counts, or say which do.
const COUNTS: [&str; 4] = ["ledger.db", "usage.seg", "ledger.db-journal", "ledger.db-broken"];
/// More than this and a start is slow, which is no finding.
const BYTES_MAX: usize = 2 << 20;

const HOUR: Hour = Hour(490_900);
const REQUESTS: SeriesId = SeriesId(0);

pub(crate) fn check(bytes: &[u8]) {
    let folder = Folder::new();
    let dir = folder.of();
    let mut files = LEFT.clone();
    let changed = change(&mut files, bytes);
    lay(&dir, &files);

    let outside = seen_from_outside(&dir);
    let Some(mut product) = Product::start(&folder) else {
        assert!(is_beyond_sums(&files), "does not lead after a change of {changed:?}");
        return;
    };
    let first = product.found();
    if changed.iter().all(|name| !COUNTS.contains(name)) {
        let Found { waiting, disputed, delivered, pending, open } = first;
        let all = waiting + disputed + delivered + pending + open;
        assert_eq!(all, u128::from(COUNTED), "{first:?} after a change of {changed:?}");
    }
    if changed.is_empty() {
        assert_eq!(outside, Vec::<String>::new(), "findings in whole files");
        assert_eq!(product.notes(), Vec::<String>::new(), "notes about whole files");
        assert_eq!(first.open, u128::from(OPEN), "the running hour");
    }
    if let Some(remembered) = product.state.remembered() {
        assert_eq!(remembered, contract(), "a contract that nobody has kept");
    }
    let held = product.state.holdings();
    let sound = held == holdings() || held == Holdings::default();
    assert!(sound || changed.contains(RESEALED), "holdings that nobody had: {held:?}");
    let kept = product.state.keep(&held);
    let _ = (product.state.abandoned(), product.state.orphans(), product.state.held_by_others());
    product.count();
    let first = product.found();
    drop(product);

    let mut product = Product::start(&folder).expect("it has led before");
    assert_eq!(product.found(), first, "a second start finds another account");
    if kept.is_ok() {
        assert_eq!(product.state.holdings(), held, "a second start finds other holdings");
    }
    product.count();
    drop(product);
    let _ = seen_from_outside(&dir);
}

/// What `mpguard ledger` shows of it.
fn seen_from_outside(dir: &Path) -> Vec<String> {
    let _ = (read::report(dir), read::holdings(dir), read::directories(dir));
    let _ = read::records_csv(dir, true, &mut std::io::sink());
    let _ = read::export(dir, &mut std::io::sink());
    read::findings(dir).iter().map(ToString::to_string).collect()
}

/// True where counters hold numbers whose sum the ledger cannot hold: a damaged word, or a host that has added 2^63.
fn is_beyond_sums(files: &Files) -> bool {
    let open = 1 << 63;
    let counters = files.get("usage.seg").map_or(&[][..], |it| it.as_slice());
    let mut words = counters.chunks_exact(8).skip(512);
    words.any(|word| {
        let word = word.try_into().map_or(0, u64::from_ne_bytes);
        word & !open > 1 << 53
    })
}

type Files = BTreeMap<&'static str, Vec<u8>>;

/// Stands in the list of changed files when a body was given the checksum that fits it.
const RESEALED: &str = "a checksum that fits";

/// Does what the bytes say. Names what is not as it was.
fn change(files: &mut Files, mut bytes: &[u8]) -> BTreeSet<&'static str> {
    let before = files.clone();
    let mut changed = BTreeSet::new();
    while let [file, what, a, b, c, length, rest @ ..] = bytes {
        let (new, rest) = rest.split_at(rest.len().min(usize::from(*length)));
        bytes = rest;
        let name = FILES[usize::from(*file) % FILES.len()];
        let at = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        if what % 7 == 3 {
            files.remove(name);
            continue;
        }
        let content = files.entry(name).or_default();
        // A place from the end on has the top bit.
        let at = match at.checked_sub(1 << 23) {
            Some(back) => content.len().saturating_sub(back),
            None => at % (content.len() + 1),
        };
        match what % 7 {
            0 => content.iter_mut().skip(at).zip(new).for_each(|(old, new)| *old = *new),
            1 => content.truncate(at),
            2 => content.extend_from_slice(new),
            4 => *content = new.to_vec(),
            // A block of the file stands in the place of another one, as after a write that went astray.
            5 => {
                let from = at / 512 * 512;
                let to = usize::from(*length) * 512 % (content.len() + 1);
                let block: Vec<u8> = content.iter().skip(from).take(512).copied().collect();
                content.iter_mut().skip(to).zip(block).for_each(|(old, new)| *old = new);
            }
            _ => {
                content.splice(at..at, new.iter().copied());
                if whole::outside::reseal(content) {
                    changed.insert(RESEALED);
                }
            }
        }
        content.truncate(BYTES_MAX);
    }
    changed.extend(FILES.iter().filter(|name| files.get(*name) != before.get(*name)));
    changed
}

fn lay(dir: &Path, files: &Files) {
    fs::DirBuilder::new().mode(0o700).recursive(true).create(dir).expect("a directory");
    for (name, content) in files {
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create(true).mode(0o600).open(dir.join(name));
        std::io::Write::write_all(&mut file.expect("a file"), content).expect("written");
    }
}

/// Raw counts in [`LEFT`], and those of the running hour among them.
const COUNTED: Raw = 10 + 20 + 5 + 3 + OPEN;
const OPEN: Raw = 4;

/// What a product leaves that was killed: a record that AWS has, one on its way, an hour that waits, a closed slab that
/// nobody has captured, a running hour, a seat and prepaid units, and the contract.
static LEFT: LazyLock<Files> = LazyLock::new(|| {
    let folder = Folder::new();
    let mut product = Product::start(&folder).expect("leads");
    for (value, id) in [(10, 1), (20, 2)] {
        product.add(value).expect("counted");
        let hour = product.hour();
        let mut entries = vec![Entry::Frozen(record(id, hour, value)), Entry::Begun(RecordId(id))];
        if id == 1 {
            let fate = Fate::Recorded { record_id: "m-1".into(), request_id: None };
            entries.push(Entry::Settled { record: RecordId(1), fate });
        }
        product.commit(&entries);
    }
    product.add(5).expect("counted");
    product.hour();
    product.add(3).expect("counted");
    let next = product.lead.counters.hour().next();
    product.lead.counters.rotate(next, false).expect("the ring has room");
    product.add(OPEN).expect("counted");
    product.state.keep(&holdings()).expect("kept");
    product.state.remember(&contract()).expect("kept");
    drop(product);
    let read = |name: &&'static str| Some((*name, fs::read(folder.of().join(name)).ok()?));
    FILES.iter().filter_map(read).collect()
});

fn record(id: u64, hour: Hour, raw: Raw) -> Record {
    Record {
        id: RecordId(id),
        dimension: "requests".into(),
        hour,
        timestamp: hour.start(),
        units: Units { scaled: raw, digits: 0 },
        allocations: Vec::new(),
        client_token: format!("token-{id}").as_str().into(),
        parts: Lots::from([(Lot { hour, series: REQUESTS }, raw)]),
    }
}

fn holdings() -> Holdings {
    let given = Given {
        token: "consumption-token".into(),
        expires: Timestamp(9),
        extended: None,
        returning: false,
    };
    let lease = KeptLease {
        entitlement: "Users".to_owned(),
        unit: "Count".to_owned(),
        count: 3,
        asking: None,
        given: Some(given),
    };
    let units = KeptUnits { drawn: 10, booked: 7, ..KeptUnits::default() };
    Holdings {
        leases: vec![lease],
        units: BTreeMap::from([("Tokens".into(), units)]),
        ..Holdings::default()
    }
}

fn contract() -> Remembered {
    let premium =
        Entitlement { name: "premium".into(), unit: "None".into(), ..Entitlement::default() };
    let contract = Contract { entitlements: vec![premium], ..Contract::default() };
    Remembered { contract, confirmed: Timestamp(5), seen: Timestamp(6), spent_ms: 7 }
}

/// A process that leads, with one counter.
struct Product {
    // Before the state: what was borrowed is given back first.
    lead: Lead,
    state: Box<dyn State>,
}

/// Where counts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found {
    waiting: u128,
    disputed: u128,
    delivered: u128,
    pending: u128,
    open: u128,
}

impl Product {
    /// `None` when it cannot lead; counting goes on all the same.
    fn start(folder: &Folder) -> Option<Product> {
        let mut state = open_in(&folder.world(), &folder.wishes(), Some(&identity()));
        let lead = state.lead(HOUR.start(), false)?;
        let series = Series { dimension: Dimension::from("requests"), tags: Tags::new() };
        let mut add = |list: &[Series]| (!list.contains(&series)).then(|| series.clone());
        // A list that was changed may be full.
        let _ = state.counting().series.with(&mut add);
        let mut product = Product { lead, state };
        for closed in product.lead.counters.uncaptured() {
            product.capture(closed);
        }
        assert_eq!(product.lead.books.fault(), None, "the books do not balance");
        Some(product)
    }

    fn add(&self, value: Raw) -> Result<(), CountError> {
        self.state.counting().adder.put(REQUESTS, Kind::Sum, value)
    }

    /// A counter that was set to its largest takes no more; every other one does.
    fn count(&self) {
        let before = self.state.counting().adder.peek(REQUESTS);
        match self.add(1) {
            Ok(()) => assert_eq!(self.state.counting().adder.peek(REQUESTS), before + 1),
            Err(error) => {
                assert_eq!(error, CountError::Overflow, "counting has ended");
                assert!(before > Raw::MAX / 4, "{before} is full");
            }
        }
    }

    fn hour(&mut self) -> Hour {
        let next = self.lead.counters.hour().next();
        let closed = self.lead.counters.rotate(next, false).expect("the ring has room");
        let hour = closed.hour;
        self.capture(closed);
        hour
    }

    fn capture(&mut self, closed: Closed) {
        let sequence = closed.sequence;
        let Closed { hour, provisional, values, .. } = closed;
        let named = values.keys().filter(|id| !self.lead.books.series.contains_key(id));
        let series = Series { dimension: Dimension::from("requests"), tags: Tags::new() };
        let named: Vec<_> = named.map(|id| (*id, series.clone())).collect();
        let captured = Entry::Captured { sequence, hour, provisional, values };
        if self.commit(&[Entry::Named(named), captured]) {
            self.lead.counters.captured(sequence);
        }
    }

    fn commit(&mut self, entries: &[Entry]) -> bool {
        let written = self.lead.ledger.commit(entries, HOUR.start()).is_ok();
        if written {
            entries.iter().for_each(|entry| self.lead.books.apply(entry));
        }
        written
    }

    fn found(&self) -> Found {
        let books = &self.lead.books;
        let sum = |raws: &mut dyn Iterator<Item = Raw>| raws.map(u128::from).sum();
        let frozen = books.records.values().flat_map(|kept| kept.record.parts.values());
        Found {
            waiting: sum(&mut books.waiting.values().flat_map(BTreeMap::values).copied()),
            disputed: sum(&mut books.totals.values().map(|totals| totals.disputed)),
            delivered: sum(&mut books.totals.values().map(|totals| totals.delivered)),
            pending: sum(&mut frozen.copied()),
            open: u128::from(self.state.counting().adder.peek(REQUESTS)),
        }
    }

    fn notes(&mut self) -> Vec<String> {
        let notes = self.state.take_notes().into_iter();
        notes.filter(|note| note.kind != NoteKind::Weak).map(|note| note.text).collect()
    }
}

/// Nobody else's: two directories of one identity are announced.
fn identity() -> Identity {
    let name = format!("outside-{:010}", std::process::id());
    Identity { platform: Platform::Ecs, name, region: "eu-west-1".into() }
}

/// A computer of its own, in memory where there is some; gone when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let memory = Path::new("/dev/shm");
        let above = if memory.is_dir() { memory } else { Path::new("/tmp") };
        let path = above.join(format!("mpguard-test-{}", hex(&random().expect("randomness"))));
        for part in ["temporary", "memory"] {
            fs::create_dir_all(path.join(part)).expect("a folder");
        }
        Folder(path)
    }

    fn world(&self) -> World {
        World {
            system: self.0.join("system"),
            temporary: self.0.join("temporary"),
            shared_memory: self.0.join("memory"),
            container: false,
            mounts: MOUNTS.mounts.clone(),
        }
    }

    fn of(&self) -> PathBuf {
        let about = super::About::new("3xmpl", Some(&identity()), None);
        self.0.join("state").join(place::name(&hex(&place::hash(&about))))
    }

    fn wishes(&self) -> Wishes {
        Wishes {
            state_dir: Some(self.0.join("state")),
            product_code: "3xmpl".into(),
            dimensions: vec![Dimension::from("requests"), Dimension::from("users")],
            sandbox: None,
            seal: [7; 32],
            heirloom: None,
        }
    }
}

static MOUNTS: LazyLock<World> = LazyLock::new(World::look);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
