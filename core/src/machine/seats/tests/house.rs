//! A house: seats, their hosts, and a small License Manager, under one hand-moved clock.

use super::*;
use std::collections::{BTreeSet, VecDeque};

/// License Manager with one account.
#[derive(Default)]
pub(super) struct Aws {
    /// Seats bought, by entitlement.
    pub(super) bought: BTreeMap<String, u64>,
    /// Unit of an entitlement that is not `Count`.
    pub(super) units: BTreeMap<String, String>,
    pub(super) outs: BTreeMap<String, Out>,
    /// Life of a check out, and of an extension.
    pub(super) life: Duration,
    /// How long a client token is remembered.
    pub(super) memory: Duration,
    /// An extension gives another token.
    pub(super) renames: bool,
    remembered: BTreeMap<String, (Timestamp, String)>,
    made: u32,
    /// Calls, with their times.
    pub(super) calls: Vec<(Timestamp, Command)>,
    /// Extensions that the quota refused.
    pub(super) wasted: usize,
    pub(super) most_in_use: u64,
}

/// One check out.
pub(super) struct Out {
    pub(super) name: String,
    pub(super) count: u64,
    pub(super) expires: Timestamp,
    extended: Option<Timestamp>,
    pub(super) client_token: String,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    NotSent,
    Throttled,
    /// AWS does it, and the answer is lost.
    Lost,
    /// AWS does not do it, and nobody can tell.
    Unknown,
}

pub(super) enum Answer {
    Out(LeaseId, CheckedOut),
    Extended(LeaseId, CheckedOut),
    In(LeaseId, CheckedIn),
}

impl Aws {
    pub(super) fn with(bought: u64) -> Aws {
        let bought = BTreeMap::from([("Seats".to_owned(), bought)]);
        Aws { bought, life: HOUR, memory: MINUTE * 10, ..Aws::default() }
    }

    pub(super) fn in_use(&self, name: &str) -> u64 {
        self.outs.values().filter(|out| out.name == name).map(|out| out.count).sum()
    }

    /// Other pods of the buyer take seats for good.
    pub(super) fn others_take(&mut self, name: &str, count: u64) {
        let left = self.bought.get(name).copied().unwrap_or_default();
        self.bought.insert(name.to_owned(), left - count);
    }

    pub(super) fn others_return(&mut self, name: &str, count: u64) {
        *self.bought.entry(name.to_owned()).or_default() += count;
    }

    pub(super) fn expire(&mut self, now: Timestamp) {
        self.outs.retain(|_, out| out.expires > now);
    }

    pub(super) fn carry_out(&mut self, command: &Command, fault: Fault, now: Timestamp) -> Answer {
        self.expire(now);
        let failed = |class| Failure { class, text: "no answer".into() };
        let early = match fault {
            Fault::NotSent => Some(failed(FailureClass::NotSent)),
            Fault::Throttled => Some(failed(FailureClass::Throttled)),
            Fault::Unknown => Some(failed(FailureClass::Unknown)),
            Fault::None | Fault::Lost => None,
        };
        let late = (fault == Fault::Lost).then(|| failed(FailureClass::Unknown));
        match command {
            Command::CheckOut { lease, want, token } => {
                let done = |aws: &mut Aws| aws.check_out(want, token, now);
                let outcome = early.map_or_else(|| done(self), CheckedOut::Failed);
                Answer::Out(*lease, late.map_or(outcome, CheckedOut::Failed))
            }
            Command::Extend { lease, token } => {
                let done = |aws: &mut Aws| aws.extend(token, now);
                let outcome = early.map_or_else(|| done(self), CheckedOut::Failed);
                Answer::Extended(*lease, late.map_or(outcome, CheckedOut::Failed))
            }
            Command::CheckIn { lease, token } => {
                if early.is_none() {
                    self.outs.remove(token.as_str());
                }
                Answer::In(*lease, early.or(late).map_or(CheckedIn::Done, CheckedIn::Failed))
            }
            other => panic!("no call: {other:?}"),
        }
    }

    fn check_out(&mut self, want: &Entitlement, token: &ClientToken, now: Timestamp) -> CheckedOut {
        if let Some((at, given)) = self.remembered.get(token.as_str())
            && now.since(*at) < self.memory
            && let Some(out) = self.outs.get(given)
        {
            return held(given, out.expires);
        }
        let none = || CheckedOut::NoneAllowed("maximum count reached".into());
        let unit = self.units.get(&want.name).map_or("Count", String::as_str);
        let Some(bought) = self.bought.get(&want.name).filter(|_| unit == want.unit) else {
            return none();
        };
        let count = match &want.value {
            Some(value) => value.parse().expect("a number"),
            None => 0,
        };
        assert_eq!(want.value.is_none(), unit == "None", "a value where none belongs: {want:?}");
        if self.in_use(&want.name) + count > *bought {
            return none();
        }
        self.made += 1;
        let given = format!("out-{}", self.made);
        let expires = now.after(self.life);
        self.remembered.insert(token.as_str().to_owned(), (now, given.clone()));
        let (name, client_token) = (want.name.clone(), token.as_str().to_owned());
        let out = Out { name, count, expires, extended: None, client_token };
        self.outs.insert(given.clone(), out);
        self.most_in_use = self.most_in_use.max(self.in_use(&want.name));
        held(&given, expires)
    }

    fn extend(&mut self, token: &ConsumptionToken, now: Timestamp) -> CheckedOut {
        let Some(out) = self.outs.get_mut(token.as_str()) else {
            return CheckedOut::Gone("no such token".into());
        };
        if out.extended.is_some_and(|extended| now.since(extended) < HOUR) {
            self.wasted += 1;
            let text = "one an hour".into();
            return CheckedOut::Failed(Failure { class: FailureClass::Throttled, text });
        }
        (out.extended, out.expires) = (Some(now), now.after(self.life));
        let expires = out.expires;
        let mut name = token.as_str().to_owned();
        if self.renames {
            let out = self.outs.remove(&name).expect("just seen");
            self.made += 1;
            name = format!("out-{}", self.made);
            self.outs.insert(name.clone(), out);
        }
        held(&name, expires)
    }
}

fn held(token: &str, expires: Timestamp) -> CheckedOut {
    let license_arn = Some("arn:aws:license-manager::294406891311:license:l-1".to_owned());
    CheckedOut::Held { token: token.into(), expires, license_arn }
}

/// One process, its hosts, and AWS.
pub(super) struct House {
    pub(super) seats: Seats,
    pub(super) aws: Aws,
    pub(super) now: Timestamp,
    pub(super) draw: Draw,
    pub(super) contract: Option<Contract>,
    linger: Duration,
    next: u64,
    /// Calls without an answer: a test answers them, unless `prompt`.
    pub(super) flying: VecDeque<Command>,
    /// Calls are answered at once.
    pub(super) prompt: bool,
    pub(super) fault: Fault,
    /// Hosts that wait, with the counts that they want.
    pub(super) waiting: BTreeMap<SeatId, u64>,
    pub(super) held: BTreeMap<SeatId, Timestamp>,
    pub(super) refused: BTreeMap<SeatId, Error>,
    pub(super) returned: BTreeMap<SeatId, Result<(), Error>>,
    pub(super) news: Vec<News>,
    pub(super) proved: Vec<(Entitlement, Option<String>)>,
    pub(super) seats_returned: u64,
    pub(super) durable: Vec<KeptLease>,
    pub(super) writes: usize,
}

impl House {
    pub(super) fn new(bought: u64, linger: Duration) -> House {
        House::over(Aws::with(bought), linger, 1)
    }

    pub(super) fn over(aws: Aws, linger: Duration, seed: u8) -> House {
        House {
            seats: Seats::new(linger),
            aws,
            now: START,
            draw: Draw::new([seed; 32]),
            contract: None,
            linger,
            next: 1,
            flying: VecDeque::new(),
            prompt: true,
            fault: Fault::None,
            waiting: BTreeMap::new(),
            held: BTreeMap::new(),
            refused: BTreeMap::new(),
            returned: BTreeMap::new(),
            news: Vec::new(),
            proved: Vec::new(),
            seats_returned: 0,
            durable: Vec::new(),
            writes: 0,
        }
    }

    pub(super) fn want(&mut self, count: u64) -> SeatId {
        self.want_of("Seats", count)
    }

    pub(super) fn want_of(&mut self, name: &str, count: u64) -> SeatId {
        let seat = SeatId(self.next);
        self.next += 1;
        self.waiting.insert(seat, count);
        let contract = self.contract.clone();
        let (now, draw) = (self.now, &mut self.draw);
        let step = self.seats.want(seat, spec(name), count, contract.as_ref(), now, draw);
        self.hear(step);
        seat
    }

    /// A seat that must be there at once.
    pub(super) fn get(&mut self, count: u64) -> SeatId {
        let seat = self.want(count);
        assert!(self.held.contains_key(&seat), "{:?}", self.refused.get(&seat));
        seat
    }

    /// The host gives it back, or waits no more.
    pub(super) fn release(&mut self, seat: SeatId) {
        self.waiting.remove(&seat);
        self.held.remove(&seat);
        let step = self.seats.release(seat, self.now, &mut self.draw);
        self.hear(step);
    }

    pub(super) fn why(&self, seat: SeatId) -> Error {
        self.seats.why_waiting(seat).expect("it waits")
    }

    /// Time passes, with everything that falls due on the way.
    pub(super) fn pass(&mut self, time: Duration) {
        let until = self.now.after(time);
        for _ in 0..100_000 {
            let Some(due) = self.seats.due().filter(|due| *due <= until) else {
                self.now = until;
                self.aws.expire(until);
                return;
            };
            self.now = self.now.max(due);
            self.aws.expire(self.now);
            let step = self.seats.tick(self.now, &mut self.draw);
            self.hear(step);
            let due = self.seats.due();
            assert!(
                due.is_none_or(|due| due > self.now),
                "due, and nothing is done: {:?}",
                self.seats
            );
        }
        panic!("time stands still: {:?}", self.seats);
    }

    /// Nothing runs meanwhile.
    pub(super) fn sleep(&mut self, time: Duration) {
        self.now = self.now.after(time);
        self.aws.expire(self.now);
        self.pass(Duration::ZERO);
    }

    /// The process dies, and another begins with what was durable.
    pub(super) fn crash(&mut self) {
        self.flying.clear();
        (self.waiting, self.held) = (BTreeMap::new(), BTreeMap::new());
        self.seats = Seats::new(self.linger);
        let step = self.seats.took(self.durable.clone(), self.now, &mut self.draw);
        self.hear(step);
        self.pass(Duration::ZERO);
    }

    pub(super) fn close(&mut self) {
        let step = self.seats.close(self.now, &mut self.draw);
        self.hear(step);
        self.pass(Duration::ZERO);
    }

    /// The oldest call without an answer gets one.
    pub(super) fn answer(&mut self, fault: Fault) {
        let command = self.flying.pop_front().expect("a call is on its way");
        let answer = self.aws.carry_out(&command, fault, self.now);
        self.hear_answer(answer);
    }

    pub(super) fn hear_answer(&mut self, answer: Answer) {
        let (now, contract) = (self.now, self.contract.clone());
        let (seats, draw) = (&mut self.seats, &mut self.draw);
        let step = match answer {
            Answer::Out(lease, outcome) => {
                seats.checked_out(lease, outcome, contract.as_ref(), now, draw)
            }
            Answer::Extended(lease, outcome) => seats.extended(lease, outcome, now, draw),
            Answer::In(lease, outcome) => seats.checked_in(lease, outcome, now, draw),
        };
        self.hear(step);
    }

    pub(super) fn hear(&mut self, step: Step) {
        self.news.extend(step.news);
        self.proved.extend(step.proved);
        self.seats_returned += step.returned;
        for command in step.commands {
            match command {
                Command::KeepHoldings => {
                    self.durable = self.seats.kept();
                    self.writes += 1;
                }
                Command::CheckOut { .. } | Command::Extend { .. } | Command::CheckIn { .. } => {
                    self.check_kept(&command);
                    self.aws.calls.push((self.now, command.clone()));
                    self.flying.push_back(command);
                }
                Command::SeatAnswer { seat, answer } => {
                    self.waiting.remove(&seat).expect("answered once, and somebody who waits");
                    match answer {
                        Ok(expires) => drop(self.held.insert(seat, expires)),
                        Err(error) => drop(self.refused.insert(seat, error)),
                    }
                }
                Command::SeatState { seat, expires: Some(expires) } => {
                    *self.held.get_mut(&seat).expect("held") = expires;
                }
                Command::SeatState { seat, expires: None } => drop(self.held.remove(&seat)),
                Command::SeatReturned { seat, answer } => {
                    assert!(!self.held.contains_key(&seat), "returned, and held still");
                    let before = self.returned.insert(seat, answer);
                    assert_eq!(before, None, "returned twice");
                }
                other => panic!("not of seats: {other:?}"),
            }
        }
        self.check();
        if self.prompt
            && let Some(command) = self.flying.pop_front()
        {
            let answer = self.aws.carry_out(&command, self.fault, self.now);
            self.hear_answer(answer);
        }
    }

    /// Before a check out leaves, its token is durable.
    fn check_kept(&self, command: &Command) {
        if let Command::CheckOut { token, .. } = command {
            let asks = |kept: &KeptLease| {
                kept.asking.as_ref().is_some_and(|asking| asking.client_token == *token)
            };
            assert!(self.durable.iter().any(asks), "sent before it was durable: {command:?}");
        }
    }

    /// What holds after each step.
    fn check(&self) {
        let kept = self.seats.kept();
        for lease in &kept {
            let asks = |kept: &KeptLease| lease.asking.is_none() || kept.asking == lease.asking;
            let gave = |kept: &KeptLease| lease.given.is_none() || kept.given == lease.given;
            assert!(self.durable.iter().any(asks), "asked for, and not durable: {lease:?}");
            assert!(self.durable.iter().any(gave), "held, and not durable: {lease:?}");
        }
        let mut tokens = BTreeSet::new();
        for lease in &kept {
            if let Some(given) = &lease.given {
                assert!(
                    tokens.insert(given.token.as_str().to_owned()),
                    "two leases with one token"
                );
            }
        }
        let mut users = BTreeSet::new();
        for entry in self.seats.leases.values() {
            if let User::Seat(seat) = entry.user {
                assert!(users.insert(seat), "a seat with two leases");
            }
        }
        assert_eq!(users, self.held.keys().copied().collect(), "hosts, and what serves them");
        let wishes: BTreeSet<SeatId> = self.seats.wishes.keys().copied().collect();
        assert_eq!(wishes, self.waiting.keys().copied().collect(), "a wish is lost");
    }

    pub(super) fn count(&self, kind: EventKind) -> usize {
        self.news.iter().filter(|news| news.kind == kind).count()
    }

    pub(super) fn check_outs(&self) -> usize {
        self.aws.calls.iter().filter(|(_, c)| matches!(c, Command::CheckOut { .. })).count()
    }

    pub(super) fn check_ins(&self) -> usize {
        self.aws.calls.iter().filter(|(_, c)| matches!(c, Command::CheckIn { .. })).count()
    }

    pub(super) fn extensions(&self) -> usize {
        self.aws.calls.iter().filter(|(_, c)| matches!(c, Command::Extend { .. })).count()
    }

    /// The most calls within any one second.
    pub(super) fn most_calls_a_second(&self) -> usize {
        let calls = &self.aws.calls;
        let within = |(from, (at, _)): (usize, &(Timestamp, Command))| {
            calls.iter().skip(from).take_while(|(later, _)| later.since(*at) < SECOND).count()
        };
        calls.iter().enumerate().map(within).max().unwrap_or_default()
    }
}
