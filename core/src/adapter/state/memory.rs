//! State without a file: memory that forked children share, and what such a child has of it.

use super::{fork, segment::Segment, series_file::MemoryList};
use crate::{
    adapter::memory_ledger::MemoryLedger,
    model::{
        books::Books,
        entry::Entry,
        holdings::Holdings,
        license::Remembered,
        storage::{Mode, Storage},
        time::{Anchor, Timestamp},
    },
    port::{
        counters::{Add, Counting},
        ledger::{Ledger, LedgerError},
        state::{Abandoned, Board, Heirloom, Lead, Note, Orphan, State},
    },
};
use std::{cell::RefCell, rc::Rc, sync::Arc};

/// The last place of all.
pub(super) fn open(mut notes: Vec<Note>) -> Box<dyn State> {
    match Segment::anonymous() {
        Ok(segment) => Box::new(Memory::new(segment, notes)),
        Err(error) => {
            notes.push(super::weak(format!(
                "the system gives no memory for counters ({error}): nothing is counted; give the container more memory"
            )));
            Box::new(Heir { notes, ..Heir::new(nothing()) })
        }
    }
}

/// Counters in memory, led by the process that made them.
struct Memory {
    segment: Arc<Segment>,
    list: Arc<MemoryList>,
    adder: Arc<dyn Add>,
    books: Rc<RefCell<Books>>,
    generation: u64,
    leading: bool,
    held: Holdings,
    remembered: Option<Remembered>,
    storage: Storage,
    notes: Vec<Note>,
}

impl Memory {
    fn new(segment: Arc<Segment>, notes: Vec<Note>) -> Memory {
        let why = match notes.last() {
            Some(note) => format!("no directory does: {}", note.text),
            None => "no directory does".to_owned(),
        };
        Memory {
            adder: Segment::adder(&segment),
            segment,
            list: Arc::default(),
            books: Rc::default(),
            generation: fork::generation(),
            leading: false,
            held: Holdings::default(),
            remembered: None,
            storage: storage(why),
            notes,
        }
    }
}

fn storage(why: String) -> Storage {
    Storage { mode: Mode::Memory, path: String::new(), why, outlives_task: false }
}

impl State for Memory {
    fn storage(&self) -> &Storage {
        &self.storage
    }

    fn counting(&self) -> Counting {
        Counting { adder: self.adder.clone(), series: self.list.clone() }
    }

    fn lead(&mut self, now: Timestamp, provisional: bool) -> Option<Lead> {
        if self.leading || self.generation != fork::generation() {
            return None;
        }
        let books = self.books.borrow().clone();
        self.segment.recover(books.captured, now.hour(), provisional);
        self.leading = true;
        let shown = self.segment.clone();
        Some(Lead {
            books,
            counters: Box::new(Segment::counters(&self.segment, true)),
            ledger: Box::new(Remembering {
                ledger: MemoryLedger::default(),
                books: self.books.clone(),
            }),
            show: Box::new(move |board| {
                shown.write_board(board);
            }),
        })
    }

    fn resign(&mut self) {
        self.leading = false;
    }

    fn beat(&mut self) {
        self.segment.beat(super::boot_ms());
    }

    fn alone(&mut self) -> bool {
        true
    }

    fn leave(&mut self) -> bool {
        true
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
        let series = Arc::new(self.list.heir());
        Heirloom::Memory(Counting { adder: self.adder.clone(), series })
    }

    fn holdings(&mut self) -> Holdings {
        if self.generation == fork::generation() { self.held.clone() } else { Holdings::default() }
    }

    fn keep(&mut self, holdings: &Holdings) -> Result<(), String> {
        self.held = holdings.clone();
        Ok(())
    }

    fn held_by_others(&self) -> Vec<Holdings> {
        Vec::new()
    }

    fn abandoned(&mut self) -> Vec<Box<dyn Abandoned>> {
        Vec::new()
    }

    fn remembered(&mut self) -> Option<Remembered> {
        self.remembered.clone()
    }

    fn remember(&mut self, remembered: &Remembered) -> Result<(), String> {
        self.remembered = Some(remembered.clone());
        Ok(())
    }

    fn orphans(&mut self) -> Vec<Box<dyn Orphan>> {
        Vec::new()
    }
}

/// Keeps the books too, for whoever leads again in this process.
struct Remembering {
    ledger: MemoryLedger,
    books: Rc<RefCell<Books>>,
}

impl Ledger for Remembering {
    fn holds(&self) -> bool {
        true
    }

    fn commit(&mut self, entries: &[Entry], now: Timestamp) -> Result<(), LedgerError> {
        self.ledger.commit(entries, now)?;
        let mut books = self.books.borrow_mut();
        entries.iter().for_each(|entry| books.apply(entry));
        Ok(())
    }
}

/// What a forked child has of its parent's memory: it counts there, and the parent leads.
pub(super) struct Heir {
    counting: Counting,
    storage: Storage,
    notes: Vec<Note>,
}

impl Heir {
    pub(super) fn new(counting: Counting) -> Heir {
        let why = "counts go to the memory of the process that forked this one".to_owned();
        Heir { counting, storage: storage(why), notes: Vec::new() }
    }
}

impl State for Heir {
    fn storage(&self) -> &Storage {
        &self.storage
    }

    fn counting(&self) -> Counting {
        self.counting.clone()
    }

    fn lead(&mut self, _: Timestamp, _: bool) -> Option<Lead> {
        None
    }

    fn resign(&mut self) {}

    fn beat(&mut self) {}

    fn alone(&mut self) -> bool {
        false
    }

    fn leave(&mut self) -> bool {
        false
    }

    fn board(&self) -> Board {
        Board::default()
    }

    fn anchor(&self) -> Option<Anchor> {
        None
    }

    fn set_anchor(&mut self, _: Anchor) {}

    fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    fn heirloom(&self) -> Heirloom {
        Heirloom::Memory(self.counting.clone())
    }

    fn holdings(&mut self) -> Holdings {
        Holdings::default()
    }

    fn keep(&mut self, _holdings: &Holdings) -> Result<(), String> {
        Ok(())
    }

    fn held_by_others(&self) -> Vec<Holdings> {
        Vec::new()
    }

    fn abandoned(&mut self) -> Vec<Box<dyn Abandoned>> {
        Vec::new()
    }

    fn remembered(&mut self) -> Option<Remembered> {
        None
    }

    fn remember(&mut self, _remembered: &Remembered) -> Result<(), String> {
        Ok(())
    }

    fn orphans(&mut self) -> Vec<Box<dyn Orphan>> {
        Vec::new()
    }
}

/// Counters that take nothing, for a computer without memory.
fn nothing() -> Counting {
    use crate::{
        model::{ids::SeriesId, quantity::Raw, usage::Kind},
        port::counters::CountError,
    };
    struct Nothing;
    impl Add for Nothing {
        fn put(&self, _: SeriesId, _: Kind, _: Raw) -> Result<(), CountError> {
            Err(CountError::Closed)
        }

        fn peek(&self, _: SeriesId) -> Raw {
            0
        }

        fn sequence(&self) -> u64 {
            0
        }

        fn end(&self) {}
    }
    Counting { adder: Arc::new(Nothing), series: Arc::new(MemoryList::default()) }
}
