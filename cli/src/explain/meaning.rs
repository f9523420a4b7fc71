//! What one word of mpguard means for a person, and in which roles it is met.

use super::{meanings, pages::Page};
use mpguard_core::{Code, ErrorKind, EventKind, Verdict, model::license::Reason};

/// What a word means. Nearly the same words stand for an error and for the reason of a verdict, and mean one thing.
#[derive(Debug)]
pub(crate) struct Meaning {
    /// The word in small letters.
    pub(crate) word: &'static str,
    /// What happened. Its first sentence stands alone in lists.
    pub(crate) what: &'static str,
    /// Usual causes.
    pub(crate) why: &'static [&'static str],
    /// What who bought and runs the product does; empty when there is nothing.
    pub(crate) buyer: &'static str,
    /// What who makes and sells the product does; empty when there is nothing.
    pub(crate) seller: &'static str,
    /// AWS's own names for it.
    pub(crate) aws: &'static [&'static str],
    /// Where AWS documents it.
    pub(crate) pages: &'static [Page],
    /// Words beside it.
    pub(crate) see: &'static [&'static str],
}

/// For `..PLAIN` in the tables.
pub(crate) const PLAIN: Meaning =
    Meaning { word: "", what: "", why: &[], buyer: "", seller: "", aws: &[], pages: &[], see: &[] };

/// All meanings, in the order of the page.
pub(crate) fn all() -> impl Iterator<Item = &'static Meaning> {
    meanings::ALL.iter().copied().flatten()
}

impl Meaning {
    /// Where the word is met.
    pub(crate) fn roles(&self) -> Vec<Role> {
        Role::all().filter(|role| role.word().eq_ignore_ascii_case(self.word)).collect()
    }

    /// As it is met first: an error's word is in capitals.
    pub(crate) fn title(&self) -> &'static str {
        self.roles().first().map_or(self.word, |role| role.word())
    }

    /// The first sentence.
    pub(crate) fn brief(&self) -> &'static str {
        self.what.split_once(". ").map_or(self.what.trim_end_matches('.'), |(first, _)| first)
    }
}

/// Where a word is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The code of a failed call.
    Error(Code),
    /// A verdict.
    Verdict(Verdict),
    /// Why a verdict is what it is.
    Reason(Reason),
    /// What a listener hears.
    Event(EventKind),
}

impl Role {
    /// Everything that can be explained.
    pub(crate) fn all() -> impl Iterator<Item = Role> {
        let errors = Code::ALL.iter().map(|code| Role::Error(*code));
        let verdicts = Verdict::ALL.iter().map(|verdict| Role::Verdict(*verdict));
        let reasons = Reason::ALL.iter().map(|reason| Role::Reason(*reason));
        let events = EventKind::ALL.iter().map(|kind| Role::Event(*kind));
        errors.chain(verdicts).chain(reasons).chain(events)
    }

    /// The word, as every language spells it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Role::Error(code) => code.as_str(),
            Role::Verdict(verdict) => verdict.as_str(),
            Role::Reason(reason) => reason.as_str(),
            Role::Event(kind) => kind.as_str(),
        }
    }

    /// Its number, where it has one. Errors and events are numbered apart.
    pub(crate) fn number(self) -> Option<i32> {
        match self {
            Role::Error(code) => Some(code as i32),
            Role::Event(kind) => Some(kind as i32),
            Role::Verdict(_) | Role::Reason(_) => None,
        }
    }

    /// What it is.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Role::Error(_) => "error",
            Role::Verdict(_) => "verdict",
            Role::Reason(_) => "reason",
            Role::Event(_) => "event",
        }
    }

    /// What it is, with its number and group.
    pub(crate) fn describe(self) -> String {
        match self {
            Role::Error(code) => {
                let kind = code.kind();
                format!("error {}, kind {}: {}", code as i32, kind.as_str(), advice(kind))
            }
            Role::Verdict(verdict) => format!("verdict `{}`", verdict.as_str()),
            Role::Reason(reason) => format!("reason `{}`", reason.as_str()),
            Role::Event(kind) => format!("event {}, topic {}", kind as i32, kind.topic().as_str()),
        }
    }
}

/// Every kind of error, in the order of numbers.
pub(crate) const KINDS: &[ErrorKind] = &[
    ErrorKind::Usage,
    ErrorKind::Retry,
    ErrorKind::Entitlement,
    ErrorKind::Environment,
    ErrorKind::Internal,
];

/// What the program does about errors of a kind.
pub(crate) fn advice(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Usage => "fix the call or the configuration",
        ErrorKind::Retry => "wait and try again",
        ErrorKind::Entitlement => "show the text to the buyer",
        ErrorKind::Environment => "repair the place that the program runs in",
        ErrorKind::Internal => "report a bug in mpguard",
    }
}
