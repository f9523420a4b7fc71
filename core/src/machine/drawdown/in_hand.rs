//! One draw in hand: from its intent to its last answer.

use crate::{
    machine::{draw::Draw, retry},
    model::{
        holdings::{ConsumedBefore, Dispute, KeptDraw},
        outcome::{Failure, FailureClass},
        time::Timestamp,
    },
};
use std::time::Duration;

/// How long AWS is assumed to know a token again. Source: `CreateToken`, whose client token counts for ten minutes; for
/// `CheckoutLicense` nothing is documented.
const TOKEN_KNOWN_FOR: Duration = Duration::from_secs(600);
/// A try that got no answer may still be at work at AWS for so long. A reading decides only after it.
const SETTLED_AFTER: Duration = Duration::from_secs(60);
/// A try ends within this time, with or without an answer.
const TRY_TAKES: Duration = Duration::from_secs(15);
/// How long one token is tried: whatever the last try does, it does while AWS still knows the token.
const SAME_TOKEN_FOR: Duration =
    TOKEN_KNOWN_FOR.saturating_sub(SETTLED_AFTER).saturating_sub(TRY_TAKES);
/// Reads of the consumption that may fail before a draw is disputed; they take about ten minutes.
const READS: u32 = 5;

/// One draw in hand.
#[derive(Clone, Debug)]
pub(super) struct InHand {
    pub(super) kept: KeptDraw,
    phase: Phase,
    /// Begun by this process, so by its clock.
    ours: bool,
    attempt: u32,
    reads: u32,
    /// When the last try ended of which nobody knows what it did.
    doubted: Timestamp,
    failure: Option<Failure>,
    /// The consumption was read meanwhile: perhaps it has these units already.
    read_over: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The intent is not durable yet.
    Writing,
    /// A try is on its way.
    Calling,
    /// The next try.
    Again(Timestamp),
    /// The consumption is being read.
    Reading,
    /// The next read.
    ReadAgain(Timestamp),
}

/// What is due of a draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Call,
    /// Read the consumption of this license.
    Read(String),
    /// Nobody can tell any more, for this reason.
    Dispute(String),
}

impl InHand {
    /// A new draw, whose intent is to be made durable.
    pub(super) fn new(kept: KeptDraw, now: Timestamp) -> InHand {
        InHand {
            kept,
            phase: Phase::Writing,
            ours: true,
            attempt: 0,
            reads: 0,
            doubted: now,
            failure: None,
            read_over: false,
        }
    }

    /// A draw of a dead process. Bytes of it may have left, whatever was written of it.
    pub(super) fn taken_over(kept: KeptDraw, now: Timestamp) -> InHand {
        // A beginning in the future is of a clock that was ahead; it must not lengthen the time of the token.
        let begun = kept.begun.min(now);
        let kept = KeptDraw { in_doubt: true, begun, ..kept };
        InHand { phase: Phase::Again(now), ours: false, ..InHand::new(kept, now) }
    }

    pub(super) fn writing(&self) -> bool {
        self.phase == Phase::Writing
    }

    /// True when this process began it.
    pub(super) fn ours(&self) -> bool {
        self.ours
    }

    pub(super) fn calling(&self) -> bool {
        self.phase == Phase::Calling
    }

    /// True when nothing was taken and nothing is on its way, so that it may be dropped.
    pub(super) fn droppable(&self) -> bool {
        !self.kept.in_doubt && matches!(self.phase, Phase::Writing | Phase::Again(_))
    }

    /// True when its fate is being looked for in the license's consumption.
    pub(super) fn unclear(&self) -> bool {
        matches!(self.phase, Phase::Reading | Phase::ReadAgain(_))
    }

    pub(super) fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// A reading has come while this draw was in hand.
    pub(super) fn read_over(&mut self) {
        self.read_over = true;
    }

    /// True when no reading has come since it was begun, so none has its units.
    pub(super) fn unread(&self) -> bool {
        !self.read_over
    }

    pub(super) fn due(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Again(at) | Phase::ReadAgain(at) => Some(at),
            _ => None,
        }
    }

    /// What is to be done by now. `busy` means that another draw is on its way. An entitlement that is not configured
    /// any more has no unit to ask for.
    pub(super) fn tick(&mut self, now: Timestamp, busy: bool, configured: bool) -> Option<Due> {
        if self.due().is_none_or(|at| at > now) {
            return None;
        }
        match self.phase {
            Phase::Again(_) if !configured || self.too_late(now) => self.look(now),
            Phase::Again(_) if busy => None,
            Phase::Again(_) => Some(Due::Call),
            Phase::ReadAgain(_) => {
                let before = self.kept.before.as_ref()?;
                self.phase = Phase::Reading;
                Some(Due::Read(before.license_arn.clone()))
            }
            _ => None,
        }
    }

    /// A try leaves. True when what is kept of it has changed.
    ///
    /// Tries that did nothing do not count: the time of the token, and the reading to compare with, are those of the
    /// first one that may have done something.
    pub(super) fn call(&mut self, before: Option<&ConsumedBefore>, now: Timestamp) -> bool {
        let first = std::mem::replace(&mut self.phase, Phase::Calling) == Phase::Writing;
        if first || self.kept.in_doubt {
            return false;
        }
        let fresh = KeptDraw { begun: now, before: before.cloned(), ..self.kept.clone() };
        let changed = fresh != self.kept;
        self.kept = fresh;
        self.read_over = false;
        changed
    }

    /// A try gave no answer to decide on. True when what is kept has changed.
    pub(super) fn failed(&mut self, failure: Failure, now: Timestamp, random: &mut Draw) -> bool {
        let unknown = failure.class == FailureClass::Unknown;
        let changed = unknown && !self.kept.in_doubt;
        if unknown {
            self.kept.in_doubt = true;
            self.doubted = now;
        }
        let mut at = now.after(retry::delay(retry::DRAW, self.attempt, random));
        if self.kept.in_doubt {
            at = at.min(self.kept.begun.after(SAME_TOKEN_FOR).max(now));
        }
        self.attempt = self.attempt.saturating_add(1);
        self.failure = Some(failure);
        self.phase = Phase::Again(at);
        changed
    }

    /// No try is of use any more: the license's consumption decides, if it was known before.
    pub(super) fn look(&mut self, now: Timestamp) -> Option<Due> {
        if self.kept.before.is_none() {
            return Some(Due::Dispute(
                "the license's consumption was not known before the draw".into(),
            ));
        }
        self.phase = Phase::ReadAgain(self.doubted.after(SETTLED_AFTER).max(now));
        None
    }

    /// A read of this license has failed.
    pub(super) fn unreadable(
        &mut self,
        license_arn: &str,
        failure: &Failure,
        now: Timestamp,
        random: &mut Draw,
    ) -> Option<Due> {
        if !self.reads_of(license_arn) {
            return None;
        }
        self.reads = self.reads.saturating_add(1);
        if failure.class == FailureClass::AccessDenied || self.reads > READS {
            let why = format!("the license's consumption cannot be read: {}", failure.text);
            return Some(Due::Dispute(why));
        }
        let delay = retry::delay(retry::CONSUMPTION, self.reads.saturating_sub(1), random);
        self.phase = Phase::ReadAgain(now.after(delay));
        None
    }

    /// True when a reading of this license decides.
    pub(super) fn reads_of(&self, license_arn: &str) -> bool {
        let ours = |before: &ConsumedBefore| before.license_arn == license_arn;
        self.phase == Phase::Reading && self.kept.before.as_ref().is_some_and(ours)
    }

    /// Whether a reading proves that nothing was taken; else why it does not.
    ///
    /// What `PERPETUAL` check outs have consumed never falls within one version of a license. So less than our quantity
    /// since before the first try means: ours was not among it. The other way round proves nothing, because another pod
    /// may have drawn as much. The limit of this: a license or version that is newer than the last recheck is not seen.
    pub(super) fn not_taken(&self, reading: Option<&ConsumedBefore>) -> Result<(), String> {
        let (Some(before), Some(reading)) = (&self.kept.before, reading) else {
            return Err("the license's consumption does not list the entitlement".into());
        };
        let same = before.license_arn == reading.license_arn && before.version == reading.version;
        if !same || before.version.is_none() {
            return Err("the license has changed since, or is not the only one".into());
        }
        match reading.consumed.checked_sub(before.consumed) {
            None => Err(format!(
                "the license's consumption fell from {} to {}",
                before.consumed, reading.consumed
            )),
            Some(more) if more < self.kept.quantity => Ok(()),
            Some(more) => Err(format!(
                "{more} units were drawn from the license since, by this draw or by others"
            )),
        }
    }

    /// Its fate will stay unknown.
    pub(super) fn dispute(self, why: String) -> Dispute {
        let KeptDraw { client_token, quantity, begun, .. } = self.kept;
        Dispute { client_token, quantity, begun, why }
    }

    /// The clock has jumped. What a dead process wrote was by its own clock.
    pub(super) fn shift(&mut self, ms: i64) {
        if self.ours {
            self.kept.begun = self.kept.begun.shifted(ms);
        }
        self.doubted = self.doubted.shifted(ms);
        if let Phase::Again(at) | Phase::ReadAgain(at) = &mut self.phase {
            *at = at.shifted(ms);
        }
    }

    fn too_late(&self, now: Timestamp) -> bool {
        self.kept.in_doubt && now.since(self.kept.begun) >= SAME_TOKEN_FOR
    }
}
