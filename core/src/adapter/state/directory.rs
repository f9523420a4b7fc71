//! One process's share in a state directory.

use super::{
    about::About,
    attach::{self, Lock, STALLED_MS},
    cache::Cache,
    fork,
    holdings::Shelf,
    inherited,
    lock::{Attached, Door, Led, LockFile},
    orphan,
    place::World,
    prepare::{self, Prepared, Site, Trouble},
    segment::Segment,
    series_file::SeriesFile,
    split::Flag,
    sqlite_ledger::SqliteLedger,
    weak,
};
use crate::{
    model::{
        entry::Entry,
        holdings::Holdings,
        license::Remembered,
        storage::{Mode, Storage},
        time::{Anchor, Timestamp},
    },
    port::{
        counters::{Add, Counting},
        ledger::{Ledger, LedgerError},
        state::{Abandoned, Board, Heirloom, Lead, Note, NoteKind, Orphan, State},
    },
};
use std::{
    cell::RefCell,
    collections::BTreeSet,
    mem::ManuallyDrop,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

/// After a try to lead that the disk refused.
const PAUSE: Duration = Duration::from_secs(5);
/// Between two looks for a second ledger of the task.
const LOOK: Duration = Duration::from_secs(60);
/// A leader is called stalled when it was seen so twice with this between: a computer that slept wakes up with old
/// beats, and they are young again at once.
const TWICE: Duration = Duration::from_secs(1);

/// See the module.
pub(super) struct Directory {
    // First: it goes before the mark does.
    lock: Option<Lock>,
    mark: ManuallyDrop<Attached>,
    site: Site,
    storage: Storage,
    segment: Arc<Segment>,
    list: Arc<SeriesFile>,
    adder: Arc<dyn Add>,
    leading: Option<Leading>,
    shelf: Shelf,
    seal: [u8; 32],
    notes: Vec<Note>,
    /// Texts of notes that were given once and are not repeated.
    told: BTreeSet<String>,
    stalled: Stalled,
    retry_at: Option<Instant>,
    generation: u64,
}

/// What this process has while it leads.
struct Leading {
    led: Arc<Led>,
    ledger_id: String,
    /// Ledgers that ours has taken over: an orphan adds its own.
    taken_over: Rc<RefCell<BTreeSet<String>>>,
    flag: Option<Flag>,
    looked: Instant,
    now: Timestamp,
}

#[derive(Default)]
struct Stalled {
    since: Option<Instant>,
    told: bool,
}

impl Directory {
    /// Attaches to the directory of `site`, which is made when it is not there.
    ///
    /// # Errors
    /// It does not do, with the reason.
    pub(super) fn attach(
        site: Site,
        seal: [u8; 32],
        world: &World,
        notes: &mut Vec<Note>,
    ) -> Result<Directory, String> {
        let place = attach::attach(&site, notes)?;
        let finding = world.judge(&site.dir);
        let storage = Storage {
            mode: finding.mode,
            path: site.dir.display().to_string(),
            why: finding.why,
            outlives_task: finding.outlives_task,
        };
        let mut notes = Vec::new();
        if storage.mode != Mode::Durable && !site.private {
            notes.push(weak(format!(
                "usage is kept where it does not live long: {}; give the container a volume and name it in `state_dir`",
                storage.why
            )));
        }
        Ok(Directory {
            lock: Some(place.lock),
            mark: ManuallyDrop::new(place.mark),
            shelf: Shelf::new(&site.dir),
            seal,
            site,
            storage,
            adder: Segment::adder(&place.segment),
            segment: place.segment,
            list: place.list,
            leading: None,
            notes,
            told: BTreeSet::new(),
            stalled: Stalled::default(),
            retry_at: None,
            generation: fork::generation(),
        })
    }

    /// Notes from before there was this state come first.
    pub(super) fn add_notes(&mut self, mut earlier: Vec<Note>) {
        earlier.append(&mut self.notes);
        self.notes = earlier;
    }

    fn is_ours(&self) -> bool {
        self.generation == fork::generation()
    }

    fn tell_once(&mut self, note: Note) {
        if self.told.insert(note.text.clone()) {
            self.notes.push(note);
        }
    }

    /// The lock of the leader with all that is needed to lead, if it is free.
    fn win(&mut self) -> Option<(Arc<Led>, Prepared)> {
        let file = match self.lock.take() {
            Some(Lock::Won(led, prepared)) if led.holds() => return Some((led, *prepared)),
            Some(Lock::Lost(file)) if file.is_current() => Some(file),
            // Closed by the host, or the file was replaced. What was prepared goes with it.
            _ => None,
        };
        let path = self.site.leader_lock();
        let opened = file.map_or_else(|| LockFile::open(&path, inherited::Kind::Alone), Ok);
        match opened.and_then(Led::try_new) {
            Ok(Ok(led)) => {
                let led = Arc::new(led);
                let prepared = self.prepare(&led)?;
                Some((led, prepared))
            }
            Ok(Err(file)) => {
                self.lock = Some(Lock::Lost(file));
                self.watch_leader();
                None
            }
            Err(error) => {
                self.postpone(Trouble::Place(format!("cannot lock `{}`: {error}", path.display())));
                None
            }
        }
    }

    fn prepare(&mut self, led: &Arc<Led>) -> Option<Prepared> {
        let (site, list) = (&self.site, self.list.clone());
        let notes = &mut self.notes;
        match prepare::prepare(site, led, false, Some(&self.segment), list, notes) {
            Ok(prepared) => Some(prepared),
            Err(trouble) => {
                self.postpone(trouble);
                None
            }
        }
    }

    /// Cannot lead now; says so once, and tries again after a while.
    fn postpone(&mut self, trouble: Trouble) {
        self.retry_at = Some(Instant::now() + PAUSE);
        self.tell_once(weak(format!(
            "cannot lead in `{}`, so nothing is sent now: {}; counting goes on",
            self.site.dir.display(),
            trouble.text()
        )));
    }

    fn watch_leader(&mut self) {
        let age = self.segment.beat_age(super::boot_ms());
        let Some(age) = age.filter(|age| *age > STALLED_MS) else {
            self.stalled = Stalled::default();
            return;
        };
        let since = *self.stalled.since.get_or_insert_with(Instant::now);
        if !self.stalled.told && since.elapsed() >= TWICE {
            self.stalled.told = true;
            self.notes.push(Note {
                kind: NoteKind::Stalled,
                text: format!(
                    "the process that leads in `{}` has not moved for {} s: usage is counted and not sent; see whether it \
                     is stopped, and end it if it stays so",
                    self.site.dir.display(),
                    age / 1000
                ),
            });
        }
    }

    /// A host that closed all descriptors took our mark with it.
    fn renew_mark(&mut self) {
        if self.mark.is_current() {
            return;
        }
        match attach::mark(&self.site) {
            Ok(mark) => *self.mark = mark,
            Err(why) => self.tell_once(weak(why)),
        }
    }

    fn look_for_others(&mut self) {
        let Some(leading) = &mut self.leading else { return };
        leading.looked = Instant::now();
        let others = leading.flag.as_ref().map(Flag::others).unwrap_or_default();
        if !others.is_empty() {
            self.tell_once(Note {
                kind: NoteKind::Split,
                text: format!(
                    "two containers of one task meter `{}` into two directories, one of them `{}`: AWS takes one record a \
                     dimension, hour and task, so equal quantities would be billed once; give them one shared volume and \
                     name it in `state_dir`",
                    self.site.about.product_code,
                    self.site.dir.display()
                ),
            });
        }
    }
}

impl State for Directory {
    fn storage(&self) -> &Storage {
        &self.storage
    }

    fn counting(&self) -> Counting {
        Counting { adder: self.adder.clone(), series: self.list.clone() }
    }

    fn lead(&mut self, now: Timestamp, provisional: bool) -> Option<Lead> {
        if self.leading.is_some() || !self.is_ours() {
            return None;
        }
        if self.retry_at.is_some_and(|at| Instant::now() < at) {
            return None;
        }
        self.retry_at = None;
        let _busy = fork::gate::busy(); // see `Gated`
        self.renew_mark();
        self.shelf.renew();
        let (led, prepared) = self.win()?;
        let (site, when) = (&self.site, (now, provisional));
        let ready = match prepared.lead(site, &led, false, when, &mut self.notes) {
            Ok(ready) => ready,
            Err(trouble) => {
                self.postpone(trouble);
                return None;
            }
        };
        self.stalled = Stalled::default();
        if !Arc::ptr_eq(&ready.segment, &self.segment) {
            self.tell_once(weak(format!(
                "the counters in `{}` were replaced while this process runs: meters that it made before take no more \
                 values; restart it",
                self.site.dir.display()
            )));
            self.adder = Segment::adder(&ready.segment);
            self.segment = ready.segment.clone();
        }
        // Without counts nothing is billed, so two directories do no harm.
        let meters = self.site.identity.is_some() && !self.site.dimensions.is_empty();
        let flag = meters.then(|| Flag::raise(&super::hex(&self.site.hash), &ready.ledger_id));
        self.leading = Some(Leading {
            led,
            ledger_id: ready.ledger_id.clone(),
            taken_over: Rc::new(RefCell::new(ready.books.taken_over.clone())),
            flag,
            looked: Instant::now(),
            now,
        });
        self.look_for_others();
        let shown = ready.segment.clone();
        let counters = Box::new(ready.ring(false));
        Some(Lead {
            books: ready.books,
            counters,
            ledger: Box::new(Gated(Some(ready.ledger))),
            show: Box::new(move |board| {
                shown.write_board(board);
            }),
        })
    }

    fn resign(&mut self) {
        // The name first, so that the next leader can have it, then the lock.
        if let Some(Leading { led, flag, .. }) = self.leading.take() {
            drop(flag);
            drop(led);
        }
    }

    fn beat(&mut self) {
        let Some(leading) = &self.leading else { return };
        self.segment.beat(super::boot_ms());
        self.shelf.renew();
        if leading.looked.elapsed() >= LOOK {
            self.look_for_others();
        }
        if !self.segment.is_at(&self.site.segment()) {
            self.tell_once(super::quarantined(format!(
                "the counters `{}` were removed or changed while the product runs: its processes go on counting in \
                 memory; restart the product before new processes join it",
                self.site.segment().display()
            )));
        }
    }

    fn alone(&mut self) -> bool {
        if !self.is_ours() {
            return false;
        }
        match Door::of(&self.site.dir) {
            Ok(_door) => self.mark.alone(),
            Err(_) => false,
        }
    }

    fn leave(&mut self) -> bool {
        if !self.is_ours() {
            return false;
        }
        let Ok(_door) = Door::of(&self.site.dir) else { return false };
        let alone = self.mark.leave();
        if !alone {
            self.resign(); // inside of the door: whoever goes next finds the lead free
        }
        alone
    }

    fn board(&self) -> Board {
        self.segment.read_board()
    }

    fn anchor(&self) -> Option<Anchor> {
        self.segment.anchor()
    }

    fn set_anchor(&mut self, anchor: Anchor) {
        self.segment.set_anchor(anchor);
    }

    fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    fn heirloom(&self) -> Heirloom {
        Heirloom::Directory(self.site.dir.clone())
    }

    fn holdings(&mut self) -> Holdings {
        if !self.is_ours() {
            return Holdings::default();
        }
        let mut notes = Vec::new();
        let holdings = self.shelf.take(&mut notes);
        notes.into_iter().for_each(|note| self.tell_once(note));
        holdings
    }

    fn keep(&mut self, holdings: &Holdings) -> Result<(), String> {
        if !self.is_ours() {
            return Err("the holdings are the parent's of this process".to_owned());
        }
        self.shelf.keep(holdings)
    }

    fn held_by_others(&self) -> Vec<Holdings> {
        self.shelf.of_others()
    }

    fn abandoned(&mut self) -> Vec<Box<dyn Abandoned>> {
        if !self.leading.as_ref().is_some_and(|leading| leading.led.holds()) {
            return Vec::new();
        }
        let mut notes = Vec::new();
        let found = self.shelf.abandoned(&mut notes);
        notes.into_iter().for_each(|note| self.tell_once(note));
        found
    }

    fn remembered(&mut self) -> Option<Remembered> {
        let ledger_id = match &self.leading {
            Some(leading) => leading.ledger_id.clone(),
            None => About::read(&self.site.dir)?.ledger,
        };
        let cache = Cache { site: &self.site, seal: &self.seal, ledger_id: &ledger_id };
        match cache.read() {
            Ok(remembered) => remembered,
            Err(text) => {
                self.tell_once(Note { kind: NoteKind::Cache, text });
                None
            }
        }
    }

    fn remember(&mut self, remembered: &Remembered) -> Result<(), String> {
        let leading = self.leading.as_ref().filter(|leading| leading.led.holds());
        let Some(Leading { ledger_id, .. }) = leading else {
            return Err("another process of the task leads, and keeps the contract".to_owned());
        };
        Cache { site: &self.site, seal: &self.seal, ledger_id }.write(remembered)
    }

    fn orphans(&mut self) -> Vec<Box<dyn Orphan>> {
        let Some(leading) = self.leading.as_ref().filter(|leading| leading.led.holds()) else {
            return Vec::new();
        };
        if self.site.private {
            return Vec::new();
        }
        let _busy = fork::gate::busy(); // see `Gated`
        let adopter = orphan::Adopter {
            site: &self.site,
            ledger_id: &leading.ledger_id,
            taken_over: leading.taken_over.clone(),
            now: leading.now,
        };
        let (orphans, notes) = adopter.adopt();
        notes.into_iter().for_each(|note| self.tell_once(note));
        orphans
    }
}

/// The ledger, behind the fork gate: a lock inside SQLite that is held at a fork stays held in the child, which could
/// never open a ledger of its own.
struct Gated(Option<SqliteLedger>);

impl Ledger for Gated {
    fn holds(&self) -> bool {
        self.0.as_ref().is_some_and(Ledger::holds)
    }

    fn commit(&mut self, entries: &[Entry], now: Timestamp) -> Result<(), LedgerError> {
        let _busy = fork::gate::busy();
        match &mut self.0 {
            Some(ledger) => ledger.commit(entries, now),
            None => Err(LedgerError::Deposed("it is closed".to_owned())),
        }
    }
}

impl Drop for Gated {
    fn drop(&mut self) {
        let _busy = fork::gate::busy();
        self.0 = None;
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if !self.is_ours() {
            // The parent's: its descriptors were closed or exchanged inside `fork`.
            std::mem::forget(self.lock.take());
            std::mem::forget(self.leading.take());
            self.shelf.leak();
            return;
        }
        self.resign();
        self.lock = None;
        if self.site.private {
            attach::leave_private(&self.site, &self.mark);
        }
        // SAFETY: dropped once, here, and not used afterwards.
        unsafe { ManuallyDrop::drop(&mut self.mark) };
    }
}
