//! Folds registration, metering and contract into one verdict.

use super::proof::{pending_reason, reason};
use crate::model::{
    license::{Reason, Verdict},
    outcome::{Failure, Refusal},
    time::Timestamp,
};

/// What one source says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its verdict.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// What to tell a person.
    pub text: String,
    /// Until when it holds by itself.
    pub until: Option<Timestamp>,
}

impl Part {
    /// Nothing asked yet.
    #[must_use]
    pub fn starting() -> Part {
        Part {
            verdict: Verdict::Pending,
            reason: Reason::Starting,
            text: "waiting for the first answer of AWS".into(),
            until: None,
        }
    }

    /// Asked without an answer.
    #[must_use]
    pub fn pending(failure: &Failure) -> Part {
        Part {
            verdict: Verdict::Pending,
            reason: pending_reason(failure.class),
            text: failure.text.clone(),
            until: None,
        }
    }

    /// AWS said no.
    #[must_use]
    pub fn refused(refusal: &Refusal) -> Part {
        Part {
            verdict: Verdict::Denied,
            reason: reason(refusal.reason),
            text: refusal.text.clone(),
            until: None,
        }
    }

    /// AWS said yes.
    #[must_use]
    pub fn licensed(until: Option<Timestamp>) -> Part {
        Part {
            verdict: Verdict::Licensed,
            reason: Reason::Entitled,
            text: "entitled".into(),
            until,
        }
    }
}

/// The worst part decides: a denial before missing answers, those before grace.
///
/// With no part at all nothing was asked, which is not a yes.
#[must_use]
pub fn fold(parts: Vec<Part>) -> Part {
    let until = parts.iter().filter_map(|part| part.until).min();
    let rank = |verdict| match verdict {
        Verdict::Licensed => 0,
        Verdict::Grace => 1,
        Verdict::Pending => 2,
        Verdict::Denied => 3,
    };
    let worst = parts.into_iter().rev().max_by_key(|part| rank(part.verdict));
    worst.map_or_else(Part::starting, |part| Part { until, ..part })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Denied, Grace, Licensed, Pending};

    fn part(verdict: Verdict) -> Part {
        Part { verdict, reason: Reason::Entitled, text: String::new(), until: None }
    }

    #[test]
    fn every_pair_of_parts_folds_to_the_worse_one() {
        let check = |a, b, whole| {
            assert_eq!(fold(vec![part(a), part(b)]).verdict, whole, "{a:?} with {b:?}");
            assert_eq!(fold(vec![part(b), part(a)]).verdict, whole, "{b:?} with {a:?}");
        };
        check(Licensed, Licensed, Licensed);
        check(Licensed, Grace, Grace);
        check(Licensed, Pending, Pending);
        check(Licensed, Denied, Denied);
        check(Grace, Pending, Pending);
        check(Grace, Denied, Denied);
        check(Pending, Denied, Denied);
    }

    #[test]
    fn nothing_asked_is_not_a_yes() {
        assert_eq!(fold(vec![]).verdict, Pending);
    }

    #[test]
    fn the_first_end_of_all_parts_counts() {
        let ends = |ms| Part { until: Some(Timestamp(ms)), ..part(Licensed) };
        assert_eq!(fold(vec![ends(9), ends(4), part(Licensed)]).until, Some(Timestamp(4)));
    }
}
