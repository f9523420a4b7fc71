//! The invariants, looked at while the histories happen. Source: the plan's list of nine, I1 to I9.

use crate::world::World;
use mpguard_handless::model::{
    entry::{Entry, Fate},
    usage::Record,
};

/// Steps between two looks at a whole account.
const LOOK: u64 = 32;

/// What is known of one record, by its client token.
pub(crate) struct Token {
    record: Record,
    begun: bool,
    end: Option<End>,
}

/// How the record of a token ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Delivered,
    Disputed,
    /// Carried, missed or held: AWS does not have it.
    Free,
    /// Its ledger was lost, or another identity has taken it over.
    Gone,
}

impl World {
    /// An entry that is being made durable.
    pub(crate) fn check_entry(&mut self, p: usize, entry: &Entry) {
        match entry {
            Entry::Captured { sequence, .. } => {
                let captured = self.tasks[self.processes[p].task].ledger.books.captured;
                if *sequence > captured + 1 {
                    self.violate(|| format!("slab {sequence} is captured after {captured}"));
                }
            }
            Entry::Frozen(record) => self.check_frozen(p, record),
            Entry::Begun(id) => {
                let task = &mut self.tasks[self.processes[p].task];
                let token = task.ledger.books.records.get(id).map(|k| &k.record.client_token);
                let token = token.and_then(|token| task.tokens.get_mut(token));
                match token {
                    Some(token) => token.begun = true,
                    None => self.violate(|| format!("{id:?} is begun and was never frozen")),
                }
            }
            Entry::Settled { record, fate } => self.check_settled(p, *record, fate),
            Entry::TakenOver { waiting, disputed, missed, .. } => {
                let task = &mut self.tasks[self.processes[p].task];
                for lots in [waiting, disputed, missed] {
                    for (lot, raw) in lots {
                        let name = self.scenario.dimension(lot.series.0 as usize).clone();
                        *task.ledger.taken_over.entry(name).or_default() += raw;
                    }
                }
                if let Some(orphan) = self.processes[p].adopting {
                    self.forget_tokens(orphan);
                }
            }
            Entry::SetAside { .. }
            | Entry::Named(_)
            | Entry::Relabelled { .. }
            | Entry::Attempted { .. }
            | Entry::Entitled { .. } => {}
        }
    }

    /// I3, I4: nothing is frozen too early, twice, or with a level of another hour.
    fn check_frozen(&mut self, p: usize, record: &Record) {
        self.figures.records += 1;
        let process = &self.processes[p];
        let (t, closing) = (process.task, process.closing);
        if !process.known {
            self.violate(|| format!("frozen before the time is known: {record:?}"));
        }
        let now = mpguard_handless::model::time::Timestamp(self.now);
        let over = record.hour < now.hour() || closing && record.hour == now.hour();
        // An entry may wait for the disk after its hour was frozen at the end of a process: that is over too.
        if !over || record.timestamp > now {
            self.violate(|| format!("frozen while its hour runs or lies ahead: {record:?}"));
        }
        let slot = (record.dimension.clone(), record.hour.0);
        if !self.tasks[t].ledger.frozen.insert(slot) {
            self.violate(|| format!("a second record for its slot: {record:?}"));
        }
        let spec = self.scenario.plan.dimensions.iter().find(|s| s.name == record.dimension);
        let Some(spec) = spec.cloned() else {
            return self.violate(|| format!("nobody defines the dimension of {record:?}"));
        };
        let scale = spec.scale();
        if spec.kind.is_level() {
            if !record.carried_from().is_empty() {
                self.violate(|| format!("a level was moved: {record:?}"));
            }
        } else if u128::from(record.units.scaled) * u128::from(scale.raw)
            != u128::from(record.raw()) * u128::from(scale.scaled)
        {
            self.violate(|| format!("units and raw counts differ: {record:?}"));
        }
        let parts: u64 = record.allocations.iter().map(|part| part.units.scaled).sum();
        if !record.allocations.is_empty() && parts != record.units.scaled {
            self.violate(|| format!("allocations and units differ: {record:?}"));
        }
        let token = Token { record: record.clone(), begun: false, end: None };
        if self.tasks[t].tokens.insert(record.client_token.clone(), token).is_some() {
            self.violate(|| format!("its token was used before: {record:?}"));
        }
    }

    /// I9: what AWS has is delivered, disputed, or without a fate.
    fn check_settled(&mut self, p: usize, id: mpguard_handless::model::ids::RecordId, fate: &Fate) {
        let t = self.processes[p].task;
        let Some(kept) = self.tasks[t].ledger.books.records.get(&id) else {
            return self.violate(|| format!("{id:?} is settled and is not there"));
        };
        let record = kept.record.clone();
        let slot = (t, record.dimension.clone(), record.hour.0);
        let stored = self.aws.slots.get(&slot);
        let ours = stored.is_some_and(|s| s.token.as_ref() == Some(&record.client_token));
        let raw = record.raw();
        let end = match fate {
            Fate::Recorded { .. } => {
                // An equal quantity of a process that shares nothing with us cannot be told from ours.
                let lost = stored.is_some_and(|s| {
                    s.units == record.units
                        && s.token.as_ref().is_none_or(|token| {
                            self.tasks[t]
                                .tokens
                                .get(token)
                                .is_some_and(|t| t.end == Some(End::Gone))
                        })
                });
                if lost {
                    self.figures.collided += 1;
                } else if !ours && raw > 0 {
                    self.violate(|| format!("delivered, and AWS does not have it: {record:?}"));
                }
                End::Delivered
            }
            Fate::Disputed { .. } => {
                self.figures.disputed += raw;
                End::Disputed
            }
            Fate::Carried { .. } | Fate::Missed { .. } | Fate::Held { .. } => {
                if ours {
                    self.violate(|| format!("{fate:?}, and AWS has it: {record:?}"));
                }
                let level = self
                    .scenario
                    .plan
                    .dimensions
                    .iter()
                    .any(|spec| spec.name == record.dimension && spec.kind.is_level());
                if level && matches!(fate, Fate::Carried { .. }) {
                    self.violate(|| format!("a level is carried: {record:?}"));
                }
                let figure = match fate {
                    Fate::Carried { .. } => &mut self.figures.carried,
                    Fate::Missed { .. } => &mut self.figures.missed,
                    _ => &mut self.figures.held,
                };
                *figure += raw;
                End::Free
            }
        };
        match self.tasks[t].tokens.get_mut(&record.client_token) {
            Some(token) if token.end.is_none() => token.end = Some(end),
            _ => self.violate(|| format!("settled twice, or never frozen: {record:?}")),
        }
    }

    /// I4, I5: the bytes are those of the freeze, and they are written down as begun.
    pub(crate) fn check_send(&mut self, p: usize, record: &Record) {
        let process = &self.processes[p];
        let task = &self.tasks[process.task];
        let leads = task.lock == Some(p);
        let fault = match task.tokens.get(&record.client_token) {
            None => Some("was never frozen"),
            Some(token) if token.record != *record => Some("has other bytes than were frozen"),
            Some(token) if !token.begun => Some("was not begun"),
            // Who leads no more may send the same bytes once more: that changes nothing at AWS.
            Some(token) if leads && token.end.is_some() => Some("has its fate"),
            Some(_) => {
                let kept = task.ledger.books.records.get(&record.id);
                let durable = kept.is_some_and(|kept| kept.begun);
                (leads && !durable).then_some("is not durably begun")
            }
        };
        if let Some(fault) = fault {
            self.violate(|| format!("sent, and it {fault}: {record:?}"));
        }
    }

    /// AWS has put a record of ours into its slot.
    pub(crate) fn check_stored(&mut self, t: usize, record: &Record) {
        self.figures.billed += record.raw();
        let end = self.tasks[t].tokens.get(&record.client_token).map(|token| token.end);
        match end {
            Some(Some(End::Free)) => {
                self.violate(|| format!("AWS bills what counts as not billed: {record:?}"));
            }
            Some(_) => {}
            None => self.violate(|| format!("AWS bills what was never frozen: {record:?}")),
        }
    }

    /// The records of a ledger that nobody has any more: AWS may have them, and may get them still.
    pub(crate) fn forget_tokens(&mut self, t: usize) {
        let books = &self.tasks[t].ledger.books;
        let begun: Vec<_> = books
            .records
            .values()
            .filter(|k| !k.begun)
            .map(|k| k.record.client_token.clone())
            .collect();
        let task = &mut self.tasks[t];
        for (token, kept) in &mut task.tokens {
            if kept.end.is_none_or(|end| end == End::Delivered || end == End::Disputed) {
                kept.end = Some(if begun.contains(token) { End::Free } else { End::Gone });
            }
        }
    }

    /// I1, I2, and that the engine's books are the durable ones. Whole accounts now and then.
    pub(crate) fn look(&mut self, p: usize) {
        if self.figures.steps.is_multiple_of(LOOK) {
            self.look_at_task(self.processes[p].task);
        }
    }

    pub(crate) fn look_at_task(&mut self, t: usize) {
        let task = &self.tasks[t];
        if let Some(fault) = task.ledger.books.fault() {
            return self.violate(|| fault);
        }
        let same = task.lock.filter(|p| self.processes[*p].backlog.is_empty()).and_then(|p| {
            let mut mine = self.metering(p)?.books().clone();
            let mut there = task.ledger.books.clone();
            for kept in mine.records.values_mut().chain(there.records.values_mut()) {
                kept.in_doubt |= kept.begun;
                kept.begun |= kept.in_doubt;
            }
            there.used.clone_from(&mine.used);
            (mine != there).then(|| format!("process {p} has other books than its ledger"))
        });
        if let Some(text) = same {
            return self.violate(|| text);
        }
        let names: Vec<_> = self
            .scenario
            .plan
            .dimensions
            .iter()
            .filter(|s| !s.kind.is_level())
            .map(|s| s.name.clone())
            .collect();
        for name in names {
            let task = &self.tasks[t];
            let own = |n: &usize| *self.scenario.dimension(*n) == name;
            let added: u64 = (0..task.adds.len()).filter(own).map(|n| task.adds[n]).sum();
            let books = &task.ledger.books;
            let ring = task.ring.as_ref();
            let open = ring.map_or(0, |r| r.open_of(&self.scenario, books.captured, name.as_str()));
            let captured = books.totals.get(&name).map_or(0, |totals| totals.added);
            let foreign = task.ledger.taken_over.get(&name).copied().unwrap_or(0);
            let lost = task.lost.get(&name).copied().unwrap_or(0);
            if added + foreign != open + captured + lost {
                self.violate(|| {
                    format!(
                        "`{name}` of task {t}: added {added} + taken over {foreign} is not open {open} + captured {captured} + lost {lost}"
                    )
                });
            }
        }
    }
}
