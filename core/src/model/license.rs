//! The license as the product sees it: one verdict and what it rests on.

use super::time::Timestamp;
use serde::{Deserialize, Serialize};

/// May the product run?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// AWS has not answered yet. Unknown is never licensed.
    Pending,
    /// AWS said yes.
    Licensed,
    /// AWS said yes, but its last answer is older than it should be.
    Grace,
    /// AWS said no, or the license has ended.
    Denied,
}

impl Verdict {
    /// The word used in every language.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Pending => "pending",
            Verdict::Licensed => "licensed",
            Verdict::Grace => "grace",
            Verdict::Denied => "denied",
        }
    }
}

/// Why the verdict is what it is; a word to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Nothing has been asked or answered yet.
    Starting,
    /// AWS answered yes.
    Entitled,
    /// AWS cannot be reached, or does not answer.
    Unreachable,
    /// AWS asked us to wait.
    Throttled,
    /// The role lacks a permission.
    AccessDenied,
    /// The buyer has no valid subscription or license.
    NotEntitled,
    /// The license has reached its end.
    Expired,
    /// The license was suspended, deactivated or deleted.
    Suspended,
    /// AWS has not confirmed the license within the grace time.
    Stale,
    /// This place is not an ECS task or EKS pod.
    PlatformNotSupported,
    /// The call went to another Region than the task's.
    InvalidRegion,
    /// Product code or key version unknown to AWS.
    InvalidProduct,
    /// The signed answer does not verify.
    SignatureInvalid,
    /// No seat can be had and nothing else shows the contract: it was not bought, or every seat is taken.
    NoSeat,
    /// The guard was shut down.
    ShutDown,
}

impl Reason {
    /// The word used in every language.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Starting => "starting",
            Reason::Entitled => "entitled",
            Reason::Unreachable => "unreachable",
            Reason::Throttled => "throttled",
            Reason::AccessDenied => "access_denied",
            Reason::NotEntitled => "not_entitled",
            Reason::Expired => "expired",
            Reason::Suspended => "suspended",
            Reason::Stale => "stale",
            Reason::PlatformNotSupported => "platform_not_supported",
            Reason::InvalidRegion => "invalid_region",
            Reason::InvalidProduct => "invalid_product",
            Reason::SignatureInvalid => "signature_invalid",
            Reason::NoSeat => "no_seat",
            Reason::ShutDown => "shut_down",
        }
    }
}

/// The list of all values; a value that it leaves out does not compile.
macro_rules! all {
    ($kind:ident: $($name:ident)+) => {
        impl $kind {
            /// Every value, in the order of the enumeration.
            pub const ALL: &[$kind] = &[$($kind::$name),+];
        }
        const _: fn($kind) = |value| match value {
            $($kind::$name => (),)+
        };
    };
}

all!(Verdict: Pending Licensed Grace Denied);
all!(Reason: Starting Entitled Unreachable Throttled AccessDenied NotEntitled Expired Suspended Stale
    PlatformNotSupported InvalidRegion InvalidProduct SignatureInvalid NoSeat ShutDown);

/// One entitlement of a license.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entitlement {
    /// API name of the contract dimension.
    pub name: String,
    /// AWS's unit word: `None` for a tier, `Count` for seats, `Gigabytes` and others for amounts.
    pub unit: String,
    /// Value of an uncounted entitlement, when the license gives one.
    pub value: Option<String>,
    /// Purchased amount of a counted entitlement, when it is known.
    pub max_count: Option<u64>,
    /// How much of it everybody together has taken, when AWS tells: `GetLicenseUsage` needs a permission.
    pub consumed: Option<u64>,
}

/// How the kinds of a configured entitlement are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntitlementKind {
    /// Seats: checked out for a time and checked in.
    Floating,
    /// A prepaid amount, drawn for good.
    Drawdown,
    /// A tier or feature: bought or not.
    Tier,
}

impl EntitlementKind {
    /// The word used in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            EntitlementKind::Floating => "floating",
            EntitlementKind::Drawdown => "drawdown",
            EntitlementKind::Tier => "tier",
        }
    }
}

/// One entitlement as the seller describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntitlementSpec {
    /// API name of the contract dimension.
    pub name: String,
    /// How it is used.
    pub kind: EntitlementKind,
    /// AWS's unit word.
    pub unit: String,
    /// Drawdown: units that are drawn at once, so that small wishes share a call.
    pub batch: u64,
    /// Drawdown: units left in the contract at which `drawdown_low` is told; `None` for a tenth of what was bought.
    pub low: Option<u64>,
}

/// A license as License Manager describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Contract {
    /// ARN of the license.
    pub license_arn: Option<String>,
    /// Version; renewals and upgrades make a new one.
    pub version: Option<String>,
    /// What was bought.
    pub entitlements: Vec<Entitlement>,
    /// End of validity.
    pub expires: Option<Timestamp>,
    /// Whether it may be used now.
    pub standing: Standing,
    /// AWS's word for why it may not: the license's status, or its grant's.
    pub status: Option<String>,
    /// How many other usable licenses of the product the account has; the one that counts is chosen by rule.
    pub others: usize,
}

/// What the last good answer about a contract was, kept for a start while License Manager does not answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// The contract.
    pub contract: Contract,
    /// When AWS confirmed it last, by AWS's time.
    pub confirmed: Timestamp,
    /// The latest moment that any process of the task has seen since.
    pub seen: Timestamp,
    /// How long processes have run without a confirmation since, in milliseconds. No move of a clock changes it.
    pub spent_ms: u64,
}

/// Whether a license may be used, from its status and the grant's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// `AVAILABLE`, and the grant `ACTIVE`.
    #[default]
    Usable,
    /// `EXPIRED`.
    Expired,
    /// `SUSPENDED`, `DEACTIVATED`, `PENDING_*`, `DELETED`, or a grant that is not active.
    Suspended,
}

/// A snapshot of everything that a product asks about its license.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct License {
    /// May the product run?
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// What to tell a person: what failed, on which thing, and the next step.
    pub text: String,
    /// When the verdict took this value.
    pub since: Timestamp,
    /// Until when it holds if AWS says nothing more.
    pub until: Option<Timestamp>,
    /// True when it comes from a sandbox and proves nothing.
    pub sandbox: bool,
    /// Entitlements of the contract.
    pub entitlements: Vec<Entitlement>,
    /// ARN of the contract's license.
    pub license_arn: Option<String>,
    /// Version of the contract's license.
    pub license_version: Option<String>,
}

/// What each text begins with where verdicts prove nothing: a line of a log is read without the flag beside it.
const SANDBOX: &str = "sandbox: ";

/// `text`, with the mark of a sandbox if it comes from one.
#[must_use]
pub fn marked(sandbox: bool, text: String) -> String {
    if sandbox && !text.starts_with(SANDBOX) { format!("{SANDBOX}{text}") } else { text }
}

impl License {
    /// The state before anything was asked.
    #[must_use]
    pub fn starting(now: Timestamp, sandbox: bool) -> License {
        License {
            verdict: Verdict::Pending,
            reason: Reason::Starting,
            text: marked(sandbox, "waiting for the first answer of AWS".into()),
            since: now,
            until: None,
            sandbox,
            entitlements: Vec::new(),
            license_arn: None,
            license_version: None,
        }
    }

    /// The text without the mark of a sandbox, to go on with in another text.
    #[must_use]
    pub fn said(&self) -> &str {
        let mark = if self.sandbox { SANDBOX } else { "" };
        self.text.strip_prefix(mark).unwrap_or(&self.text)
    }

    /// True when the product may run and has `feature`: a tier, or a counted entitlement of more than none.
    #[must_use]
    pub fn has(&self, feature: &str) -> bool {
        matches!(self.verdict, Verdict::Licensed | Verdict::Grace)
            && self.entitlements.iter().any(|e| e.name == feature && e.max_count != Some(0))
    }

    /// The JSON form that every language shares.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "verdict": self.verdict.as_str(),
            "reason": self.reason.as_str(),
            "text": self.text,
            "since_ms": self.since.0,
            "until_ms": self.until.map(|t| t.0),
            "sandbox": self.sandbox,
            "entitlements": self.entitlements,
            "license_arn": self.license_arn,
            "license_version": self.license_version,
        })
    }
}
