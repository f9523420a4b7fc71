//! The contract's half of the engine: looks, seats, prepaid units, and what a dead process held of them.

use super::{Engine, Out};
use crate::{
    event::EventKind,
    machine::{
        command::{Command, News},
        draw::Draw,
        drawdown::{self, Drawdown},
        recheck::{self, Question, Recheck},
        seats::{self, Seats},
    },
    model::{
        holdings::{Given, Holdings},
        license::{Contract, Entitlement, EntitlementSpec},
        outcome::{CheckedOut, Failure, FailureClass},
        time::Timestamp,
    },
};
use std::{collections::BTreeMap, fmt::Write, time::Duration};

/// The longest life of a check out that AWS documents; Marketplace's is an hour. [AC §4.3] Too long ends grace early,
/// too short would stretch it.
const SEAT_LIVES: Duration = Duration::from_secs(3 * 3600);

impl Engine {
    /// Runs a step of the look at the contract, and asks what it wants to know.
    pub(super) fn look(
        &mut self,
        out: &mut Out,
        now: Timestamp,
        act: impl FnOnce(&mut Recheck, &mut Draw) -> recheck::Step,
    ) {
        let Some(recheck) = &mut self.recheck else { return };
        let step = act(recheck, &mut self.draw);
        for mut news in step.news {
            if let (EventKind::LicenseDowngraded, Some(contract)) = (news.kind, self.contract()) {
                tell_held(&mut news, contract, &self.held());
            }
            out.news.push(news);
        }
        out.commands
            .extend(step.remember.map(|remembered| Command::Remember(Box::new(remembered))));
        for question in step.questions {
            match question {
                Question::Tiers(want, token) => {
                    out.commands.push(Command::AskTiers { want, token });
                }
                Question::Details(license_arn) => {
                    out.commands.push(Command::AskDetails { license_arn });
                }
                Question::Consumption(license_arn) => {
                    out.commands.push(Command::AskConsumption { license_arn });
                }
                Question::Prove(spec) => self.prove(spec, now, out),
            }
        }
    }

    /// Takes a seat that nobody wants; its answer is the proof of the contract. A seat that AWS holds for us already
    /// is as good.
    fn prove(&mut self, spec: EntitlementSpec, now: Timestamp, out: &mut Out) {
        let held = self.seats.kept().into_iter().filter(|lease| lease.entitlement == spec.name);
        let stays = |given: &Given| given.expires > now && !given.returning;
        if let Some(given) = held.filter_map(|lease| lease.given).find(stays) {
            let (token, expires) = (given.token, given.expires);
            let answer = CheckedOut::Held { token, expires, license_arn: None };
            // AWS gave it some time ago.
            let said_at = given.extended.unwrap_or(given.expires.before(SEAT_LIVES)).min(now);
            self.look(out, now, |recheck, draw| recheck.held_proof(&answer, said_at, now, draw));
            return;
        }
        let (name, before) = (spec.name.clone(), out.commands.len());
        self.seat(out, now, |seats, _, draw| seats.prove(spec, now, draw));
        self.proving = out.commands.iter().skip(before).find_map(|command| match command {
            Command::CheckOut { lease, .. } => Some(*lease),
            _ => None,
        });
        if self.proving.is_none() {
            let text = format!("a seat of `{name}` is being asked for; its answer is waited for");
            let answer = CheckedOut::Failed(Failure { class: FailureClass::NotSent, text });
            self.look(out, now, |recheck, draw| recheck.proof(&answer, now, draw));
        }
    }

    /// Seats that AWS holds for this process, by entitlement.
    fn held(&self) -> BTreeMap<String, u64> {
        let mut held = BTreeMap::new();
        for lease in self.seats.kept().into_iter().filter(|lease| lease.given.is_some()) {
            let sum: &mut u64 = held.entry(lease.entitlement).or_default();
            *sum = sum.saturating_add(lease.count);
        }
        held
    }

    /// Runs a step of the seats, and passes on what it came to.
    pub(super) fn seat(
        &mut self,
        out: &mut Out,
        now: Timestamp,
        act: impl FnOnce(&mut Seats, Option<&Contract>, &mut Draw) -> seats::Step,
    ) {
        let contract = self.recheck.as_ref().and_then(Recheck::answered);
        let step = act(&mut self.seats, contract, &mut self.draw);
        out.commands.extend(step.commands);
        out.news.extend(step.news);
        for (entitlement, license_arn) in step.proved {
            self.proved(entitlement, license_arn, now);
        }
        if self.closing {
            self.seats_returned += step.returned;
        }
    }

    /// The same for prepaid units.
    pub(super) fn draw_down(
        &mut self,
        out: &mut Out,
        now: Timestamp,
        act: impl FnOnce(&mut Drawdown, Option<&Contract>, &mut Draw) -> drawdown::Step,
    ) {
        let contract = self.recheck.as_ref().and_then(Recheck::answered);
        let step = act(&mut self.units, contract, &mut self.draw);
        out.commands.extend(step.commands);
        out.news.extend(step.news);
        for (entitlement, license_arn) in step.proved {
            self.proved(entitlement, license_arn, now);
        }
    }

    fn proved(&mut self, entitlement: Entitlement, license_arn: Option<String>, now: Timestamp) {
        if let Some(recheck) = &mut self.recheck {
            recheck.proved_by_check_out(entitlement, license_arn, now);
        }
    }

    pub(super) fn contract(&self) -> Option<&Contract> {
        self.recheck.as_ref().and_then(Recheck::contract)
    }

    /// What a dead process held is ours. Holdings that are in ours already are not taken again: that their file is
    /// still there means that we died before it was removed.
    pub(super) fn took(
        &mut self,
        id: Option<String>,
        holdings: Holdings,
        now: Timestamp,
        out: &mut Out,
    ) {
        match id {
            None => self.absorbed = holdings.absorbed,
            Some(id) => {
                if !self.absorbed.insert(id) {
                    return;
                }
            }
        }
        let Holdings { leases, units, .. } = holdings;
        self.seat(out, now, |seats, _, draw| seats.took(leases, now, draw));
        self.draw_down(out, now, |ours, _, _| ours.took(units, now));
        out.commands.push(Command::KeepHoldings);
    }

    /// What must outlive the process.
    #[must_use]
    pub fn holdings(&self) -> Holdings {
        Holdings {
            leases: self.seats.kept(),
            units: self.units.units(),
            absorbed: self.absorbed.clone(),
        }
    }

    /// The seats, for whoever stops waiting for one.
    #[must_use]
    pub fn seats(&self) -> &Seats {
        &self.seats
    }

    /// The prepaid units.
    #[must_use]
    pub fn units(&self) -> &Drawdown {
        &self.units
    }
}

/// A downgrade below the seats in use says so: they stay with whoever has them, and new ones are refused.
pub(super) fn tell_held(news: &mut News, contract: &Contract, held: &BTreeMap<String, u64>) {
    let max = |name: &str| match contract.entitlements.iter().find(|e| e.name == name) {
        Some(entitlement) => entitlement.max_count, // an unknown count says nothing
        None => Some(0),
    };
    let above = held.iter().filter_map(|(name, held)| Some((name, *held, max(name)?)));
    for (name, held, max) in above.filter(|(_, held, max)| held > max) {
        let _ = write!(
            news.text,
            "; this process holds {held} of `{name}`, {} more than the contract has now: return them, or buy more in AWS \
             Marketplace",
            held - max
        );
        news.details.insert("entitlement".to_owned(), name.as_str().into());
        news.details.insert("held".to_owned(), held.into());
    }
}
