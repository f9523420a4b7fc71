//! Invariants, and the marks that they are looked up in.

mod told;

use super::{
    pod::Wish,
    scenario::{HOUR, MINUTE, SECOND, UNITS},
    service::CheckOut,
    world::World,
};
use mpguard_handless::{
    error::{Code, Error},
    event::EventKind,
    machine::{
        command::{Command, Notice},
        input::Input,
    },
    model::{
        holdings::{Holdings, KeptLease, KeptUnits},
        ids::{ConsumptionToken, EntitlementName, LeaseId, SeatId},
        license::{Contract, License, Reason, Remembered, Standing, Verdict},
        outcome::{CheckedIn, CheckedOut, Details, Drawn, FailureClass, Tiers},
        time::Timestamp,
    },
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Longest time from a loss to its event: AWS that asks for patience is asked again for ten minutes.
const TELLING: i64 = 16 * MINUTE;
/// How long a check out without an answer is asked for again; a little less, for calls take time.
const RECLAIM: i64 = 9 * MINUTE;
/// Calls take time, and so do looks.
const SLACK: i64 = 3 * MINUTE;

/// What a process has heard and done, as far as invariants need it.
pub(crate) struct Marks {
    started: i64,
    /// When it went on after a suspension.
    pub(crate) went_on: i64,
    /// It was licensed once.
    licensed: bool,
    /// AWS did not let it read a license.
    denied: bool,
    /// It took leases over by a wrong clock: when they are to be renewed was a guess.
    pub(crate) guessed: bool,
    /// It died between two commands of a step.
    pub(crate) mid_step: bool,
    /// AWS said yes to anything; to a look.
    yes: Option<i64>,
    yes_look: Option<i64>,
    /// When AWS said the last yes that the kept contract can rest on.
    base: Option<i64>,
    /// When AWS confirmed the kept contract, as it says itself.
    recalled: Option<i64>,
    heard_no: bool,
    /// Contracts that AWS told, the newest last.
    contracts: Vec<(i64, Contract)>,
    /// Keys of what it holds: tokens given, and client tokens of what is on its way.
    mine: BTreeMap<String, Option<i64>>,
    keep_failed: bool,
    /// The newest call of each lease.
    asking: HashMap<LeaseId, (String, &'static str)>,
    returning: HashMap<LeaseId, ConsumptionToken>,
    extending: HashMap<LeaseId, ConsumptionToken>,
    extended: BTreeMap<ConsumptionToken, i64>,
    /// When AWS said none, by entitlement.
    none_at: BTreeMap<&'static str, i64>,
    /// Since when hosts have more seats than leases stand behind, by entitlement.
    short_since: BTreeMap<&'static str, i64>,
    budgets: BTreeMap<&'static str, Budget>,
    lost: BTreeSet<u64>,
}

/// Check outs that are not too many.
#[derive(Clone, Copy, Default)]
struct Budget {
    earned: i64,
    spent: i64,
    counted_until: i64,
}

/// What became of a client token.
#[derive(Default)]
pub(crate) struct Ask {
    first: i64,
    held: bool,
    none: bool,
    /// It was sent while nothing could be written down.
    unwritten: bool,
}

impl Marks {
    pub(crate) fn new(now: i64) -> Marks {
        Marks {
            started: now,
            went_on: now,
            licensed: false,
            denied: false,
            guessed: false,
            mid_step: false,
            yes: None,
            yes_look: None,
            base: None,
            recalled: None,
            heard_no: false,
            contracts: Vec::new(),
            mine: BTreeMap::new(),
            keep_failed: false,
            asking: HashMap::new(),
            returning: HashMap::new(),
            extending: HashMap::new(),
            extended: BTreeMap::new(),
            none_at: BTreeMap::new(),
            short_since: BTreeMap::new(),
            budgets: BTreeMap::new(),
            lost: BTreeSet::new(),
        }
    }

    /// It was told of a contract that an earlier process knew.
    pub(crate) fn remembered(&mut self, known: &Remembered, yes_at: Option<i64>, heard_no: bool) {
        (self.base, self.recalled) = (yes_at, Some(known.confirmed.0));
        self.contracts.push((self.started, known.contract.clone()));
        self.heard_no |= heard_no;
    }
}

fn keys(leases: &[KeptLease]) -> impl Iterator<Item = &str> {
    leases.iter().flat_map(|lease| {
        let asking = lease.asking.as_ref().map(|asking| asking.client_token.as_str());
        asking.into_iter().chain(lease.given.as_ref().map(|given| given.token.as_str()))
    })
}

/// The same with the end that is known of what is given.
fn held(leases: &[KeptLease]) -> BTreeMap<String, Option<i64>> {
    let all = leases.iter().flat_map(|lease| {
        let asking =
            lease.asking.as_ref().map(|asking| (asking.client_token.as_str().to_owned(), None));
        let given = lease.given.as_ref();
        let given = given.map(|given| (given.token.as_str().to_owned(), Some(given.expires.0)));
        asking.into_iter().chain(given)
    });
    all.collect()
}

/// The same but for the begin, which follows the clock when it is put right.
fn same(kept: &Units, held: &Units) -> bool {
    let timeless = |units: &Units| {
        let mut units = units.clone();
        let draws = units.values_mut().flat_map(|units| units.in_hand.iter_mut());
        draws.for_each(|draw| draw.begun = Timestamp(0));
        units
    };
    kept == held || timeless(kept) == timeless(held)
}

type Units = BTreeMap<EntitlementName, KeptUnits>;

impl World {
    // What is heard.

    pub(crate) fn mark_answer(&mut self, p: usize, input: &Input) {
        let now = self.now;
        let pod = self.processes[p].pod;
        let marks = &mut self.processes[p].marks;
        let (mut yes, mut look, mut no) = (false, false, false);
        match input {
            Input::Tiers(Tiers::Bought { .. }) => (yes, look) = (true, true),
            Input::Tiers(Tiers::None(_)) | Input::Details(Details::Nothing(_)) => no = true,
            Input::Details(Details::Found(contract)) => {
                let usable = contract.standing == Standing::Usable;
                (yes, look, no) = (usable, usable, !usable);
                marks.contracts.push((now, contract.clone()));
                if marks.contracts.len() > 4 {
                    marks.contracts.remove(0);
                }
            }
            Input::Details(Details::Failed(failure)) => {
                marks.denied |= failure.class == FailureClass::AccessDenied;
            }
            Input::CheckedOut { lease, outcome } => {
                let asked = marks.asking.get(lease).cloned();
                if let Some((token, name)) = asked {
                    let ask = self.asks.entry(token).or_default();
                    match outcome {
                        CheckedOut::Held { .. } => (yes, ask.held) = (true, true),
                        CheckedOut::NoneAllowed(_) => {
                            ask.none = true;
                            marks.none_at.insert(name, now);
                        }
                        _ => {}
                    }
                }
            }
            Input::Extended { lease, outcome } => match outcome {
                CheckedOut::Held { .. } => yes = true,
                CheckedOut::Failed(failure) if failure.class == FailureClass::NotSent => {
                    let token = marks.extending.get(lease);
                    token.map(|token| marks.extended.remove(token));
                }
                _ => {}
            },
            Input::CheckedIn { lease, outcome: CheckedIn::Failed(_) } => {
                if let Some(token) = marks.returning.get(lease) {
                    let there = self.service.check_outs.iter_mut();
                    there.filter(|c| c.token == *token).for_each(|c| c.unreturned += 1);
                }
            }
            Input::Drawn { outcome: Drawn::Yes { .. }, .. } => yes = true,
            Input::Drawn { outcome: Drawn::NoneAllowed(_), .. } => {
                marks.none_at.insert(UNITS, now);
            }
            _ => {}
        }
        let marks = &mut self.processes[p].marks;
        marks.heard_no |= no;
        if look {
            marks.yes_look = Some(now);
        }
        if yes {
            marks.yes = Some(now);
            self.count_run(pod);
            let pod = &mut self.pods[pod];
            (pod.yes_at, pod.ran) = (Some(now), 0);
            if look {
                pod.starts = pod.alive.len() as i64;
            }
            pod.unwritten = false;
        }
        self.pods[pod].heard_no |= no;
    }

    /// What a dead process had in hand may never have been sent.
    pub(crate) fn mark_taken(&mut self, p: usize, holdings: &Holdings) {
        let first = self.now;
        let process = &mut self.processes[p];
        process.marks.guessed |= !process.known && process.ahead.abs() > MINUTE;
        let held = held(&holdings.leases);
        if held.values().any(Option::is_some) {
            // What AWS gave to it is a yes of its time.
            process.marks.base = process.marks.base.max(self.pods[process.pod].yes_at);
        }
        process.marks.mine.extend(held);
        for lease in &holdings.leases {
            let name = super::scenario::SEATS.iter().find(|name| **name == lease.entitlement);
            if let Some(name) = name {
                self.processes[p].marks.budgets.entry(*name).or_default().earned += 8;
            }
        }
        for asking in holdings.leases.iter().filter_map(|lease| lease.asking.as_ref()) {
            let token = asking.client_token.as_str().to_owned();
            self.asks.entry(token).or_insert(Ask { first, ..Ask::default() });
        }
    }

    pub(crate) fn mark_wish(&mut self, p: usize, name: &'static str) {
        self.processes[p].marks.budgets.entry(name).or_default().earned += 8;
    }

    /// An event was told.
    pub(crate) fn told(&mut self, p: usize, notice: &Notice) {
        self.figures.events += 1;
        let detail = |name: &str| notice.details.get(name).cloned().unwrap_or_default();
        let name = detail("entitlement").as_str().unwrap_or_default().to_owned();
        self.note(|| format!("process {p} tells {:?}: {}", notice.kind, notice.text));
        match notice.kind {
            EventKind::SeatLost => {
                self.figures.seats_lost += 1;
                let Some(seat) = detail("seat").as_u64() else {
                    return self.violate(|| "a lost seat has no number".into());
                };
                if !self.processes[p].marks.lost.insert(seat) {
                    self.violate(|| format!("seat {seat} of process {p} is lost twice"));
                }
                if let Some(wish) = self.processes[p].host.seats.get_mut(&SeatId(seat)) {
                    wish.lost = true;
                }
            }
            EventKind::SeatsExhausted if !self.processes[p].host.exhausted.insert(name.clone()) => {
                self.violate(|| format!("`{name}` is told twice as exhausted"));
            }
            EventKind::SeatsAvailable if !self.processes[p].host.exhausted.remove(&name) => {
                self.violate(|| format!("`{name}` is available and was not exhausted"));
            }
            _ => {}
        }
    }

    // Calls.

    pub(crate) fn check_call(&mut self, p: usize, call: &Command) {
        match call {
            Command::AskTiers { .. } => self.figures.looks += 1,
            Command::CheckOut { lease, want, token } => {
                self.figures.check_outs += 1;
                self.check_check_out(p, *lease, &want.name, token.as_str());
            }
            Command::DrawDown { want, token } => {
                self.figures.drawn += 1;
                // In its own file, or in a dead one's that it has locked.
                let files = self.pods[self.processes[p].pod].files.iter();
                let files = files.filter(|file| file.owner == Some(p));
                let name = want.name.as_str().into();
                let units = files.filter_map(|file| file.holdings.units.get(&name));
                let quantity: Option<u64> = want.value.as_ref().and_then(|v| v.parse().ok());
                let mut in_hand = units.flat_map(|units| units.in_hand.iter());
                let written = in_hand
                    .any(|draw| draw.client_token == *token && Some(draw.quantity) == quantity);
                if !written {
                    self.violate(|| {
                        format!("process {p} draws {want:?} by {}, unwritten", token.as_str())
                    });
                }
            }
            Command::Extend { lease, token } => {
                self.figures.extended += 1;
                self.processes[p].marks.extending.insert(*lease, token.clone());
                let before = self.processes[p].marks.extended.insert(token.clone(), self.now);
                if before.is_some_and(|at| self.now < at + HOUR) {
                    self.violate(|| {
                        format!("process {p} extends {} twice within the hour", token.as_str())
                    });
                }
                self.check_extension(p, token);
            }
            Command::CheckIn { lease, token } => {
                self.processes[p].marks.returning.insert(*lease, token.clone());
                self.check_return(p, token);
            }
            _ => {}
        }
    }

    fn check_check_out(&mut self, p: usize, lease: LeaseId, name: &str, token: &str) {
        let Some(name) = super::scenario::SEATS.iter().find(|known| **known == name).copied()
        else {
            return self.violate(|| format!("`{name}` is no floating entitlement"));
        };
        let now = self.now;
        let process = &self.processes[p];
        let written =
            self.on_disk(p).is_some_and(|disk| keys(&disk.leases).any(|key| key == token));
        let full = self.pods[process.pod].disk_full_until > now;
        let excused = full || process.marks.keep_failed || !process.opened;
        if !written && !excused {
            self.violate(|| format!("process {p} checks out by {token}, unwritten"));
        }
        if !self.asks.contains_key(token) {
            if !self.needs_one(p, lease, name) {
                self.violate(|| {
                    format!("process {p} checks out `{name}` by {lease:?} that nobody waits for")
                });
            }
            self.asks.insert(token.to_owned(), Ask { first: now, ..Ask::default() });
        }
        if let Some(ask) = self.asks.get_mut(token) {
            ask.unwritten |= !written;
        }
        let budget = self.budget(p, name);
        budget.spent += 1;
        let budget = *budget;
        if budget.spent > budget.earned + 30 {
            self.violate(|| {
                format!("process {p} has sent {} check outs of `{name}`", budget.spent)
            });
        }
        self.processes[p].marks.asking.insert(lease, (token.to_owned(), name));
    }

    fn on_disk(&self, p: usize) -> Option<&Holdings> {
        let process = &self.processes[p];
        process.file.map(|f| &self.pods[process.pod].files[f].holdings)
    }

    /// A check out by a new client token has a reason: somebody waits, or what is held comes to its end.
    fn needs_one(&self, p: usize, lease: LeaseId, name: &str) -> bool {
        let process = &self.processes[p];
        let seats = || process.host.seats.values().filter(|wish| wish.name == name);
        if seats().any(|wish| wish.until.is_some()) {
            return true;
        }
        let holdings = process.engine.holdings();
        let given: Vec<_> = holdings.leases.iter().filter(|l| l.entitlement == name).collect();
        let ends = |lease: &&&KeptLease| {
            let half = self.clock(p).0 + self.service.rules.ttl / 2;
            lease.given.as_ref().is_some_and(|given| given.expires.0 < half)
        };
        let told: u64 = seats().filter(|wish| wish.told.is_some()).map(|wish| wish.count).sum();
        let ours = |l: &&&KeptLease| l.given.as_ref().is_some_and(|given| !given.returning);
        let backed: u64 = given.iter().filter(ours).map(|l| l.count).sum();
        // Where the role may not read licenses, a seat may prove the contract.
        let rules = &self.service.rules;
        let proves = (rules.list_denied || rules.get_denied || process.marks.denied)
            && !given.iter().any(|lease| {
                let given = lease.given.as_ref();
                given.is_some_and(|given| !given.returning && given.expires > self.clock(p))
            });
        // A lease that had seats before asks for others in their place.
        let marks = &process.marks;
        let swaps = marks.returning.contains_key(&lease)
            || marks.asking.contains_key(&lease)
            || marks.extending.contains_key(&lease);
        let known = told > backed || proves || swaps || process.marks.guessed;
        given.iter().any(|lease| ends(&lease)) || known
    }

    fn budget(&mut self, p: usize, name: &'static str) -> &mut Budget {
        let now = self.now;
        let process = &mut self.processes[p];
        let budget = process.marks.budgets.entry(name).or_default();
        if budget.counted_until == 0 {
            budget.counted_until = process.marks.started;
        }
        // A waiting queue asks every few seconds; a lease is asked for again once in its life, with some tries.
        budget.earned += (now - budget.counted_until) / (4 * SECOND);
        budget.counted_until = now - (now - budget.counted_until) % (4 * SECOND);
        budget
    }

    /// A call has come to AWS: is what it has taken in somebody's hand?
    pub(crate) fn check_taken(&mut self, call: &Command, from: usize) {
        match call {
            Command::CheckOut { token, .. } => {
                let made = self.service.check_outs.iter().rev();
                let mut made = made.filter(|c| c.client_token.as_ref() == Some(token));
                let made = made.find(|c| c.lives(self.now)).cloned();
                if let Some(made) = made {
                    self.check_covered(&made, token.as_str(), &format!("sent by process {from}"));
                }
            }
            Command::DrawDown { .. } => self.check_units(),
            _ => {}
        }
    }

    // Seats.

    fn covered(&self, key: &str) -> bool {
        let alive = self.processes.iter().filter(|process| !process.dead);
        let mut files = self.pods.iter().flat_map(|pod| &pod.files);
        alive.into_iter().any(|process| process.marks.mine.contains_key(key))
            || files.any(|file| {
                let own = file.owner.is_some_and(|p| {
                    let process = &self.processes[p];
                    process.file.is_some_and(|f| self.pods[process.pod].files[f].id == file.id)
                });
                !own && keys(&file.holdings.leases).any(|there| there == key)
            })
    }

    /// Seats that AWS holds are in the hands of somebody, or it is known why they are not.
    fn check_covered(&mut self, taken: &CheckOut, key: &str, who: &str) {
        let client =
            taken.client_token.as_ref().map(|token| token.as_str().to_owned()).unwrap_or_default();
        // What is not counted takes nothing.
        if taken.count == 0 || self.covered(taken.token.as_str()) || self.covered(&client) {
            return;
        }
        self.figures.orphans += 1;
        let now = self.now;
        let short = self.service.rules.replay < 10 * MINUTE;
        let excused = match self.asks.get(&client) {
            _ if taken.unreturned > 0 => true,
            Some(_) if key == taken.token.as_str() => false,
            Some(ask) => {
                ask.none || ask.unwritten || ask.first + RECLAIM <= now || (short && ask.held)
            }
            None => false,
        };
        if !excused {
            self.violate(|| format!("nobody holds {taken:?}, {who}"));
        }
    }

    fn held_by(&self, key: &str) -> Vec<CheckOut> {
        let is = |c: &&CheckOut| {
            c.token.as_str() == key || c.client_token.as_ref().is_some_and(|t| t.as_str() == key)
        };
        let live = self.service.check_outs.iter().filter(|c| c.lives(self.now));
        live.filter(is).cloned().collect()
    }

    /// After a step: what the process holds, and what it forgot.
    pub(crate) fn look(&mut self, p: usize) {
        if self.processes[p].dead || !self.whole() {
            return;
        }
        let holdings = self.processes[p].engine.holdings();
        let mine = held(&holdings.leases);
        if mine != self.processes[p].marks.mine {
            let before = std::mem::replace(&mut self.processes[p].marks.mine, mine.clone());
            let clock = self.clock(p).0;
            // What has ended as far as it knows may be forgotten: an extension without an answer is unknown to it.
            // By a wrong clock it may take for over what is not: those seats run out by themselves.
            let guessed = self.processes[p].marks.guessed;
            for key in before.keys().filter(|key| guessed && !mine.contains_key(*key)) {
                if let Some(ask) = self.asks.get_mut(key) {
                    ask.unwritten = true;
                }
            }
            let over = |at: &Option<i64>| guessed || at.is_some_and(|at| at <= clock);
            let gone = before.iter().filter(|(key, at)| !mine.contains_key(*key) && !over(at));
            for (key, _) in gone {
                for taken in self.held_by(key) {
                    self.check_covered(&taken, key, &format!("process {p} forgot {key}"));
                }
            }
        }
        self.check_durable(p, &holdings);
        self.check_backed(p, &holdings);
        self.check_age(p);
        self.check_units();
    }

    /// What AWS holds for the process is on the disk when its step is over.
    fn check_durable(&mut self, p: usize, holdings: &Holdings) {
        let process = &mut self.processes[p];
        process.marks.keep_failed |= process.opened
            && process.kept.is_none()
            && self.pods[process.pod].disk_full_until > self.now;
        process.marks.keep_failed &= process.kept.is_none();
        if !process.opened || process.marks.keep_failed {
            return;
        }
        let empty = Holdings::default();
        let kept = self.on_disk(p).unwrap_or(&empty);
        let there: BTreeSet<&str> = keys(&kept.leases).collect();
        let missing: Vec<&str> = keys(&holdings.leases).filter(|k| !there.contains(k)).collect();
        if !missing.is_empty() {
            let text = format!("process {p} has not written down {missing:?}");
            self.violate(|| text);
        } else if !same(&kept.units, &holdings.units) {
            let text = format!("on disk {:?}, in memory {:?}", kept.units, holdings.units);
            self.violate(|| text);
        }
    }

    /// Behind every seat that a host has stands a lease that AWS holds, up to the time that it takes to tell.
    fn check_backed(&mut self, p: usize, holdings: &Holdings) {
        for name in super::scenario::SEATS {
            let told = self.processes[p].host.seats.values().filter(|wish| wish.name == *name);
            let told: u64 = told.filter(|wish| wish.told.is_some()).map(|wish| wish.count).sum();
            let backed: u64 = holdings
                .leases
                .iter()
                .filter(|lease| lease.entitlement == *name)
                .filter(|lease| {
                    let given = lease.given.as_ref().filter(|given| !given.returning);
                    given.is_some_and(|given| self.stands(&given.token))
                })
                .map(|lease| lease.count)
                .sum();
            let marks = &mut self.processes[p].marks;
            if told <= backed {
                marks.short_since.remove(name);
                continue;
            }
            let since = *marks.short_since.entry(*name).or_insert(self.now);
            if self.now > since.max(marks.went_on) + TELLING {
                self.violate(|| format!("host {p} has {told} of `{name}`, AWS holds {backed}"));
            }
        }
    }

    /// AWS holds it, or has ended it before its time and told nobody.
    fn stands(&self, token: &ConsumptionToken) -> bool {
        let there = self.service.check_outs.iter().find(|c| c.has(token));
        let unwritten = self.unwritten.contains(token.as_str());
        unwritten || there.is_some_and(|c| c.lives(self.now) || (c.revoked && self.now < c.expires))
    }

    /// A process has died: what it held is on the disk, unless it was not written down for a good reason.
    pub(crate) fn check_left(&mut self, p: usize) {
        let marks = &self.processes[p].marks;
        let excused = marks.mid_step || marks.keep_failed || !self.processes[p].opened;
        let mine = std::mem::take(&mut self.processes[p].marks.mine);
        for key in mine.into_keys() {
            for taken in self.held_by(&key) {
                if excused {
                    self.figures.orphans += u64::from(!self.covered(&key));
                } else {
                    self.check_covered(&taken, &key, &format!("process {p} died"));
                }
            }
        }
        self.check_units();
    }
}
