//! Looks at the contract: which tier was bought, how many seats, until when; and notices changes.
//!
//! Tiers are asked by an uncounted check out, everything else by reading the license: a counted check out
//! would take a seat at each look. Source: Seller Guide, contract pricing for container products.
//!
//! One look is: the tiers, all at once; the license, by its ARN or from the list; its consumption. Reading needs
//! permissions that a role may lack: then the check out's answer stands by itself, and where there is no tier to
//! ask for, one seat is taken as the proof and returned. `look` keeps what one look has heard, `memory` how old the
//! last yes is, `part` says what all that means for the verdict.

use super::{command::News, draw::Draw, plan::ContractPlan, retry};
use crate::{
    event::EventKind,
    model::{
        ids::{ClientToken, EntitlementName},
        license::{Contract, Entitlement, EntitlementSpec, Remembered, Standing},
        outcome::{Consumed, Consumption, Details, Failure, FailureClass, Tiers},
        time::Timestamp,
    },
};
use diagnostics::Diagnostics;
use look::{Look, On, TierAnswer};
use marks::Marks;
use memory::Memory;
use std::time::Duration;

mod change;
mod diagnostics;
mod look;
mod marks;
mod memory;
mod part;
mod proof;

/// A change that takes rights away is looked at again after this time before it is believed.
const CONFIRM_AFTER: Duration = Duration::from_secs(60);

/// Every so many looks the licenses are listed although the ARN is known: another one may have come.
const LIST_EVERY: u32 = 4;

/// State of the looking.
#[derive(Clone, Debug)]
pub struct Recheck {
    plan: ContractPlan,
    phase: Phase,
    attempt: u32,
    looks: u32,
    /// What holds now: the contract, or the text of AWS's no.
    known: Option<Finding>,
    /// What one answer said that takes rights away.
    doubt: Option<Finding>,
    /// When a look last ended, with or without an answer.
    looked_at: Timestamp,
    /// Why the last look had no answer.
    failure: Option<Failure>,
    /// Why the license cannot be read: a permission is missing.
    unread: Option<Failure>,
    /// AWS gives no seat, and nothing else would tell whether there is a contract.
    no_seat: Option<String>,
    memory: Memory,
    diagnostics: Diagnostics,
    marks: Marks,
    /// The end that was told as reached.
    ended: Option<Timestamp>,
    /// What `GetLicenseUsage` said last, and of which license.
    consumed: Option<(String, Vec<Consumed>)>,
    /// When AWS gave the seat that this look rests on, when that was before it.
    said_at: Option<Timestamp>,
}

#[derive(Clone, Debug)]
enum Phase {
    Idle { at: Timestamp },
    Asking { look: Box<Look>, on: On },
}

/// What a look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// The buyer has this. `whole` when the license itself was read, now or before.
    Has { contract: Contract, whole: bool },
    /// AWS says that there is nothing.
    Nothing(String),
}

/// The next question of a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Uncounted check out of all tiers.
    Tiers(Vec<EntitlementName>, ClientToken),
    /// Read the license of this ARN, or find it.
    Details(Option<String>),
    /// Read how much of it is taken.
    Consumption(String),
    /// Take one seat as the proof of the contract, which nothing else would give. Brings [`Recheck::proof`].
    Prove(EntitlementSpec),
}

/// What a step came to.
#[derive(Debug, Default)]
pub struct Step {
    /// What to ask.
    pub questions: Vec<Question>,
    /// What to tell.
    pub news: Vec<News>,
    /// What to keep for the next start.
    pub remember: Option<Remembered>,
}

impl Step {
    fn ask(question: Question) -> Step {
        Step { questions: vec![question], ..Step::default() }
    }
}

/// It has a version, because it was read.
static NOTHING: Contract = Contract {
    license_arn: None,
    version: Some(String::new()),
    entitlements: Vec::new(),
    expires: None,
    standing: Standing::Usable,
    status: None,
    others: 0,
};

impl Recheck {
    /// A machine that looks for the first time at once.
    #[must_use]
    pub fn new(plan: ContractPlan, now: Timestamp) -> Recheck {
        Recheck {
            marks: Marks::new(plan.expiring_notice),
            plan,
            phase: Phase::Idle { at: now },
            attempt: 0,
            looks: 0,
            known: None,
            doubt: None,
            looked_at: now,
            failure: None,
            unread: None,
            no_seat: None,
            memory: Memory::new(now),
            diagnostics: Diagnostics::default(),
            ended: None,
            consumed: None,
            said_at: None,
        }
    }

    /// The contract that holds now.
    #[must_use]
    pub fn contract(&self) -> Option<&Contract> {
        match &self.known {
            Some(Finding::Has { contract, .. }) => Some(contract),
            _ => None,
        }
    }

    /// The same for wishes: AWS's answer that there is no license is a license without anything in it.
    #[must_use]
    pub fn answered(&self) -> Option<&Contract> {
        match &self.known {
            Some(Finding::Nothing(_)) => Some(&NOTHING),
            _ => self.contract(),
        }
    }

    /// The clock has jumped by this much. Times that AWS gave stay.
    pub fn shift(&mut self, ms: i64) {
        if let Phase::Idle { at } = &mut self.phase {
            *at = at.shifted(ms);
        }
        self.looked_at = self.looked_at.shifted(ms);
        self.memory.shift(ms);
    }

    /// From now on `now` is AWS's time, and no guess.
    pub fn trust(&mut self) {
        self.memory.trust();
    }

    /// When something is to be done next.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        let look = match self.phase {
            Phase::Idle { at } => [Some(at), self.end_to_look_at()],
            Phase::Asking { .. } => [None, None],
        };
        let usable = self.contract().filter(|contract| contract.standing == Standing::Usable);
        let mark = usable.and_then(|contract| self.marks.due(contract.expires?));
        let write = self.memory.due(self.unconfirmed());
        look.into_iter().chain([mark, write]).flatten().min()
    }

    /// Time has passed: maybe a question, maybe news. It ends each step of the engine.
    pub fn tick(&mut self, now: Timestamp, draw: &mut Draw) -> Step {
        self.stand_on_memory(now);
        let mut step = Step { news: self.news_of_time(now), ..Step::default() };
        step.remember =
            self.memory.write(self.known.as_ref(), self.unconfirmed(), self.plan.grace, now);
        let Phase::Idle { at } = self.phase else { return step };
        let end = self.end_to_look_at().is_some_and(|end| end <= now);
        if at <= now || end {
            let begun = self.begin(now, draw);
            step.questions.extend(begun.questions);
            step.news.extend(begun.news);
        }
        step
    }

    fn begin(&mut self, now: Timestamp, draw: &mut Draw) -> Step {
        self.looks = self.looks.wrapping_add(1);
        self.said_at = None;
        // An ARN that an earlier process knew is worth a try: reading by ARN needs fewer permissions than the list.
        let known = self.contract().or(self.memory.recalled());
        let mut look = Box::new(Look {
            arn: known.and_then(|contract| contract.license_arn.clone()),
            lists_first: self.looks % LIST_EVERY == 2,
            ..Look::default()
        });
        let askable = look::askable(&self.plan.tiers, self.contract());
        if askable.is_empty() {
            return self.read_on(look, now, draw);
        }
        look.asked.clone_from(&askable);
        self.phase = Phase::Asking { look, on: On::Tiers };
        // A fresh token each time: a replayed one would be answered from memory.
        Step::ask(Question::Tiers(askable, draw.client_token()))
    }

    /// Takes the answer about tiers.
    pub fn tiers(&mut self, answer: Tiers, now: Timestamp, draw: &mut Draw) -> Step {
        let Some((mut look, On::Tiers)) = self.take_look(|on| *on == On::Tiers) else {
            return Step::default();
        };
        match answer {
            Tiers::Bought { entitlements, license_arn } => {
                look.named |= license_arn.is_some();
                look.arn = license_arn.clone().or(look.arn);
                look.tiers = Some(TierAnswer::Bought { entitlements, license_arn });
                // AWS has just let us check out of it: at most its details are older.
                if self.still_bought(&look) {
                    if self.known.is_none() {
                        let recalled = self.memory.recalled().cloned();
                        self.known =
                            recalled.map(|contract| Finding::Has { contract, whole: true });
                    }
                    self.memory.confirm(now);
                }
            }
            // The exception does not say why: the license itself does, when it can be read.
            Tiers::None(text) => look.tiers = Some(TierAnswer::None(text)),
            Tiers::Failed(failure) => {
                let news = self.missing("CheckoutLicense", &failure);
                self.failed(failure, now, draw);
                return Step { news, ..Step::default() };
            }
        }
        self.diagnostics.permitted("CheckoutLicense");
        self.read_on(look, now, draw)
    }

    /// Takes an answer about the license.
    pub fn details(&mut self, answer: Details, now: Timestamp, draw: &mut Draw) -> Step {
        let Some((mut look, on)) = self.take_look(|on| matches!(on, On::Get | On::List)) else {
            return Step::default();
        };
        let operation = on.operation();
        match answer {
            Details::Found(contract) => {
                self.said_at = None;
                self.diagnostics.permitted(operation);
                let others = self.others_before(&contract);
                look.found(contract, &on, others);
            }
            Details::Nothing(text) => {
                self.diagnostics.permitted(operation);
                look.nothing.get_or_insert(text);
            }
            Details::Failed(failure) if failure.class == FailureClass::AccessDenied => {
                look.missing.push((operation, failure));
            }
            // What the other read has told is enough.
            Details::Failed(_) if look.usable() => {}
            Details::Failed(failure) => {
                self.failed(failure, now, draw);
                return Step::default();
            }
        }
        self.read_on(look, now, draw)
    }

    /// The next read of a look, or its end.
    fn read_on(&mut self, look: Box<Look>, now: Timestamp, draw: &mut Draw) -> Step {
        match look.next() {
            Some(on) => self.read(look, on),
            None => self.finish(look, now, draw),
        }
    }

    fn read(&mut self, mut look: Box<Look>, on: On) -> Step {
        let arn = if on == On::Get { look.arn.clone() } else { None };
        look.got |= on == On::Get;
        look.listed |= on == On::List;
        self.phase = Phase::Asking { look, on };
        Step::ask(Question::Details(arn))
    }

    /// Everything that can be read was read.
    fn finish(&mut self, mut look: Box<Look>, now: Timestamp, draw: &mut Draw) -> Step {
        if let Some(again) = look.tiers_again(&self.plan.tiers) {
            look.asked.clone_from(&again);
            self.phase = Phase::Asking { look, on: On::Tiers };
            return Step::ask(Question::Tiers(again, draw.client_token()));
        }
        let denied = look.missing.first().map(|(_, failure)| failure.clone());
        let bought = matches!(look.tiers, Some(TierAnswer::Bought { .. }));
        let finding = if let Some(contract) = look.contract.take() {
            self.unread = None;
            look::merge(contract, look.tiers.take(), &self.plan)
        } else if bought || look.proof.is_some() {
            self.unread = denied;
            look::carry(self.known.as_ref(), &look, &self.plan.tiers, now)
        } else if let Some(failure) = denied.filter(|_| look.nothing.is_none()) {
            return self.unreadable(look, failure, now, draw);
        } else {
            Finding::Nothing(look.why_nothing())
        };
        let news = self.tell_missing(&look);
        let mut step = self.found(finding, now, draw);
        step.news.extend(news);
        step
    }

    /// The license cannot be read and no tier speaks for it: what is known of seats stands a while, then one seat is
    /// taken as the proof.
    fn unreadable(
        &mut self,
        look: Box<Look>,
        failure: Failure,
        now: Timestamp,
        draw: &mut Draw,
    ) -> Step {
        self.unread = Some(failure);
        let known = match &self.known {
            Some(Finding::Has { contract, whole }) => {
                look::without_tiers(contract, &self.plan.tiers).map(|rest| (rest, *whole))
            }
            _ => None,
        };
        let Some((rest, whole)) = known else { return self.prove(look, 0, now, draw) };
        if !self.memory.ours() || self.memory.since(now) >= self.proof_stands() {
            return self.prove(look, 0, now, draw);
        }
        let news = self.tell_missing(&look);
        let mut step = if self.contract() == Some(&rest) {
            self.rest(now, draw);
            Step::default()
        } else {
            self.said_at = self.memory.confirmed(); // of what is left AWS has said nothing new
            self.found(Finding::Has { contract: rest, whole }, now, draw)
        };
        step.news.extend(news);
        step
    }

    /// An earlier process knew this contract: grace rests on it while AWS does not answer.
    pub fn remembered(&mut self, remembered: Remembered, _now: Timestamp) {
        if self.known.is_none() {
            self.memory.recall(remembered);
        }
    }

    /// Takes a reading of the license's consumption, whoever asked for it.
    pub fn consumption(&mut self, license_arn: &str, outcome: &Consumption) -> Vec<News> {
        match outcome {
            Consumption::Read(consumed) => {
                self.diagnostics.permitted("GetLicenseUsage");
                self.consumed = Some((license_arn.to_owned(), consumed.clone()));
                self.fill_consumed();
                Vec::new()
            }
            Consumption::Failed(failure) => self.missing("GetLicenseUsage", failure),
        }
    }

    /// The reading belongs to the license that it was made of.
    fn fill_consumed(&mut self) {
        let Some(Finding::Has { contract, .. }) = &mut self.known else { return };
        let Some((arn, consumed)) = &self.consumed else { return };
        if contract.license_arn.as_ref() != Some(arn) {
            return;
        }
        for entitlement in &mut contract.entitlements {
            let read = consumed.iter().find(|read| read.name == entitlement.name);
            entitlement.consumed = read.map(|read| read.consumed);
        }
    }

    fn failed(&mut self, failure: Failure, now: Timestamp, draw: &mut Draw) {
        let mut delay = retry::delay(retry::CONTRACT, self.attempt, draw);
        if self.known.is_none() && failure.class != FailureClass::AccessDenied {
            delay = retry::start_delay(failure.class, self.attempt, draw); // somebody waits for it
        }
        self.attempt = self.attempt.saturating_add(1);
        self.failure = Some(failure);
        self.no_seat = None;
        self.looked_at = now;
        self.phase = Phase::Idle { at: now.after(delay) };
    }

    /// A look ended that neither confirms nor denies.
    fn rest(&mut self, now: Timestamp, draw: &mut Draw) {
        self.attempt = 0;
        self.failure = None;
        self.looked_at = now;
        self.phase = Phase::Idle { at: now.after(draw.around(self.plan.interval, 10)) };
    }

    fn found(&mut self, finding: Finding, now: Timestamp, draw: &mut Draw) -> Step {
        self.rest(now, draw);
        self.no_seat = None;
        let said_at = self.said_at.take().unwrap_or(now);
        let change = match &self.known {
            None => change::Change::none(),
            Some(known) => change::between(known, &finding, &self.plan.tiers),
        };
        if change.removes
            && !self.doubt.as_ref().is_some_and(|doubt| change::agree(doubt, &finding))
        {
            if matches!(&finding, Finding::Has { contract, .. } if contract.standing == Standing::Usable)
            {
                self.memory.confirm_at(said_at, now); // fewer rights, but a license
            }
            self.doubt = Some(finding);
            self.phase = Phase::Idle { at: now.after(draw.around(CONFIRM_AFTER, 10)) };
            return Step::default();
        }
        self.doubt = None;
        let end = self.contract().and_then(|contract| contract.expires);
        let mut news: Vec<News> = change.news.into_iter().collect();
        // The end was told when it came.
        news.retain(|news| {
            news.kind != EventKind::LicenseExpired || end.is_none() || self.ended != end
        });
        if news.iter().any(|news| news.kind == EventKind::LicenseExpired) {
            self.ended = end;
        }
        self.known = Some(finding);
        self.memory.confirm_at(said_at, now);
        self.fill_consumed();
        let Some(Finding::Has { contract, whole }) = &self.known else {
            return Step { news, ..Step::default() };
        };
        let mut questions = Vec::new();
        if contract.standing == Standing::Usable {
            if *whole {
                news.extend(self.diagnostics.compare(contract, &self.plan));
            }
            if let Some(arn) =
                contract.license_arn.clone().filter(|_| !self.plan.counted.is_empty())
            {
                questions.push(Question::Consumption(arn));
            }
        }
        Step { questions, news, remember: None }
    }

    /// While AWS gives no answer at all, the contract that an earlier process knew holds for what is left of grace.
    fn stand_on_memory(&mut self, now: Timestamp) {
        if self.known.is_some() || self.failure.is_none() {
            return;
        }
        if let Some(contract) = self.memory.stand_in(self.plan.grace, now) {
            self.known = Some(Finding::Has { contract, whole: true });
        }
    }

    /// AWS has not confirmed lately what is known.
    fn unconfirmed(&self) -> bool {
        self.failure.is_some() || self.doubt.is_some() || !self.memory.ours()
    }

    fn news_of_time(&mut self, now: Timestamp) -> Vec<News> {
        let Some(Finding::Has { contract, .. }) = &self.known else { return Vec::new() };
        let (Some(end), Standing::Usable) = (contract.expires, contract.standing) else {
            return Vec::new();
        };
        let mut news: Vec<News> = self.marks.told(end, now).into_iter().collect();
        if end <= now && self.looked_at >= end && self.ended != Some(end) {
            self.ended = Some(end);
            let text =
                format!("the license ended at {end}; renew the agreement in AWS Marketplace");
            news.push(News::new(EventKind::LicenseExpired, text).with("expires_ms", end.0));
        }
        news
    }

    /// The license's end, when nobody has looked since.
    fn end_to_look_at(&self) -> Option<Timestamp> {
        self.contract()?.expires.filter(|end| self.looked_at < *end)
    }

    /// How many other licenses there were when the licenses were listed last.
    fn others_before(&self, contract: &Contract) -> usize {
        let known = self.contract().filter(|known| known.license_arn == contract.license_arn);
        known.map_or(0, |known| known.others)
    }

    fn missing(&mut self, operation: &'static str, failure: &Failure) -> Vec<News> {
        if failure.class != FailureClass::AccessDenied {
            return Vec::new();
        }
        self.diagnostics.missing(&[(operation, failure.clone())]).into_iter().collect()
    }

    fn tell_missing(&mut self, look: &Look) -> Vec<News> {
        self.diagnostics.missing(&look.missing).into_iter().collect()
    }

    /// Every tier that is known was allowed in this look.
    fn still_bought(&self, look: &Look) -> bool {
        let Some(TierAnswer::Bought { entitlements, .. }) = &look.tiers else { return false };
        let known = self.contract().or_else(|| self.memory.recalled());
        let usable = known.filter(|known| known.standing == Standing::Usable);
        let tiers = self.plan.tiers.iter().map(EntitlementName::as_str);
        usable.is_some_and(|known| {
            let has = |all: &[Entitlement], name| all.iter().any(|e| e.name == name);
            tiers.into_iter().all(|tier| !has(&known.entitlements, tier) || has(entitlements, tier))
        })
    }

    fn take_look(&mut self, expected: impl FnOnce(&On) -> bool) -> Option<(Box<Look>, On)> {
        match &self.phase {
            Phase::Asking { on, .. } if expected(on) => {}
            _ => return None, // an answer that nobody waits for
        }
        // Whoever takes it says at once what comes next.
        let nothing = Phase::Idle { at: self.looked_at.after(self.plan.interval) };
        match std::mem::replace(&mut self.phase, nothing) {
            Phase::Asking { look, on } => Some((look, on)),
            Phase::Idle { .. } => None,
        }
    }
}

fn seat_of(spec: &EntitlementSpec) -> Entitlement {
    let (name, unit) = (spec.name.clone(), spec.unit.clone());
    Entitlement { name, unit, ..Entitlement::default() }
}

#[cfg(test)]
mod tests;
