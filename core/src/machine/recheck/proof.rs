//! What a check out proves of a contract whose license cannot be read.

use super::{Finding, Look, On, Phase, Question, Recheck, Step, TierAnswer, seat_of};
use crate::{
    machine::draw::Draw,
    model::{
        license::{Contract, Entitlement, EntitlementKind, EntitlementSpec, Standing},
        outcome::CheckedOut,
        time::Timestamp,
    },
};
use std::time::Duration;

impl Recheck {
    /// The same by a seat that AWS gave before: what it said then is as old as that.
    pub fn held_proof(
        &mut self,
        outcome: &CheckedOut,
        said_at: Timestamp,
        now: Timestamp,
        draw: &mut Draw,
    ) -> Step {
        self.said_at = Some(said_at);
        self.proof(outcome, now, draw)
    }

    /// Takes the answer to the check out that [`Question::Prove`] asked for.
    pub fn proof(&mut self, outcome: &CheckedOut, now: Timestamp, draw: &mut Draw) -> Step {
        let Some((mut look, On::Proof(place))) = self.take_look(|on| matches!(on, On::Proof(_)))
        else {
            return Step::default();
        };
        match outcome {
            CheckedOut::Held { license_arn, .. } => {
                if let Some(spec) = self.floating(place) {
                    look.proof = Some(seat_of(spec));
                }
                // AWS's own managed policy allows to read by ARN, and this answer has it.
                if license_arn.is_some() && look.arn != *license_arn {
                    look.got = false;
                }
                look.arn = license_arn.clone().or(look.arn);
                self.read_on(look, now, draw)
            }
            CheckedOut::NoneAllowed(text) | CheckedOut::Gone(text) => {
                look.none_allowed.get_or_insert_with(|| text.clone());
                self.prove(look, place + 1, now, draw)
            }
            CheckedOut::Failed(failure) => {
                let mut news = self.tell_missing(&look);
                news.extend(self.missing("CheckoutLicense", failure));
                self.failed(failure.clone(), now, draw);
                Step { news, ..Step::default() }
            }
        }
    }

    /// Takes a seat of the floating entitlement at this place of the configuration, so that AWS says yes or no.
    pub(super) fn prove(
        &mut self,
        look: Box<Look>,
        place: usize,
        now: Timestamp,
        draw: &mut Draw,
    ) -> Step {
        if let Some(spec) = self.floating(place) {
            let question = Question::Prove(spec.clone());
            self.phase = Phase::Asking { look, on: On::Proof(place) };
            return Step::ask(question);
        }
        let news = self.tell_missing(&look);
        let mut step = Step::default();
        match (&look.tiers, &look.none_allowed, look.missing.into_iter().next()) {
            (Some(TierAnswer::None(text)), ..) => {
                step = self.found(Finding::Nothing(text.clone()), now, draw);
            }
            (_, Some(text), _) => {
                self.no_seat = Some(text.clone());
                self.rest(now, draw);
            }
            (_, None, Some((_, failure))) => self.failed(failure, now, draw),
            (_, None, None) => self.rest(now, draw),
        }
        step.news.extend(news);
        step
    }

    pub(super) fn floating(&self, place: usize) -> Option<&EntitlementSpec> {
        let mut floating =
            self.plan.counted.iter().filter(|spec| spec.kind == EntitlementKind::Floating);
        floating.nth(place)
    }

    /// AWS gave seats or units: that proves the contract when its license cannot be read.
    pub fn proved_by_check_out(
        &mut self,
        entitlement: Entitlement,
        license_arn: Option<String>,
        now: Timestamp,
    ) {
        if matches!(self.phase, Phase::Asking { on: On::Proof(_), .. }) {
            return; // the proof itself, which `proof` takes
        }
        let unread = self.unread.is_some();
        let news = match &mut self.known {
            None => {
                let arn = license_arn.clone();
                let contract = Contract {
                    entitlements: vec![entitlement],
                    license_arn,
                    ..Contract::default()
                };
                self.known = Some(Finding::Has { contract, whole: false });
                self.no_seat = None;
                self.memory.confirm(now);
                arn.is_some()
            }
            Some(Finding::Nothing(_)) => true,
            Some(Finding::Has { contract, whole }) if unread => {
                if contract.entitlements.iter().all(|old| old.name != entitlement.name) {
                    contract.entitlements.push(entitlement);
                    *whole = false;
                }
                let news = contract.license_arn.is_none() && license_arn.is_some();
                contract.license_arn = contract.license_arn.take().or(license_arn);
                self.no_seat = None;
                self.memory.confirm(now);
                news
            }
            Some(Finding::Has { contract, .. }) => {
                contract.standing != Standing::Usable || !self.memory.ours()
            }
        };
        if let Phase::Idle { at } = &mut self.phase
            && news
            && now.since(self.looked_at) >= Duration::from_secs(10)
        {
            *at = now; // now it can be read, or the no is no longer true
        }
    }

    /// AWS extended a seat: the contract that cannot be read is still there.
    pub fn extended(&mut self, now: Timestamp) {
        if self.unread.is_some() && self.contract().is_some() {
            self.no_seat = None;
            self.memory.confirm(now);
        }
    }
}
