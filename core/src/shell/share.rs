//! This process's share in its task: it counts, and it leads when no other process does.

use super::{
    backlog::{Backlog, Written},
    catalog::Catalog,
};
use crate::{
    event::EventKind,
    machine::{command::News, engine::Engine, input::Input, metering::Metering},
    model::{
        entry::Entry,
        holdings::Holdings,
        license::Remembered,
        time::{Anchor, Hour, Timestamp},
        usage::{Account, Closed, Lot, Lots},
    },
    port::{
        counters::Counting,
        state::{Abandoned, Board, Heirloom, Lead, NoteKind, Orphan, State},
    },
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

/// Between two tries to lead. A dead leader is followed within this time and a little more.
const WATCH: Duration = Duration::from_millis(500);
/// Between two signs of life of a leader. Others call it stalled after a minute.
const BEAT: Duration = Duration::from_secs(20);

/// What one process holds of its task's state.
pub(crate) struct Share {
    state: Box<dyn State>,
    pub(crate) counting: Counting,
    pub(crate) catalog: Arc<Catalog>,
    lead: Option<Leading>,
    /// When to try to lead, or to show a sign of life, next.
    watch: Instant,
    anchor: Option<Anchor>,
    /// Taken over in the engine; their files go as soon as that is durable.
    abandoned: Vec<Box<dyn Abandoned>>,
}

struct Leading {
    lead: Lead,
    /// Counters that the engine knows of.
    told: usize,
    backlog: Backlog,
    shown: Board,
    /// Taken over in the engine; marked as soon as that is durable.
    orphans: Vec<Box<dyn Orphan>>,
}

impl Share {
    pub(crate) fn new(state: Box<dyn State>, catalog: Arc<Catalog>, counting: Counting) -> Share {
        let anchor = state.anchor();
        Share {
            state,
            counting,
            catalog,
            lead: None,
            watch: Instant::now(),
            anchor,
            abandoned: Vec::new(),
        }
    }

    pub(crate) fn storage(&self) -> crate::model::storage::Storage {
        self.state.storage().clone()
    }

    pub(crate) fn heirloom(&self) -> Heirloom {
        self.state.heirloom()
    }

    pub(crate) fn anchor(&self) -> Option<Anchor> {
        self.state.anchor()
    }

    /// Tells the task's other processes what AWS's time is, when that is news.
    pub(crate) fn set_anchor(&mut self, anchor: Anchor) {
        if self.anchor != Some(anchor) {
            self.anchor = Some(anchor);
            self.state.set_anchor(anchor);
        }
    }

    pub(crate) fn leads(&self) -> bool {
        self.lead.is_some()
    }

    pub(crate) fn entitled(&self) -> bool {
        self.state.board().entitled
    }

    /// When [`Share::watch`] is due.
    pub(crate) fn watch_at(&self) -> Instant {
        self.watch
    }

    /// Tries to lead, or shows that the leader moves. Brings what the engine must hear.
    pub(crate) fn watch(
        &mut self,
        now: Timestamp,
        provisional: bool,
        inputs: &mut VecDeque<Input>,
    ) {
        if self.lead.is_some() {
            self.state.beat();
            self.watch = Instant::now() + BEAT;
            self.take_abandoned(inputs);
        } else {
            self.watch = Instant::now() + WATCH;
            self.lead(now, provisional, inputs);
        }
        self.notes(inputs);
    }

    fn lead(&mut self, now: Timestamp, provisional: bool, inputs: &mut VecDeque<Input>) {
        let Some(mut lead) = self.state.lead(now, provisional) else { return };
        self.watch = Instant::now() + BEAT;
        let books = Box::new(lead.books.clone());
        let hour = lead.counters.hour();
        inputs.push_back(Input::Led { books, hour });
        let closed = lead.counters.uncaptured();
        self.lead = Some(Leading {
            lead,
            told: 0,
            backlog: Backlog::default(),
            shown: Board::default(),
            orphans: Vec::new(),
        });
        self.tell_series(inputs);
        for slab in closed {
            inputs.push_back(Input::Captured { slab, next: hour });
        }
        self.adopt(inputs);
        self.take_abandoned(inputs);
    }

    /// Looks for ledgers of dead identities on a shared volume.
    pub(crate) fn adopt(&mut self, inputs: &mut VecDeque<Input>) {
        if self.lead.is_none() {
            return;
        }
        for orphan in self.state.orphans() {
            let mut ours = BTreeMap::new();
            for (id, series) in &orphan.books().series {
                if let Some(here) = self.catalog.adopt(series) {
                    ours.insert(*id, here);
                }
            }
            if ours.len() < orphan.books().series.len() {
                continue; // our list takes nothing now: that ledger stays whole, and is found again
            }
            let translate = |lots: &Lots| {
                let mut made = Lots::new();
                for (lot, raw) in lots {
                    if let Some(series) = ours.get(&lot.series) {
                        let lot = Lot { series: *series, ..*lot };
                        *made.entry(lot).or_default() += raw;
                    }
                }
                made
            };
            let mut waiting = Lots::new();
            let mut disputed = Lots::new();
            let books = orphan.books();
            for lots in books.waiting.values() {
                add(&mut waiting, translate(lots));
            }
            for kept in books.records.values() {
                let in_doubt = kept.begun || kept.in_doubt;
                let place = if in_doubt { &mut disputed } else { &mut waiting };
                add(place, translate(&kept.record.parts));
            }
            let ledger = orphan.ledger().to_owned();
            let why = format!("taken over from `{}`, which is gone", orphan.identity());
            self.tell_series(inputs);
            inputs.push_back(Input::TakenOver { ledger, waiting, disputed, why });
            if let Some(leading) = &mut self.lead {
                leading.orphans.push(orphan);
            }
        }
    }

    /// Tells the engine of counters that it does not know.
    pub(crate) fn tell_series(&mut self, inputs: &mut VecDeque<Input>) {
        let Some(leading) = &mut self.lead else { return };
        let new = self.catalog.since(leading.told);
        if !new.is_empty() {
            leading.told += new.len();
            inputs.push_back(Input::Series(new));
        }
    }

    /// Brings what this process's own holdings file had from a dead one, and the contract as it was known last.
    pub(crate) fn holdings(&mut self, inputs: &mut VecDeque<Input>) {
        let holdings = self.state.holdings();
        if holdings != Holdings::default() {
            inputs.push_back(Input::Took { id: None, holdings: Box::new(holdings) });
        }
        if let Some(remembered) = self.state.remembered() {
            inputs.push_back(Input::Remembered(Box::new(remembered)));
        }
        self.notes(inputs);
    }

    /// The leader takes what dead processes held, unless a new one has taken their place.
    fn take_abandoned(&mut self, inputs: &mut VecDeque<Input>) {
        if self.lead.is_none() {
            return;
        }
        for abandoned in self.state.abandoned() {
            let (id, holdings) = (abandoned.id().to_owned(), abandoned.holdings().clone());
            if self.abandoned.iter().all(|known| known.id() != id) {
                inputs.push_back(Input::Took { id: Some(id), holdings: Box::new(holdings) });
                self.abandoned.push(abandoned);
            }
        }
    }

    /// Makes the engine's holdings durable. Files of dead processes whose holdings are in them go.
    pub(crate) fn keep(
        &mut self,
        engine: &Engine,
        inputs: &mut VecDeque<Input>,
    ) -> Result<(), String> {
        let holdings = engine.holdings();
        self.state.keep(&holdings)?;
        let (done, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.abandoned)
            .into_iter()
            .partition(|abandoned| holdings.absorbed.contains(abandoned.id()));
        self.abandoned = waiting;
        for abandoned in done {
            let id = abandoned.id().to_owned();
            if abandoned.taken_over() {
                inputs.push_back(Input::Absorbed(id));
            }
        }
        Ok(())
    }

    /// Keeps the contract for the next start. Another process does when this one does not lead.
    pub(crate) fn remember(&mut self, remembered: &Remembered) {
        if self.lead.is_some() {
            // Best effort: without it, a start while License Manager is down is pending instead of on grace.
            let _ = self.state.remember(remembered);
        }
    }

    fn notes(&mut self, inputs: &mut VecDeque<Input>) {
        for note in self.state.take_notes() {
            let kind = match note.kind {
                NoteKind::Weak => EventKind::StorageWeak,
                NoteKind::Quarantined => EventKind::StorageQuarantined,
                NoteKind::Split => EventKind::LedgerSplit,
                NoteKind::Stalled => EventKind::LeaderStalled,
                NoteKind::Cache => EventKind::LicenseCacheRefused,
            };
            inputs.push_back(Input::Noted(News::new(kind, note.text)));
        }
    }

    /// Makes entries durable, after those that wait.
    pub(crate) fn commit(&mut self, entries: Vec<Entry>, now: Timestamp) -> Written {
        let Some(Leading { lead, backlog, .. }) = &mut self.lead else { return Written::Deposed };
        let written = backlog.write(entries, &mut *lead.ledger, &mut *lead.counters, now);
        if written == Written::Deposed {
            self.resign();
        }
        written
    }

    /// Shows the other processes where every count is, and marks what was taken over.
    pub(crate) fn show(&mut self, engine: &Engine) {
        let (Some(leading), Some(metering)) = (&mut self.lead, engine.metering()) else { return };
        if !leading.backlog.is_empty() {
            return;
        }
        for orphan in leading.orphans.drain(..) {
            orphan.taken_over();
        }
        let books = metering.books();
        let board = Board {
            accounts: metering.accounts(),
            captured: books.captured,
            entitled: books.entitled,
        };
        if board != leading.shown {
            (leading.lead.show)(&board);
            leading.shown = board;
        }
    }

    pub(crate) fn rotate(&mut self, next: Hour, provisional: bool, inputs: &mut VecDeque<Input>) {
        let Some(leading) = self.leading() else { return inputs.push_back(Input::Deposed) };
        let closed = leading.lead.counters.rotate(next, provisional);
        let rotated = closed.is_some();
        self.capture(closed, next, inputs);
        if rotated {
            self.adopt(inputs);
        }
    }

    /// Brings the values of a slab, or that there is no free one to go on with.
    fn capture(&mut self, slab: Option<Closed>, next: Hour, inputs: &mut VecDeque<Input>) {
        let Some(slab) = slab else { return inputs.push_back(Input::Unrotated) };
        self.tell_series(inputs);
        inputs.push_back(Input::Captured { slab, next });
    }

    /// The lead, when it is still ours: a host that closes every descriptor closes our lock with them.
    fn leading(&mut self) -> Option<&mut Leading> {
        if !self.lead.as_ref()?.lead.ledger.holds() {
            self.resign();
        }
        self.lead.as_mut()
    }

    pub(crate) fn close(&mut self, inputs: &mut VecDeque<Input>) {
        let Some(leading) = self.leading() else { return inputs.push_back(Input::Deposed) };
        let (hour, closed) = (leading.lead.counters.hour(), leading.lead.counters.close());
        self.capture(closed, hour, inputs);
    }

    pub(crate) fn label(&mut self, hour: Hour) {
        if let Some(leading) = self.leading() {
            leading.lead.counters.label(hour, false);
        }
    }

    /// True when this process leads and no other one is attached.
    pub(crate) fn last(&mut self) -> bool {
        self.lead.is_some() && self.state.alone()
    }

    /// For whoever ends and was not the last: true when it is by now. Otherwise it has left.
    pub(crate) fn leave(&mut self) -> bool {
        self.lead = None; // what was borrowed goes first
        let last = self.state.leave();
        self.state.resign();
        last
    }

    /// Stops to lead.
    pub(crate) fn resign(&mut self) {
        if self.lead.take().is_some() {
            self.state.resign();
            self.watch = Instant::now() + WATCH;
        }
    }

    /// Where every count of the task is, the running hour included.
    pub(crate) fn accounts(&self, engine: &Engine) -> Vec<Account> {
        // Between the close of a slab and its capture its counts are in neither; the leader takes a moment.
        let tries = if engine.metering().is_some() { 0 } else { TRIES };
        for _ in 0..tries {
            let board = self.state.board();
            let sequence = self.counting.adder.sequence();
            let mut accounts = board.accounts;
            self.add_open(&mut accounts);
            if board.captured + 1 == sequence && self.counting.adder.sequence() == sequence {
                return accounts;
            }
            pause();
        }
        let mut accounts = self.captured_accounts(engine);
        self.add_open(&mut accounts);
        accounts
    }

    /// The same without the running hour, as the leader showed it last. Costs no look at the counters.
    pub(crate) fn captured_accounts(&self, engine: &Engine) -> Vec<Account> {
        engine.metering().map_or_else(|| self.state.board().accounts, Metering::accounts)
    }

    /// What the other processes of the task hold of the contract.
    pub(crate) fn held_by_others(&self) -> Vec<Holdings> {
        self.state.held_by_others()
    }

    fn add_open(&self, accounts: &mut Vec<Account>) {
        for (id, series) in self.catalog.since(0) {
            let open = self.counting.adder.peek(id);
            let name = series.dimension.as_str();
            let place = accounts.iter().position(|account| account.dimension == name);
            let place = place.unwrap_or_else(|| {
                accounts.push(Account { dimension: name.to_owned(), ..Account::default() });
                accounts.len() - 1
            });
            if let Some(account) = accounts.get_mut(place) {
                account.open += open;
                account.added += open;
            }
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.resign();
    }
}

/// Tries to read a board and the slab that goes with it, a millisecond apart.
const TRIES: usize = 100;

fn pause() {
    std::thread::sleep(Duration::from_millis(1));
}

fn add(to: &mut Lots, lots: Lots) {
    for (lot, raw) in lots {
        *to.entry(lot).or_default() += raw;
    }
}
