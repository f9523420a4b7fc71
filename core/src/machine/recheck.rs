//! Looks at the contract: which tier was bought, how many seats, until when; and notices changes.
//!
//! Tiers are asked by an uncounted check out, everything else by reading the license: a counted check out
//! would take a seat at each look. Source: Seller Guide, contract pricing for container products.

use super::{
    command::News, draw::Draw, plan::ContractPlan, proof::pending_reason, retry, verdict::Part,
};
use crate::{
    event::EventKind,
    model::{
        ids::{ClientToken, EntitlementName},
        license::{Contract, Entitlement, Reason, Standing, Verdict},
        outcome::{Details, Failure, FailureClass, Tiers},
        time::Timestamp,
    },
};
use std::time::Duration;

mod change;

/// A change that takes rights away is looked at again after this time before it is believed.
const CONFIRM_AFTER: Duration = Duration::from_secs(60);

/// State of the looking.
#[derive(Clone, Debug)]
pub struct Recheck {
    plan: ContractPlan,
    phase: Phase,
    attempt: u32,
    /// What holds now: the contract, or the text of AWS's no.
    known: Option<Finding>,
    /// What one answer said that takes rights away.
    doubt: Option<Finding>,
    /// When AWS last gave an answer to decide on.
    good_at: Timestamp,
    /// When a look last ended, with or without an answer.
    looked_at: Timestamp,
    failure: Option<Failure>,
    /// End of the license that was announced as near.
    noticed: Option<Timestamp>,
}

#[derive(Clone, Debug)]
enum Phase {
    Idle { at: Timestamp },
    Tiers,
    Details { tiers: Option<TierAnswer> },
}

#[derive(Clone, Debug)]
enum TierAnswer {
    Bought { entitlements: Vec<Entitlement>, license_arn: Option<String> },
    None(String),
}

/// What a look found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// The buyer has this.
    Has(Contract),
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
}

impl Recheck {
    /// A machine that looks for the first time at once.
    #[must_use]
    pub fn new(plan: ContractPlan, now: Timestamp) -> Recheck {
        Recheck {
            plan,
            phase: Phase::Idle { at: now },
            attempt: 0,
            known: None,
            doubt: None,
            good_at: now,
            looked_at: now,
            failure: None,
            noticed: None,
        }
    }

    /// The contract that holds now.
    #[must_use]
    pub fn contract(&self) -> Option<&Contract> {
        match &self.known {
            Some(Finding::Has(contract)) => Some(contract),
            _ => None,
        }
    }

    /// The clock has jumped by this much. Times that AWS gave stay.
    pub fn shift(&mut self, ms: i64) {
        if let Phase::Idle { at } = &mut self.phase {
            *at = at.shifted(ms);
        }
        self.good_at = self.good_at.shifted(ms);
        self.looked_at = self.looked_at.shifted(ms);
    }

    /// When something is to be done next.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        let Phase::Idle { at } = self.phase else { return None };
        [Some(at), self.notice_at(), self.end_to_look_at()].into_iter().flatten().min()
    }

    /// Time has passed: maybe a question, maybe news.
    pub fn tick(&mut self, now: Timestamp, draw: &mut Draw) -> (Option<Question>, Vec<News>) {
        let news = self.notice(now);
        let Phase::Idle { at } = self.phase else { return (None, news) };
        let end = self.end_to_look_at().is_some_and(|end| end <= now);
        if at > now && !end {
            return (None, news);
        }
        if self.plan.tiers.is_empty() {
            self.phase = Phase::Details { tiers: None };
            return (Some(Question::Details(self.license_arn())), news);
        }
        self.phase = Phase::Tiers;
        // A fresh token each time: a replayed one would be answered from memory.
        (Some(Question::Tiers(self.plan.tiers.clone(), draw.client_token())), news)
    }

    /// Takes the answer about tiers.
    pub fn tiers(&mut self, answer: Tiers, now: Timestamp, draw: &mut Draw) -> Option<Question> {
        let (tiers, arn) = match answer {
            Tiers::Bought { entitlements, license_arn } => {
                let arn = license_arn.clone();
                (TierAnswer::Bought { entitlements, license_arn }, arn)
            }
            // The exception does not say why: the license itself does, when it can be read.
            Tiers::None(text) => (TierAnswer::None(text), None),
            Tiers::Failed(failure) => {
                self.failed(failure, now, draw);
                return None;
            }
        };
        self.phase = Phase::Details { tiers: Some(tiers) };
        Some(Question::Details(arn.or_else(|| self.license_arn())))
    }

    /// Takes the answer about the license and ends the look.
    pub fn details(&mut self, answer: Details, now: Timestamp, draw: &mut Draw) -> Vec<News> {
        let Phase::Details { tiers } = std::mem::replace(&mut self.phase, Phase::Idle { at: now })
        else {
            return Vec::new();
        };
        match (answer, tiers) {
            (Details::Found(contract), tiers) => self.found(merge(contract, tiers), now, draw),
            (Details::Nothing(_), Some(TierAnswer::Bought { entitlements, license_arn })) => {
                self.found(Finding::Has(from_tiers(entitlements, license_arn)), now, draw)
            }
            (Details::Nothing(text), _) => self.found(Finding::Nothing(text), now, draw),
            // Reading licenses needs permissions that AWS's own managed policy does not give. The check
            // out's answer stands by itself then. Source: IAM, AWSLicenseManagerConsumptionPolicy.
            (Details::Failed(failure), Some(tiers))
                if failure.class == FailureClass::AccessDenied =>
            {
                let first = self.failure.replace(failure.clone()).is_none();
                let mut news = match tiers {
                    TierAnswer::Bought { entitlements, license_arn } => {
                        self.found(Finding::Has(from_tiers(entitlements, license_arn)), now, draw)
                    }
                    TierAnswer::None(text) => self.found(Finding::Nothing(text), now, draw),
                };
                if first {
                    news.push(News::new(EventKind::PermissionMissing, failure.text));
                }
                news
            }
            (Details::Failed(failure), _) => {
                let first = self.failure.as_ref().is_none_or(|old| old.class != failure.class);
                let denied = failure.class == FailureClass::AccessDenied;
                let text = failure.text.clone();
                self.failed(failure, now, draw);
                if first && denied {
                    vec![News::new(EventKind::PermissionMissing, text)]
                } else {
                    Vec::new()
                }
            }
        }
    }

    /// A seat was checked out: that proves the contract when its license cannot be read.
    pub fn proved_by_seat(&mut self, entitlement: Entitlement, now: Timestamp) {
        if self.known.is_none() {
            self.good_at = now;
            self.known = Some(Finding::Has(Contract {
                entitlements: vec![entitlement],
                ..Contract::default()
            }));
        }
    }

    /// What the contract says of the verdict.
    #[must_use]
    pub fn part(&self, now: Timestamp) -> Part {
        let contract = match (&self.known, &self.failure) {
            (None, None) => return Part::starting(),
            (None, Some(failure)) => return Part::pending(failure),
            (Some(Finding::Nothing(text)), _) => return denied(Reason::NotEntitled, text.clone()),
            (Some(Finding::Has(contract)), _) => contract,
        };
        match contract.standing {
            Standing::Usable => {}
            Standing::Expired => {
                return denied(
                    Reason::Expired,
                    "the license has expired; renew the agreement in AWS Marketplace".into(),
                );
            }
            Standing::Suspended => {
                return denied(
                    Reason::Suspended,
                    "the license is suspended or not activated; check it under Granted licenses in AWS License Manager"
                        .into(),
                );
            }
        }
        if let Some(end) = contract.expires
            && end <= now
            && self.looked_at >= end
        {
            return denied(
                Reason::Expired,
                format!("the license ended at {end}; renew the agreement in AWS Marketplace"),
            );
        }
        match &self.failure {
            Some(failure) if now.since(self.good_at) > self.fresh() => {
                self.aged(contract, failure, now)
            }
            _ => Part::licensed(contract.expires),
        }
    }

    /// AWS has not confirmed the contract for a while: grace, then nothing.
    fn aged(&self, contract: &Contract, failure: &Failure, now: Timestamp) -> Part {
        let grace_ends = self.good_at.after(self.plan.grace.max(self.fresh()));
        let ends = contract.expires.map_or(grace_ends, |end| end.min(grace_ends));
        if now < ends {
            Part {
                verdict: Verdict::Grace,
                reason: pending_reason(failure.class),
                text: format!("{}; running on grace until {ends}", failure.text),
                until: Some(ends),
            }
        } else {
            denied(
                Reason::Stale,
                format!(
                    "AWS has not confirmed the license since {}: {}",
                    self.good_at, failure.text
                ),
            )
        }
    }

    /// When the verdict changes by time alone.
    #[must_use]
    pub fn turns_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.failure.as_ref()?;
        let fresh_ends = self.good_at.after(self.fresh()).after(Duration::from_millis(1));
        let grace_ends = self.good_at.after(self.plan.grace.max(self.fresh()));
        let end = self.contract().and_then(|contract| contract.expires);
        [Some(fresh_ends), Some(grace_ends), end].into_iter().flatten().filter(|at| *at > now).min()
    }

    /// How long one good answer needs no other.
    fn fresh(&self) -> Duration {
        self.plan.interval * 2
    }

    fn license_arn(&self) -> Option<String> {
        self.contract().and_then(|contract| contract.license_arn.clone())
    }

    fn failed(&mut self, failure: Failure, now: Timestamp, draw: &mut Draw) {
        let mut delay = retry::delay(retry::CONTRACT, self.attempt, draw);
        if self.known.is_none() && failure.class != FailureClass::AccessDenied {
            delay = retry::start_delay(failure.class, self.attempt, draw); // somebody waits for it
        }
        self.attempt = self.attempt.saturating_add(1);
        self.failure = Some(failure);
        self.looked_at = now;
        self.phase = Phase::Idle { at: now.after(delay) };
    }

    fn found(&mut self, finding: Finding, now: Timestamp, draw: &mut Draw) -> Vec<News> {
        self.attempt = 0;
        self.good_at = now;
        self.looked_at = now;
        if !matches!(&self.failure, Some(f) if f.class == FailureClass::AccessDenied) {
            self.failure = None;
        }
        let mut next = draw.around(self.plan.interval, 10);
        let news = match &self.known {
            None => {
                self.known = Some(finding);
                Vec::new()
            }
            Some(known) => {
                let change = change::between(known, &finding, &self.plan.tiers);
                if change.removes && self.doubt.as_ref() != Some(&finding) {
                    self.doubt = Some(finding);
                    next = draw.around(CONFIRM_AFTER, 10);
                    Vec::new()
                } else {
                    self.doubt = None;
                    self.known = Some(finding);
                    change.news.into_iter().collect()
                }
            }
        };
        self.phase = Phase::Idle { at: now.after(next) };
        news.into_iter().chain(self.notice(now)).collect()
    }

    /// When the coming end is to be announced.
    fn notice_at(&self) -> Option<Timestamp> {
        let end = self.contract()?.expires?;
        (self.noticed != Some(end)).then(|| end.before(self.plan.expiring_notice))
    }

    /// The license's end, when nobody has looked since.
    fn end_to_look_at(&self) -> Option<Timestamp> {
        self.contract()?.expires.filter(|end| self.looked_at < *end)
    }

    fn notice(&mut self, now: Timestamp) -> Vec<News> {
        let end = self.contract().and_then(|contract| contract.expires);
        match (self.notice_at(), end) {
            (Some(at), Some(end)) if at <= now => {
                self.noticed = Some(end);
                if end <= now {
                    return Vec::new(); // it is told as expired
                }
                let text =
                    format!("the license ends at {end}; renew the agreement in AWS Marketplace");
                vec![News::new(EventKind::LicenseExpiring, text).with("expires_ms", end.0)]
            }
            _ => Vec::new(),
        }
    }
}

fn denied(reason: Reason, text: String) -> Part {
    Part { verdict: Verdict::Denied, reason, text, until: None }
}

/// The license as read, with tiers as the check out answered.
fn merge(mut contract: Contract, tiers: Option<TierAnswer>) -> Finding {
    match tiers {
        None => {}
        Some(TierAnswer::Bought { entitlements, license_arn }) => {
            contract.entitlements.retain(|e| e.unit != "None");
            contract.entitlements.splice(0..0, entitlements);
            contract.license_arn = contract.license_arn.or(license_arn);
            contract.standing = Standing::Usable; // AWS has just let us check out of it
        }
        Some(TierAnswer::None(text)) => {
            contract.entitlements.retain(|e| e.unit != "None");
            if contract.standing == Standing::Usable && contract.entitlements.is_empty() {
                return Finding::Nothing(text);
            }
        }
    }
    Finding::Has(contract)
}

fn from_tiers(entitlements: Vec<Entitlement>, license_arn: Option<String>) -> Contract {
    Contract { entitlements, license_arn, ..Contract::default() }
}

#[cfg(test)]
mod tests;
