//! Prepaid units: what the host wants of drawdown entitlements, drawn from AWS exactly once.
//!
//! A draw is a `PERPETUAL` check out, which cannot be returned. So its token is durable before its first byte leaves,
//! every try carries that token, and a draw whose fate stays unknown is never drawn anew: what the license's
//! consumption cannot disprove is disputed. Units are booked, durably, before the host hears that it may work.
//! Source: AWS License Manager API, `CheckoutLicense`; the time for which AWS knows a token again is not documented,
//! ten minutes are assumed. If it is shorter, AWS may take units twice; nothing is ever booked twice.
//!
//! **What `Kept` answers.** The engine passes on only the answer to the newest `KeepHoldings`. Each step that changes
//! what is kept wishes for one, and the snapshot is taken after the step. So whatever waits for `Kept` is in the
//! snapshot that it answers.

mod in_hand;
mod pool;
mod texts;

use self::pool::Pool;
use super::{
    command::{Command, News},
    draw::Draw,
    retry,
};
use crate::{
    error::Error,
    model::{
        holdings::KeptUnits,
        ids::{DrawId, EntitlementName},
        license::{Contract, Entitlement, EntitlementKind, EntitlementSpec},
        outcome::{Consumption, Drawn},
        time::Timestamp,
        usage::Account,
    },
};
use std::collections::BTreeMap;

/// All prepaid units of one process.
#[derive(Clone, Debug)]
pub struct Drawdown {
    pools: BTreeMap<EntitlementName, Pool>,
    /// Something is not durable yet.
    unwritten: bool,
    /// When to try again to make it durable.
    write_at: Option<Timestamp>,
    writes: u32,
    closing: bool,
    /// `now` is a guess.
    guess: bool,
}

/// What a step came to.
#[derive(Debug, Default)]
pub struct Step {
    /// What to do.
    pub commands: Vec<Command>,
    /// What to tell.
    pub news: Vec<News>,
    /// AWS gave units: the buyer has the entitlement, by this license.
    pub proved: Vec<(Entitlement, Option<String>)>,
}

/// A step in the making.
#[derive(Default)]
struct Out {
    step: Step,
    /// What is kept has changed.
    changed: bool,
}

impl Drawdown {
    /// Nothing drawn. Entitlements of other kinds are passed over.
    #[must_use]
    pub fn new(specs: &[EntitlementSpec]) -> Drawdown {
        let specs = specs.iter().filter(|spec| spec.kind == EntitlementKind::Drawdown);
        let pools = specs.map(|spec| {
            let name = EntitlementName::from(spec.name.as_str());
            (name.clone(), Pool::new(name, Some(spec.clone())))
        });
        Drawdown {
            pools: pools.collect(),
            unwritten: false,
            write_at: None,
            writes: 0,
            closing: false,
            guess: false,
        }
    }

    /// Units that a dead process held are ours now. The engine makes them durable in our own holdings: one
    /// `KeepHoldings` for everything that was taken over.
    pub fn took(&mut self, kept: BTreeMap<EntitlementName, KeptUnits>, now: Timestamp) -> Step {
        for (name, kept) in kept {
            let pool =
                self.pools.entry(name.clone()).or_insert_with(|| Pool::new(name.clone(), None));
            pool.guessing(self.guess);
            pool.took(kept, now);
            self.unwritten = true;
        }
        Step::default()
    }

    /// The host wants units.
    pub fn want(
        &mut self,
        draw: DrawId,
        entitlement: EntitlementName,
        quantity: u64,
        contract: Option<&Contract>,
        now: Timestamp,
        _random: &mut Draw,
    ) -> Step {
        let mut out = Out::default();
        match self.pools.get_mut(&entitlement) {
            _ if self.closing => out.answer(draw, Err(texts::shut_down(&entitlement))),
            Some(pool) if pool.configured() => pool.want(draw, quantity, contract, now, &mut out),
            _ => out.answer(draw, Err(texts::unknown(&entitlement))),
        }
        self.done(out)
    }

    /// The host waits no more.
    pub fn give_up(&mut self, draw: DrawId) -> Step {
        self.each(|pool, out| pool.give_up(draw, out))
    }

    /// Units were booked for a host that had stopped waiting: they serve the next wish.
    pub fn give_back(&mut self, entitlement: &EntitlementName, quantity: u64) -> Step {
        let mut out = Out::default();
        if let Some(pool) = self.pools.get_mut(entitlement) {
            pool.give_back(quantity, &mut out);
        }
        self.done(out)
    }

    /// Why the host got no units within its time.
    #[must_use]
    pub fn why_waiting(&self, draw: DrawId) -> Option<Error> {
        self.pools.values().find_map(|pool| pool.why_waiting(draw))
    }

    /// The holdings are durable, or not.
    pub fn kept(
        &mut self,
        outcome: &Result<(), String>,
        now: Timestamp,
        random: &mut Draw,
    ) -> Step {
        self.unwritten &= outcome.is_err();
        match outcome {
            Ok(()) => {
                (self.write_at, self.writes) = (None, 0);
                self.each(|pool, out| pool.written(now, out))
            }
            Err(why) => {
                if self.unwritten {
                    self.write_at = Some(now.after(retry::delay(retry::DRAW, self.writes, random)));
                    self.writes = self.writes.saturating_add(1);
                }
                self.each(|pool, out| pool.not_written(why, out))
            }
        }
    }

    /// Takes the answer to a draw.
    pub fn drawn(
        &mut self,
        entitlement: &EntitlementName,
        outcome: Drawn,
        contract: Option<&Contract>,
        now: Timestamp,
        random: &mut Draw,
    ) -> Step {
        let mut out = Out::default();
        if let Some(pool) = self.pools.get_mut(entitlement) {
            pool.drawn(outcome, contract, now, random, &mut out);
        }
        self.done(out)
    }

    /// Takes a reading of the license's consumption, whoever asked for it.
    pub fn consumption(
        &mut self,
        license_arn: &str,
        contract: Option<&Contract>,
        outcome: &Consumption,
        now: Timestamp,
        random: &mut Draw,
    ) -> Step {
        self.each(|pool, out| match outcome {
            Consumption::Read(all) => pool.read(license_arn, contract, all, out),
            Consumption::Failed(failure) => pool.unread(license_arn, failure, now, random, out),
        })
    }

    /// Time has passed. The engine calls this at the end of every step: what an input has made possible is done here.
    pub fn tick(&mut self, now: Timestamp, random: &mut Draw) -> Step {
        if self.closing {
            return Step::default();
        }
        let mut out = Out::default();
        if self.write_at.is_some_and(|at| at <= now) {
            self.write_at = None;
            out.changed = true;
        }
        for pool in self.pools.values_mut() {
            pool.tick(now, random, &mut out);
        }
        self.done(out)
    }

    /// Whether `now` is a guess from now on. By a guess nobody can tell for how long AWS has known the token of a dead
    /// process's draw, so it waits for AWS's time.
    pub fn guessing(&mut self, guess: bool) {
        self.guess = guess;
        self.pools.values_mut().for_each(|pool| pool.guessing(guess));
    }

    /// When something is to be done next.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        if self.closing {
            return None;
        }
        self.pools.values().filter_map(Pool::due).chain(self.write_at).min()
    }

    /// The clock has jumped by this much.
    pub fn shift(&mut self, ms: i64) {
        self.write_at = self.write_at.map(|at| at.shifted(ms));
        self.pools.values_mut().for_each(|pool| pool.shift(ms));
    }

    /// The guard ends: nothing new is drawn. A draw that waits for its next try is left to the next process.
    pub fn close(&mut self) -> Step {
        self.closing = true;
        self.each(Pool::close)
    }

    /// True when no draw is on its way.
    #[must_use]
    pub fn idle(&self) -> bool {
        self.pools.values().all(|pool| !pool.calling())
    }

    /// What must outlive the process.
    #[must_use]
    pub fn units(&self) -> BTreeMap<EntitlementName, KeptUnits> {
        let kept = self.pools.iter().map(|(name, pool)| (name.clone(), pool.kept()));
        kept.filter(|(_, kept)| *kept != KeptUnits::default()).collect()
    }

    fn each(&mut self, mut act: impl FnMut(&mut Pool, &mut Out)) -> Step {
        let mut out = Out::default();
        self.pools.values_mut().for_each(|pool| act(pool, &mut out));
        self.done(out)
    }

    /// What has changed becomes durable before anything that follows from it.
    fn done(&mut self, out: Out) -> Step {
        let Out { mut step, changed } = out;
        if changed {
            self.unwritten = true;
            step.commands.insert(0, Command::KeepHoldings);
        }
        step
    }
}

impl Out {
    fn answer(&mut self, draw: DrawId, answer: Result<(), Error>) {
        self.step.commands.push(Command::UnitsAnswer { draw, answer });
    }
}

/// An account of prepaid units, in the words of usage: `open` is drawn and not booked, `pending` is being drawn,
/// `delivered` is booked.
#[must_use]
pub fn account(entitlement: &EntitlementName, units: &KeptUnits) -> Account {
    let (open, pending, disputed) = (units.left(), units.asked(), units.disputed());
    let parts = [open, pending, units.booked, disputed];
    Account {
        dimension: entitlement.to_string(),
        added: parts.iter().fold(0, |sum, part| sum.saturating_add(*part)),
        open,
        pending,
        delivered: units.booked,
        disputed,
        held: 0,
        missed: 0,
    }
}

#[cfg(test)]
mod tests;
