//! Sending: each frozen record goes out until its fate is known.

use super::{IN_FLIGHT_MAX, Live, Metering, Outage, Step, freeze::window_end};
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

impl Metering {
    /// True when another record may go out.
    pub(super) fn may_send(&self) -> bool {
        self.records.values().filter(|live| live.in_flight).count() < IN_FLIGHT_MAX
    }

    /// Sends what is due, the oldest first, and settles what is too late.
    pub(super) fn send_due(&mut self, now: Timestamp, step: &mut Step) {
        if self.phase.is_none() {
            return; // who we are is not known: another identity's record must not be sent
        }
        let due: Vec<RecordId> = self
            .records
            .iter()
            .filter(|(_, live)| !live.in_flight && live.at <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            let Some(live) = self.records.get_mut(&id) else { continue };
            if window_end(live.record.hour) <= now {
                let fate = if live.in_doubt {
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
            let Some(live) = self.records.get_mut(&id) else { continue };
            live.in_flight = true;
            if !live.begun {
                live.begun = true;
                step.commands.push(Command::Commit(vec![Entry::Begun(id)]));
            }
            step.commands.push(Command::Send(live.record.clone()));
        }
    }

    /// Takes the answer to one send. The table of outcomes in the design, row by row.
    pub fn sent(&mut self, id: RecordId, outcome: Sent, now: Timestamp, draw: &mut Draw) -> Step {
        let mut step = Step::default();
        let Some(live) = self.records.get_mut(&id) else { return step };
        live.in_flight = false;
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
            Sent::OutOfBounds(text) if live.in_doubt => {
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
                self.try_again(id, &failure, now, draw, &mut step);
            }
            Sent::Refused(refusal) => {
                self.settle(id, Fate::Held { why: refusal.text }, &mut step);
            }
            Sent::Failed(failure) => self.try_again(id, &failure, now, draw, &mut step),
        }
        self.send_due(now, &mut step);
        step
    }

    fn try_again(
        &mut self,
        id: RecordId,
        failure: &Failure,
        now: Timestamp,
        draw: &mut Draw,
        step: &mut Step,
    ) {
        let policy = if self.closing { retry::CLOSING } else { retry::METERING };
        let Some(live) = self.records.get_mut(&id) else { return };
        live.in_doubt |= failure.class == FailureClass::Unknown;
        // Not later than the end of the window: then its fate is decided.
        let delay = retry::delay(policy, live.attempt, draw);
        live.at = now.after(delay).min(window_end(live.record.hour).max(now));
        live.attempt = live.attempt.saturating_add(1);
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
        let Some(live) = self.records.remove(&id) else { return };
        step.commands
            .push(Command::Commit(vec![Entry::Settled { record: id, fate: fate.clone() }]));
        let Live { record, dimension, .. } = live;
        let raw: u64 = record.raw.values().sum();
        let name = record.dimension.as_str();
        let news = |kind, text: String| {
            News::new(kind, text)
                .with("dimension", name)
                .with("hour_ms", record.hour.start().0)
                .with("units", record.units.to_string())
                .with("raw", raw)
        };
        let account = self.totals.get_mut(dimension);
        match fate {
            Fate::Recorded { .. } => {
                if let Some(account) = account {
                    account.delivered += raw;
                }
            }
            Fate::Carried { why } => {
                if let Some(spec) = self.dimensions.get(dimension).cloned() {
                    for hour in &record.carried_from {
                        if let Some(pool) = self.pool.get_mut(dimension) {
                            pool.from.insert(*hour);
                        }
                    }
                    self.no_slot(dimension, &spec, record.hour, record.raw.clone(), &why, step);
                }
            }
            Fate::Disputed { why } => {
                if let Some(account) = account {
                    account.disputed += raw;
                }
                let text = format!(
                    "{} units of `{name}` for {} are disputed: {why}; ask AWS whether they were recorded",
                    record.units, record.hour
                );
                step.news.push(news(EventKind::UsageDisputed, text));
            }
            Fate::Held { why } => {
                if let Some(account) = account {
                    account.held += raw;
                }
                let text = format!(
                    "{} units of `{name}` for {} are held: {why}",
                    record.units, record.hour
                );
                step.news.push(news(EventKind::UsageHeld, text));
            }
        }
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
        let stop = self.outage_stop;
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
