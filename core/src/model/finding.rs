//! What an examination of a set-up found out.

use serde_json::{Value, json};

/// How one matter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Nobody could look; `why` says what was missing.
    Skipped,
    /// As it should be.
    Passed,
    /// It works, and somebody should look at it.
    Warning,
    /// It does not work, or will not.
    Failed,
}

impl Status {
    /// Its name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Skipped => "skipped",
            Status::Passed => "passed",
            Status::Warning => "warning",
            Status::Failed => "failed",
        }
    }
}

/// One matter that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Stable name, such as `region` or `permission.MeterUsage`.
    pub id: String,
    /// How it stands.
    pub status: Status,
    /// What was found, in one sentence, without any secret.
    pub what: String,
    /// How we know, or what follows from it.
    pub why: String,
    /// What to do; empty when there is nothing to do.
    pub fix: String,
    /// Where to read on: a page of ours or of AWS by its title.
    pub docs: &'static str,
}

/// All that was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// True when a sandbox was examined, which proves nothing about AWS.
    pub sandbox: bool,
    /// In the order of the examination.
    pub findings: Vec<Finding>,
}

impl Report {
    /// The worst status of all.
    #[must_use]
    pub fn worst(&self) -> Status {
        self.findings.iter().map(|finding| finding.status).max().unwrap_or(Status::Skipped)
    }

    /// For the shell: 0 when all is well, 1 when something should be looked at, 2 when something does not work.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.worst() {
            Status::Skipped | Status::Passed => 0,
            Status::Warning => 1,
            Status::Failed => 2,
        }
    }

    /// `{"version", "sandbox", "status", "findings": [{"id", "status", "what", "why", "fix", "docs"}]}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let findings: Vec<Value> = self
            .findings
            .iter()
            .map(|finding| {
                json!({
                    "id": finding.id,
                    "status": finding.status.as_str(),
                    "what": finding.what,
                    "why": finding.why,
                    "fix": finding.fix,
                    "docs": finding.docs,
                })
            })
            .collect();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "sandbox": self.sandbox,
            "status": self.worst().as_str(),
            "findings": findings,
        })
    }
}

/// One thing that was asked for an answer, such as the Region, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What was asked, such as `AWS_REGION` or `the ARN of the ECS task`.
    pub source: &'static str,
    /// What it said, without any secret.
    pub value: Option<String>,
    /// What became of it.
    pub fate: Fate,
    /// Why.
    pub why: String,
}

/// What became of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is used.
    Won,
    /// It said something, and a surer one was there.
    Lost,
    /// It said something that cannot be used.
    Refused,
    /// It said nothing.
    Silent,
    /// Nobody needed to ask it.
    NotAsked,
}
