//! What the doctor is told of the place: the one that a guard takes, and nothing is made.

use super::{super::survey::survey_in, *};
use crate::model::storage::Mode;
use std::os::unix::fs::PermissionsExt;

fn everything(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    let mut all: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    let inside: Vec<PathBuf> = all.iter().flat_map(|path| everything(path)).collect();
    all.extend(inside);
    all.sort();
    all
}

#[test]
fn the_survey_names_the_directory_that_a_guard_takes_and_makes_nothing() {
    apart!(the_survey_names_the_directory_that_a_guard_takes_and_makes_nothing);
    let folder = Folder::new();
    for state_dir in [folder.wishes().state_dir, None] {
        let wishes = Wishes { state_dir, ..folder.wishes() };
        let before = everything(&folder.0);
        let survey = survey_in(&folder.world(), &wishes, Some(&identity("task")));
        assert_eq!(everything(&folder.0), before);
        let state = open_in(&folder.world(), &wishes, Some(&identity("task")));
        let storage = state.storage();
        let directory = survey.directory.expect("a place does");
        assert_eq!(directory.display().to_string(), storage.path);
        let usable = survey.places.last().expect("one").found.as_ref().expect("it does");
        assert_eq!(usable.mode, storage.mode);
        // What is there already is looked at in the same way, and stays as it is.
        let before = everything(&folder.0);
        let again = survey_in(&folder.world(), &wishes, Some(&identity("task")));
        assert_eq!(again.directory, Some(directory));
        assert_eq!(everything(&folder.0), before);
    }
}

#[test]
fn a_place_that_a_guard_passes_over_is_told_with_its_reason() {
    apart!(a_place_that_a_guard_passes_over_is_told_with_its_reason);
    let folder = Folder::new();
    fs::create_dir(folder.0.join("system")).expect("made");
    let open = fs::Permissions::from_mode(0o777);
    fs::set_permissions(folder.0.join("system"), open).expect("ours");
    fs::write(folder.0.join("file"), "").expect("made");
    let wishes = Wishes { state_dir: Some(folder.0.join("file")), ..folder.wishes() };
    let survey = survey_in(&folder.world(), &wishes, Some(&identity("task")));
    let why = |at: usize| survey.places[at].found.as_ref().expect_err("passed over").clone();
    assert!(survey.places[0].chosen && why(0).contains("is no directory"), "{}", why(0));
    assert!(why(1).contains("chmod 700"), "{}", why(1));
    let state = open_in(&folder.world(), &wishes, Some(&identity("task")));
    assert_eq!(survey.directory.expect("a place does").display().to_string(), state.storage().path);
}

#[test]
fn while_nobody_knows_who_we_are_the_place_is_told_without_a_directory() {
    apart!(while_nobody_knows_who_we_are_the_place_is_told_without_a_directory);
    let folder = Folder::new();
    let survey = survey_in(&folder.world(), &folder.wishes(), None);
    assert_eq!(survey.directory, None);
    assert_eq!(survey.places.len(), 1);
    assert_eq!(survey.places[0].found.as_ref().map(|found| found.mode), Ok(Mode::Durable));
}
