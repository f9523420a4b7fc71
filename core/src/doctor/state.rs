//! Where usage is kept.

use super::{finding, unseen};
use crate::{
    adapter::{
        examine::{Kept, Look},
        sqlite_ledger::read::Report,
        state::survey::{Place, Survey, Usable},
    },
    config::Settings,
    model::{
        finding::{Finding, Status},
        storage::Mode,
        usage::Account,
    },
};
use std::time::Duration;

/// A disk that takes longer keeps whoever waits for a durable draw, and a stop of the container, for long.
const SLOW: Duration = Duration::from_millis(500);

pub(super) fn findings(
    settings: Option<&Settings>,
    survey: &Look<Survey>,
    kept: &Look<Kept>,
) -> Vec<Finding> {
    let directory = match survey {
        Look::Seen(survey) => directory(settings, survey),
        look => unseen("state.directory", look),
    };
    let ledger = match kept {
        Look::Seen(kept) => ledger(kept),
        look => unseen("state.ledger", look),
    };
    // Without a configuration nobody knows whose ledger to look for.
    if settings.is_some() { vec![directory, ledger] } else { vec![directory] }
}

fn ledger(kept: &Kept) -> Finding {
    const ID: &str = "state.ledger";
    match kept {
        Kept::Nothing(path) => finding(
            ID,
            Status::Passed,
            format!("there is no ledger `{}` yet", path.display()),
            "the first guard of this task or pod makes it",
            "",
        ),
        Kept::OpenHere(path) => finding(
            ID,
            Status::Skipped,
            format!("the ledger `{}` was not looked at", path.display()),
            "a guard of this very process has it open, and would lose its locks",
            "run `mpguard doctor` beside the product, or ask the guard for its account",
        ),
        Kept::Unreadable(why) => finding(
            ID,
            Status::Failed,
            "the ledger cannot be read",
            why.as_str(),
            "keep a copy of the directory for a dispute; the product sets a broken ledger aside when it starts",
        ),
        Kept::Read { path, report, faults } => {
            of_report(&path.display().to_string(), report, faults)
        }
    }
}

fn of_report(path: &str, report: &Report, faults: &[String]) -> Finding {
    const ID: &str = "state.ledger";
    let waiting = report.records.iter().filter(|record| record.settled_at.is_none()).count();
    let sum =
        |of: fn(&Account) -> u64| report.accounts.iter().map(of).fold(0_u64, u64::saturating_add);
    let (disputed, held, missed) = (sum(|a| a.disputed), sum(|a| a.held), sum(|a| a.missed));
    let what = format!(
        "the ledger `{path}` has {waiting} records without a fate; raw counts: {} pending, {} delivered, {disputed} disputed, \
         {held} held, {missed} missed",
        sum(|a| a.pending),
        sum(|a| a.delivered)
    );
    let show = "`mpguard ledger show` on its directory has the reasons";
    if !faults.is_empty() {
        let fix = "keep a copy of the directory for a dispute, and report a bug of mpguard";
        return finding(ID, Status::Failed, what, faults.join("; "), fix);
    }
    if held > 0 {
        let why = "AWS has refused usage that is held until somebody repairs the set-up";
        return finding(ID, Status::Warning, what, why, format!("{show}; repair what they name"));
    }
    if disputed + missed > 0 {
        let why = "of disputed counts nobody knows whether AWS has them, and missed ones came too late for their hour";
        return finding(
            ID,
            Status::Warning,
            what,
            why,
            format!("{show}; compare with the bill of AWS"),
        );
    }
    finding(ID, Status::Passed, what, "a copy of it was read; whoever leads was not disturbed", "")
}

fn directory(settings: Option<&Settings>, survey: &Survey) -> Finding {
    const ID: &str = "state.directory";
    const VOLUME: &str = "give the container a volume (an emptyDir, an ECS bind mount or a disk) and name it in `state_dir`";
    let refused: Vec<String> = survey
        .places
        .iter()
        .filter_map(|place| {
            Some(format!("`{}`: {}", place.path.display(), place.found.as_ref().err()?))
        })
        .collect();
    let Some((place, usable)) = taken(survey) else {
        let what = "usage can be kept in the memory of the process only, and ends with it";
        return finding(ID, Status::Failed, what, refused.join("; "), VOLUME);
    };
    let shown = survey.directory.as_ref().unwrap_or(&place.path);
    let what = format!(
        "state is kept in `{}`: {} storage, {}; a write reaches the disk in {} ms",
        shown.display(),
        usable.mode.as_str(),
        permissions(usable),
        usable.write.as_millis()
    );
    let mut why = vec![usable.why.clone()];
    why.extend(refused);
    let why = why.join("; ");
    let sandboxed = settings.is_some_and(|settings| settings.sandbox.is_some());
    if survey.places.iter().any(|place| place.chosen && place.found.is_err()) {
        return finding(
            ID,
            Status::Failed,
            format!("`state_dir` cannot be used; {what}"),
            why,
            VOLUME,
        );
    }
    // A sandbox bills nothing, and its state is meant to go.
    if usable.mode != Mode::Durable && !sandboxed {
        return finding(ID, Status::Warning, what, why, VOLUME);
    }
    if usable.write >= SLOW {
        let fix = "give `state_dir` on a disk that is not shared with what keeps it busy";
        return finding(ID, Status::Warning, what, format!("that is long; {why}"), fix);
    }
    finding(ID, Status::Passed, what, why, "")
}

fn taken(survey: &Survey) -> Option<(&Place, &Usable)> {
    survey.places.iter().find_map(|place| Some((place, place.found.as_ref().ok()?)))
}

fn permissions(usable: &Usable) -> String {
    match usable.permissions {
        Some(mode) => format!("mode {mode:o}"),
        None => "to be made by the first guard".to_owned(),
    }
}
