//! What is wrong with a set-up, and how to mend it: `mpguard doctor`.
//!
//! The second door of the core. `adapter::examine` gathers facts; here each topic is a pure function from facts to
//! findings, and [`page`](markdown) has all of their ids.

mod configuration;
mod credentials;
mod endpoints;
mod entitlement;
mod page;
mod permissions;
mod place;
mod state;
mod style;
mod table;
mod text;
mod variables;

pub use page::markdown;
pub use style::Style;

use crate::{
    adapter::examine::{self, Facts, Look},
    config::{Config, Settings},
    error::Error,
    model::finding::{Finding, Report, Status},
};

/// Looks at everything that a guard with this configuration would need, and changes nothing.
///
/// Without a configuration only the surroundings are looked at. Blocks the calling thread, for half a minute at most.
#[must_use]
pub fn examine(config: Option<&Config>) -> Report {
    examine_settings(config.map(Config::settings))
}

/// The same for a configuration as JSON text; one that cannot be read is a finding of its own.
#[must_use]
pub fn examine_json(text: Option<&str>) -> Report {
    examine_settings(text.map(|text| Config::from_json(text)?.settings()))
}

/// The same for a configuration that somebody tried to read; when that failed, it is a finding of its own.
#[must_use]
pub fn examine_read(config: Result<Config, Error>) -> Report {
    examine_settings(Some(config.and_then(|config| config.settings())))
}

fn examine_settings(settings: Option<Result<Settings, Error>>) -> Report {
    let known = settings.as_ref().and_then(|settings| settings.as_ref().ok());
    let facts = examine::gather(known);
    report(settings.as_ref(), facts.as_ref())
}

/// The findings of these facts; without facts nobody could look.
fn report(settings: Option<&Result<Settings, Error>>, facts: Option<&Facts>) -> Report {
    let known = settings.and_then(|settings| settings.as_ref().ok());
    let mut findings = configuration::findings(settings);
    match facts {
        Some(facts) => {
            let aws = &facts.aws;
            findings.extend(place::findings(known, aws));
            findings.extend(endpoints::findings(known, aws));
            findings.extend(credentials::findings(known, aws));
            findings.extend(permissions::findings(known, aws));
            findings.extend(entitlement::findings(known, aws));
            findings.extend(state::findings(known, &facts.survey, &facts.kept));
            let reached = endpoints::all_reached(aws);
            findings.extend(variables::findings(known, &facts.variables, &facts.files, reached));
        }
        None => findings.push(finding(
            "examination",
            Status::Failed,
            "nothing but the configuration could be looked at",
            "the thread that looks did not start, or ended before its time",
            "raise the limit of threads (`ulimit -u`, `pids` of the container); if that is not it, report a bug of mpguard",
        )),
    }
    let sandbox = known.is_some_and(|settings| settings.sandbox.is_some());
    Report { sandbox, findings }
}

/// A finding, with its page out of the table.
fn finding(
    id: impl Into<String>,
    status: Status,
    what: impl Into<String>,
    why: impl Into<String>,
    fix: impl Into<String>,
) -> Finding {
    let id = id.into();
    let docs = table::of(&id).map_or("docs/DOCTOR.md", |topic| topic.docs);
    Finding { id, status, what: what.into(), why: why.into(), fix: fix.into(), docs }
}

/// A finding of what nobody could look at.
fn unseen<T>(id: impl Into<String>, look: &Look<T>) -> Finding {
    let why = match look {
        Look::Not(why) => why.as_str(),
        Look::Late | Look::Seen(_) => "the examination ran out of time",
    };
    finding(id, Status::Skipped, "this could not be looked at", why, "")
}

#[cfg(test)]
mod tests;
