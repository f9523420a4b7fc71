//! How old AWS's last yes is, and what of it outlives the process.
//!
//! Grace must not grow by anything that a buyer can do to a process or its clock. So its age is the longest of
//! three: the clock's, the latest moment that any process has seen, and the time that processes have run without a
//! confirmation. The last is paid in advance: what is written is never less than what has passed, so killing the
//! process in a loop wins nothing, and each start pays for a minute at once.

use super::Finding;
use crate::model::{
    license::{Contract, Remembered, Standing},
    time::Timestamp,
};
use std::time::Duration;

/// Running time that is paid at once: at least this, at most that.
const BLOCK_MIN: Duration = Duration::from_secs(60);
const BLOCK_MAX: Duration = Duration::from_secs(300);

/// A good answer that says nothing new is written again after this time.
const WRITE_AGAIN: Duration = Duration::from_secs(300);

#[derive(Clone, Debug)]
pub(super) struct Memory {
    /// When AWS last confirmed what is known. By AWS's time, when it comes from an earlier process.
    confirmed: Option<Timestamp>,
    /// AWS has confirmed it to this process.
    ours: bool,
    /// What an earlier process knew, until AWS answers this one.
    recalled: Option<Contract>,
    /// The latest moment that any process has seen, by AWS's time.
    seen: Timestamp,
    /// Running time without confirmation, of earlier processes.
    pub(super) base: Duration,
    /// Since when this process runs without one.
    since: Timestamp,
    /// What a start without confirmation costs at least.
    charge: Duration,
    /// Running time of this process that is paid.
    paid: Duration,
    /// What this process wrote last.
    written: Option<Remembered>,
    /// A confirmation is to be written.
    news: bool,
    /// `now` is AWS's time.
    pub(super) trusted: bool,
}

impl Memory {
    pub(super) fn new(now: Timestamp) -> Memory {
        Memory {
            confirmed: None,
            ours: false,
            recalled: None,
            seen: now,
            base: Duration::ZERO,
            since: now,
            charge: Duration::ZERO,
            paid: Duration::ZERO,
            written: None,
            news: false,
            trusted: false,
        }
    }

    pub(super) fn shift(&mut self, ms: i64) {
        self.since = self.since.shifted(ms);
        if self.ours {
            self.confirmed = self.confirmed.map(|at| at.shifted(ms));
            self.seen = self.seen.shifted(ms);
        }
    }

    pub(super) fn trust(&mut self) {
        self.trusted = true;
    }

    /// AWS confirmed at `said_at` what is known; what it has confirmed since stands.
    pub(super) fn confirm_at(&mut self, said_at: Timestamp, now: Timestamp) {
        let said_at = self.confirmed.map_or(said_at, |at| at.max(said_at)).min(now);
        self.confirm(said_at);
        self.seen = said_at.max(now);
    }

    /// AWS has confirmed what is known.
    pub(super) fn confirm(&mut self, now: Timestamp) {
        self.confirmed = Some(now);
        self.ours = true;
        self.recalled = None;
        self.seen = now;
        (self.base, self.charge, self.paid) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
        self.since = now;
        self.news = true;
    }

    /// An earlier process knew this.
    pub(super) fn recall(&mut self, remembered: Remembered) {
        let Remembered { contract, confirmed, seen, spent_ms } = remembered;
        self.confirmed = Some(confirmed);
        self.seen = seen.max(confirmed);
        self.base = Duration::from_millis(spent_ms);
        self.charge = BLOCK_MIN;
        self.recalled = Some(contract);
    }

    /// True when AWS has confirmed to this process what is known.
    pub(super) fn ours(&self) -> bool {
        self.ours
    }

    pub(super) fn confirmed(&self) -> Option<Timestamp> {
        self.confirmed
    }

    pub(super) fn recalled(&self) -> Option<&Contract> {
        self.recalled.as_ref()
    }

    /// Age of the last confirmation, by whatever makes it oldest.
    pub(super) fn since(&self, now: Timestamp) -> Duration {
        let Some(confirmed) = self.confirmed else { return Duration::MAX };
        let ran = self.base.saturating_add(self.charge.max(now.since(self.since)));
        now.since(confirmed).max(self.seen.since(confirmed)).max(ran)
    }

    /// What is left of this grace.
    pub(super) fn left(&self, grace: Duration, now: Timestamp) -> Duration {
        grace.saturating_sub(self.since(now))
    }

    /// The contract that stands in for an answer of AWS, while grace lasts and it has not ended.
    pub(super) fn stand_in(&self, grace: Duration, now: Timestamp) -> Option<Contract> {
        let contract = self.recalled.as_ref()?;
        let lasts = !self.left(grace, now).is_zero() && usable(contract, now.max(self.seen));
        lasts.then(|| contract.clone())
    }

    /// When more running time is to be paid.
    pub(super) fn due(&self, unconfirmed: bool) -> Option<Timestamp> {
        (unconfirmed && !self.paid.is_zero()).then(|| self.since.after(self.paid))
    }

    /// What to write now, if anything.
    pub(super) fn write(
        &mut self,
        known: Option<&Finding>,
        unconfirmed: bool,
        grace: Duration,
        now: Timestamp,
    ) -> Option<Remembered> {
        let confirmed = self.confirmed?;
        let contract = self.contract(known)?;
        if self.ours && !self.trusted && contract.standing == Standing::Usable {
            return None; // the moment would be a guess; AWS's time comes with its answers
        }
        let remembered = if self.ours && self.news {
            self.news = false;
            let old = self.written.as_ref().filter(|old| old.spent_ms == 0);
            let same = old.is_some_and(|old| {
                old.contract == contract && confirmed.since(old.confirmed) < WRITE_AGAIN
            });
            if same {
                return None;
            }
            Remembered { contract, confirmed, seen: self.seen, spent_ms: 0 }
        } else if unconfirmed {
            // Whatever a clock says of grace now, another process may find another time on it.
            if self.base.saturating_add(self.paid) >= grace || contract.standing != Standing::Usable
            {
                self.paid = Duration::MAX; // nothing is left that could be won
                return None;
            }
            self.pay(contract, confirmed, now)?
        } else {
            return None;
        };
        self.written = Some(remembered.clone());
        Some(remembered)
    }

    /// Pays for running time before it passes.
    fn pay(
        &mut self,
        contract: Contract,
        confirmed: Timestamp,
        now: Timestamp,
    ) -> Option<Remembered> {
        let ran = now.since(self.since);
        if !self.paid.is_zero() && ran < self.paid {
            return None;
        }
        // Whole seconds: a fraction of a millisecond would be due before it is reached.
        let block = Duration::from_secs(ran.as_secs() / 2).clamp(BLOCK_MIN, BLOCK_MAX);
        self.paid = ran.saturating_add(block);
        if self.trusted {
            self.seen = self.seen.max(now);
        }
        let spent = self.base.saturating_add(self.paid);
        let spent_ms = u64::try_from(spent.as_millis()).unwrap_or(u64::MAX);
        Some(Remembered { contract, confirmed, seen: self.seen, spent_ms })
    }

    /// What is remembered of what is known. AWS's no is remembered too, as a license that cannot be used: a start
    /// while License Manager does not answer must not revive what it replaced.
    fn contract(&self, known: Option<&Finding>) -> Option<Contract> {
        let mut contract = match known {
            Some(Finding::Has { contract, .. }) => contract.clone(),
            Some(Finding::Nothing(text)) => {
                let (standing, status) = (Standing::Suspended, Some(text.clone()));
                Contract { standing, status, ..Contract::default() }
            }
            None => self.recalled.clone()?,
        };
        contract.entitlements.iter_mut().for_each(|entitlement| entitlement.consumed = None);
        Some(contract)
    }
}

fn usable(contract: &Contract, now: Timestamp) -> bool {
    contract.standing == Standing::Usable && contract.expires.is_none_or(|end| now < end)
}
