//! Sending: each frozen record goes out until its fate is known.

use super::{
    IN_FLIGHT_MAX, Metering, Outage, Step,
    freeze::{about, window_end},
};
use crate::{
    event::EventKind,
    machine::{
        command::{Command, News},
        draw::Draw,
        retry,
    },
    model::{
        entry::{Entry, Fate},
        ids::RecordId,
        outcome::{Failure, FailureClass, RefusalReason, Sent},
        time::Timestamp,
    },
};

/// Throttled answers to one record from which on the account counts as throttled.
const THROTTLES_MANY: u32 = 3;
/// Most hours that go out as one. Longer would come near the window.
const STRETCH_MAX: i64 = 4;

impl Metering {
    /// True when another record may go out.
    pub(super) fn may_send(&self) -> bool {
        self.sends.values().filter(|send| send.in_flight).count() < IN_FLIGHT_MAX
    }

    /// Sends what is due, the oldest first, and settles what is too late.
    pub(super) fn send_due(&mut self, now: Timestamp, step: &mut Step) {
        if self.phase.is_none() || !self.time_known || self.left {
            return; // who we are is not known, or when: a record must not go out under another name or hour
        }
        let due = self.sends.iter().filter(|(_, send)| !send.in_flight && send.at <= now);
        for id in due.map(|(id, _)| *id).collect::<Vec<_>>() {
            let Some(kept) = self.books.records.get(&id) else {
                self.sends.remove(&id);
                continue;
            };
            if window_end(kept.record.hour) <= now {
                let fate = if kept.in_doubt {
                    Fate::Disputed { why: "its window closed before AWS answered".into() }
                } else {
                    Fate::Carried { why: "its window closed before it could be sent".into() }
                };
                self.settle(id, fate, step);
                continue;
            }
            if !self.may_send() {
                break;
            }
            let (record, begun) = (kept.record.clone(), kept.begun);
            if let Some(send) = self.sends.get_mut(&id) {
                send.in_flight = true;
            }
            if !begun {
                self.enter(Entry::Begun(id), step);
            }
            step.commands.push(Command::Send(record));
        }
    }

    /// Takes the answer to one send. The table of outcomes in the design, row by row.
    pub fn sent(&mut self, id: RecordId, outcome: Sent, now: Timestamp, draw: &mut Draw) -> Step {
        let mut step = Step::default();
        let Some(kept) = self.books.records.get(&id) else { return step };
        let in_doubt = kept.in_doubt;
        if let Some(send) = self.sends.get_mut(&id) {
            send.in_flight = false;
        }
        match outcome {
            Sent::Recorded { record_id, request_id } => {
                self.settle(id, Fate::Recorded { record_id, request_id }, &mut step);
                self.recovered(now, &mut step);
            }
            // Another record holds the slot, so ours was not recorded, whatever we thought before.
            Sent::Duplicate(text) => {
                let why = format!("another record holds the hour: {text}");
                self.settle(id, Fate::Carried { why }, &mut step);
            }
            Sent::OutOfBounds(text) if in_doubt => {
                let why = format!("out of bounds after an unknown attempt: {text}");
                self.settle(id, Fate::Disputed { why }, &mut step);
            }
            Sent::OutOfBounds(text) => {
                self.settle(id, Fate::Carried { why: format!("out of bounds: {text}") }, &mut step);
            }
            Sent::TokenConflict(text) => {
                let why = format!("client token known with another content: {text}");
                self.settle(id, Fate::Disputed { why }, &mut step);
            }
            // A missing permission heals when the role is repaired; the counts wait for that.
            Sent::Refused(refusal) if refusal.reason == RefusalReason::AccessDenied => {
                let failure = Failure { class: FailureClass::AccessDenied, text: refusal.text };
                self.failed(id, failure, now, draw, &mut step);
            }
            // Held counts may be billed by hand; these may be billed already.
            Sent::Refused(refusal) if in_doubt => {
                let why = format!("refused after an unknown attempt: {}", refusal.text);
                self.settle(id, Fate::Disputed { why }, &mut step);
            }
            Sent::Refused(refusal) => {
                self.settle(id, Fate::Held { why: refusal.text }, &mut step);
            }
            Sent::Failed(failure) => self.failed(id, failure, now, draw, &mut step),
            // Nothing left, and nothing can be written down about it either.
            Sent::Unwritten(text) => {
                let failure = Failure { class: FailureClass::NotSent, text };
                self.try_again(id, &failure, now, draw, &mut step);
            }
        }
        self.send_due(now, &mut step);
        step
    }

    fn failed(
        &mut self,
        id: RecordId,
        failure: Failure,
        now: Timestamp,
        draw: &mut Draw,
        step: &mut Step,
    ) {
        // Doubt about what the process before us sent is in no entry yet.
        let doubted = self.books.records.get(&id).is_some_and(|kept| kept.in_doubt);
        let in_doubt = doubted || failure.class == FailureClass::Unknown;
        let why = failure.text.clone();
        self.enter(Entry::Attempted { record: id, in_doubt, why }, step);
        if failure.class == FailureClass::Throttled
            && let Some(send) = self.sends.get_mut(&id)
        {
            send.throttles += 1;
            if send.throttles == THROTTLES_MANY {
                self.stretch = (self.stretch * 2).min(STRETCH_MAX);
            }
        }
        self.try_again(id, &failure, now, draw, step);
    }

    fn try_again(
        &mut self,
        id: RecordId,
        failure: &Failure,
        now: Timestamp,
        draw: &mut Draw,
        step: &mut Step,
    ) {
        if self.left {
            self.sends.remove(&id); // the next leader finds it in the ledger
            return;
        }
        let policy = if self.closing { retry::CLOSING } else { retry::METERING };
        let Some(hour) = self.books.records.get(&id).map(|kept| kept.record.hour) else { return };
        let Some(send) = self.sends.get_mut(&id) else { return };
        // Not later than the end of the window: then its fate is decided.
        let delay = retry::delay(policy, send.attempt, draw);
        send.at = now.after(delay).min(window_end(hour).max(now));
        send.attempt = send.attempt.saturating_add(1);
        if failure.class != FailureClass::Throttled && self.outage.is_none() {
            self.outage = Some(Outage { since: now, serious: false });
            let text = format!(
                "usage records do not get through: {}; they are kept and tried again",
                failure.text
            );
            step.news.push(
                News::new(EventKind::MeteringOutage, text)
                    .with("since_ms", now.0)
                    .with("serious", false),
            );
        }
    }

    fn settle(&mut self, id: RecordId, fate: Fate, step: &mut Step) {
        let Some(kept) = self.books.records.get(&id) else { return };
        let (record, attempts) = (kept.record.clone(), kept.attempts);
        let send = self.sends.remove(&id).unwrap_or_default();
        let (name, hour) = (&record.dimension, record.hour);
        let fate = match fate {
            Fate::Carried { why } if self.is_level(name) => Fate::Missed { why },
            fate => fate,
        };
        let news = |kind, text: String| {
            about(kind, text, name, hour, record.raw())
                .with("units", record.units.to_string())
                .with("attempts", attempts)
        };
        match &fate {
            Fate::Recorded { .. } => {
                if send.throttles == 0 {
                    self.stretch = (self.stretch / 2).max(1);
                }
            }
            Fate::Carried { why } => {
                let text =
                    format!("usage of `{name}` for {hour} is carried to a later hour: {why}");
                step.news.push(news(EventKind::UsageCarried, text));
            }
            Fate::Missed { why } => {
                let text = format!(
                    "level of `{name}` for {hour} is missed: {why}; a level is never moved to another hour"
                );
                step.news.push(news(EventKind::UsageMissed, text));
            }
            Fate::Disputed { why } => {
                let text = format!(
                    "{} units of `{name}` for {hour} are disputed: {why}; ask AWS whether they were recorded",
                    record.units
                );
                step.news.push(news(EventKind::UsageDisputed, text));
            }
            Fate::Held { why } => {
                let text = format!("{} units of `{name}` for {hour} are held: {why}", record.units);
                step.news.push(news(EventKind::UsageHeld, text));
            }
        }
        self.enter(Entry::Settled { record: id, fate }, step);
    }

    fn recovered(&mut self, now: Timestamp, step: &mut Step) {
        if let Some(outage) = self.outage.take() {
            let seconds = now.since(outage.since).as_secs();
            let text = format!("usage records get through again after {seconds} s");
            step.news.push(
                News::new(EventKind::MeteringRecovered, text).with("since_ms", outage.since.0),
            );
        }
    }

    /// An outage that lasts is told once more. Source: Seller Guide, custom metering for AMI products: never stop
    /// a product for metering failures shorter than two hours.
    pub(super) fn tell_outage(&mut self, now: Timestamp, step: &mut Step) {
        let stop = self.policy.outage_stop;
        let Some(outage) =
            self.outage.as_mut().filter(|o| !o.serious && o.since.after(stop) <= now)
        else {
            return;
        };
        outage.serious = true;
        let text = format!(
            "no usage record got through since {}; repair the connection, or usage is carried",
            outage.since
        );
        step.news.push(
            News::new(EventKind::MeteringOutage, text)
                .with("since_ms", outage.since.0)
                .with("serious", true),
        );
    }
}
