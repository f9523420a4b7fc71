//! Where usage is kept.

use super::*;
use crate::{
    adapter::{
        examine::Kept,
        state::survey::{Place, Survey, Usable},
    },
    model::storage::Mode,
};

fn place(path: &str, chosen: bool, found: Result<Usable, String>) -> Place {
    Place { path: path.into(), chosen, found }
}

fn usable(mode: Mode) -> Result<Usable, String> {
    Ok(Usable {
        mode,
        outlives_task: false,
        why: "the reason".to_owned(),
        permissions: Some(0o700),
        write: Duration::from_millis(3),
    })
}

fn directory(places: Vec<Place>) -> Finding {
    let mut facts = task();
    let directory = places.last().map(|place| place.path.join("mpg1-x"));
    facts.survey = Look::Seen(Survey { places, directory });
    told(&facts, "state.directory")
}

#[test]
fn a_place_that_lasts_has_passed_and_its_disk_is_timed() {
    let finding = directory(vec![place("/data", true, usable(Mode::Durable))]);
    assert_eq!(finding.status, Status::Passed);
    for part in ["`/data/mpg1-x`", "durable", "mode 700", "3 ms"] {
        assert!(finding.what.contains(part), "{part}: {}", finding.what);
    }
}

#[test]
fn a_place_that_does_not_last_warns() {
    for mode in [Mode::Container, Mode::Memory] {
        let finding = directory(vec![place("/tmp", false, usable(mode))]);
        assert_eq!(finding.status, Status::Warning, "{mode:?}");
        assert!(finding.fix.contains("`state_dir`"));
    }
}

#[test]
fn a_chosen_place_that_cannot_be_used_has_failed_though_another_one_does() {
    let refused = Err("cannot write in `/data`: read-only".to_owned());
    let places = vec![
        place("/data", true, refused.clone()),
        place("/var/lib/mpguard", false, usable(Mode::Durable)),
    ];
    let finding = directory(places);
    assert_eq!(finding.status, Status::Failed);
    assert!(finding.why.contains("read-only") && finding.what.contains("`state_dir`"));
    let nowhere = directory(vec![place("/data", false, refused)]);
    assert_eq!(nowhere.status, Status::Failed);
}

#[test]
fn a_disk_that_takes_long_warns() {
    let slow = usable(Mode::Durable).map(|it| Usable { write: Duration::from_secs(2), ..it });
    assert_eq!(directory(vec![place("/data", true, slow)]).status, Status::Warning);
}

#[test]
fn a_ledger_is_told_by_what_is_in_it() {
    let ledger = |kept| {
        let mut facts = task();
        facts.kept = Look::Seen(kept);
        told(&facts, "state.ledger").status
    };
    assert_eq!(ledger(Kept::Nothing("/data/ledger.db".into())), Status::Passed);
    assert_eq!(ledger(Kept::OpenHere("/data/ledger.db".into())), Status::Skipped);
    assert_eq!(ledger(Kept::Unreadable("torn".to_owned())), Status::Failed);
}
