//! The contract as it was confirmed last: T53.

use super::*;
use crate::{
    adapter::state::seal,
    model::license::{Contract, Entitlement, Remembered},
};
use std::os::unix::fs::PermissionsExt;

fn remembered() -> Remembered {
    let entitlement = Entitlement {
        name: "premium".into(),
        unit: "None".into(),
        value: Some("yes".into()),
        max_count: None,
        consumed: None,
    };
    let contract = Contract {
        license_arn: Some("arn:aws:license-manager::1:license:l-1".into()),
        version: Some("3".into()),
        entitlements: vec![entitlement],
        expires: Some(Timestamp(9)),
        ..Contract::default()
    };
    Remembered { contract, confirmed: Timestamp(5), seen: Timestamp(6), spent_ms: 7 }
}

fn kept(folder: &Folder) -> PathBuf {
    let mut state = folder.open("task");
    let lead = state.lead(at(HOUR), false).expect("leads");
    state.remember(&remembered()).expect("kept");
    drop(lead);
    folder.of("task").join("license.json")
}

/// Why a start does not use what was kept.
#[track_caller]
fn refused(folder: &Folder, wishes: &Wishes, name: &str, part: &str) {
    let mut state = open_in(&folder.world(), wishes, Some(&identity(name)));
    assert_eq!(state.remembered(), None, "{part}");
    assert_eq!(state.remembered(), None, "{part}");
    let notes = texts(state.take_notes(), NoteKind::Cache);
    assert!(notes.len() == 1 && notes[0].contains(part), "`{part}` once in {notes:?}");
}

#[test]
fn a_start_finds_the_contract_that_the_leader_kept() {
    apart!(a_start_finds_the_contract_that_the_leader_kept);
    let folder = Folder::new();
    let mut state = folder.open("task");
    assert_eq!(state.remembered(), None);
    assert_eq!(texts(state.take_notes(), NoteKind::Cache), Vec::<String>::new());
    assert!(state.remember(&remembered()).is_err(), "it does not lead");
    drop(state);
    let file = kept(&folder);
    assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
    let mut state = folder.open("task");
    assert_eq!(state.remembered(), Some(remembered()));
    assert_eq!(texts(state.take_notes(), NoteKind::Cache), Vec::<String>::new());
}

#[test]
fn a_damaged_or_changed_contract_is_refused_with_the_reason() {
    apart!(a_damaged_or_changed_contract_is_refused_with_the_reason);
    let folder = Folder::new();
    let file = kept(&folder);
    let whole = fs::read_to_string(&file).expect("text");
    let check = |text: &str, part: &str| {
        fs::write(&file, text).expect("written");
        refused(&folder, &folder.wishes(), "task", part);
    };
    check("", "damaged");
    check(&whole[..whole.len() - 20], "damaged");
    check(&whole.replace("\"body\":{", "\"body\":["), "damaged");
    check(&whole.replace("license 1", "license 2"), "newer");
    // By hand: a later confirmation, another tier, and a seal of somebody else's making.
    check(&whole.replace("\"confirmed\":5", "\"confirmed\":6"), "seal does not fit");
    check(&whole.replace("premium", "platin."), "seal does not fit");
    check(&whole.replace("\"expires\":9", "\"expires\":99"), "seal does not fit");
    let at = whole.find("\"check\":\"").expect("there") + 9;
    let sum = crate::adapter::state::whole::sum(b"mine").map(|byte| format!("{byte:02x}")).concat();
    check(&format!("{}{sum}{}", &whole[..at], &whole[at + 64..]), "seal does not fit");
    // Nothing of it keeps the next one from being kept.
    kept(&folder);
    assert_eq!(folder.open("task").remembered(), Some(remembered()));
}

#[test]
fn a_contract_of_somebody_else_is_refused_with_the_reason() {
    apart!(a_contract_of_somebody_else_is_refused_with_the_reason);
    let folder = Folder::new();
    let file = kept(&folder);
    // Another account's task: it finds the file only when somebody copies it.
    drop(folder.open("task-of-another-account"));
    let other = folder.of("task-of-another-account").join("license.json");
    fs::copy(&file, &other).expect("copied");
    refused(&folder, &folder.wishes(), "task-of-another-account", "another task, pod");
    // A build with another key, SKU or issuer has another seal.
    let rebuilt = Wishes { seal: [8; 32], ..folder.wishes() };
    refused(&folder, &rebuilt, "task", "another SKU, issuer or public key");
    // What names the maker is under the seal itself.
    let whole = fs::read_to_string(&file).expect("text");
    let maker = |text: &str| {
        let at = text.find("\"maker\":\"").expect("there") + 9;
        text[at..at + 32].to_owned()
    };
    let mut state = open_in(&folder.world(), &rebuilt, Some(&identity("task")));
    let lead = state.lead(at(HOUR), false).expect("leads");
    state.remember(&remembered()).expect("kept");
    drop(lead);
    drop(state);
    let theirs = maker(&fs::read_to_string(&file).expect("text"));
    fs::write(&file, whole.replace(&maker(&whole), &theirs)).expect("written");
    refused(&folder, &rebuilt, "task", "seal does not fit");
    // Another product has another directory, so this too takes a copy.
    let product = Wishes { product_code: "other".into(), ..folder.wishes() };
    let state = open_in(&folder.world(), &product, Some(&identity("task")));
    let dir = PathBuf::from(&state.storage().path);
    drop(state);
    fs::write(dir.join("license.json"), &whole).expect("copied");
    refused(&folder, &product, "task", "of product `3xmpl`");
}

#[test]
fn a_full_disk_leaves_the_contract_that_was_kept() {
    apart!(a_full_disk_leaves_the_contract_that_was_kept);
    let folder = Folder::new();
    kept(&folder);
    let child = fork(|| {
        let mut state = folder.open("task");
        let lead = state.lead(at(HOUR), false).expect("leads");
        // SAFETY: limits this child alone; the signal would end it before the error is seen.
        unsafe {
            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
            let limit = libc::rlimit { rlim_cur: 100, rlim_max: 100 };
            assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit), 0);
        }
        let new = Remembered { spent_ms: 8, ..remembered() };
        let why = state.remember(&new).expect_err("no room");
        assert!(why.contains("license.json"), "{why}");
        drop(lead);
        0
    });
    assert_eq!(wait(child), 0);
    assert_eq!(folder.open("task").remembered(), Some(remembered()));
    assert!(!folder.of("task").join("license.json.new").exists());
}

#[test]
fn every_part_of_the_seal_counts() {
    let parts = ["code", "sku", "issuer", "1", "key"];
    let whole = seal(&parts);
    for at in 0..parts.len() {
        let mut other = parts;
        other[at] = "x";
        assert_ne!(seal(&other), whole, "{}", parts[at]);
    }
    assert_ne!(seal(&["codes", "ku", "issuer", "1", "key"]), whole, "parts do not run together");
    assert_eq!(seal(&parts), whole);
}

fn anywhere(name: &str) -> Identity {
    Identity { platform: Platform::Elsewhere, name: name.into(), region: "us-east-1".into() }
}

/// A container anywhere has another name at each start.
#[test]
fn containers_anywhere_find_their_directory_again() {
    apart!(containers_anywhere_find_their_directory_again);
    let folder = Folder::new();
    let contract = || Wishes { dimensions: Vec::new(), ..folder.wishes() };
    let open = |name: &str| open_in(&folder.world(), &contract(), Some(&anywhere(name)));
    let mut first = open("random-1");
    let lead = first.lead(at(HOUR), false).expect("leads");
    first.remember(&remembered()).expect("kept");
    let dir = first.storage().path.clone();
    // A second replica on the same volume is one more process of the same task.
    let mut second = open("random-2");
    assert_eq!(second.storage().path, dir);
    assert!(second.lead(at(HOUR), false).is_none());
    assert_eq!(second.remembered(), Some(remembered()));
    assert_eq!(texts(second.take_notes(), NoteKind::Split), Vec::<String>::new());
    drop(lead);
    drop((first, second));
    let mut third = open("random-3");
    assert_eq!(third.remembered(), Some(remembered()));
    let third_lead = third.lead(at(HOUR), false).expect("leads");
    // The same file on another volume is of another place: its ledger has another id.
    let other = Folder::new();
    let at_other = || open_in(&other.world(), &contract_of(&other), Some(&anywhere("random-4")));
    let mut state = at_other();
    let lead = state.lead(at(HOUR), false).expect("leads");
    let there = PathBuf::from(&state.storage().path);
    fs::copy(Path::new(&dir).join("license.json"), there.join("license.json")).expect("copied");
    assert_eq!(state.remembered(), None);
    let notes = state.take_notes();
    // Two that lead do no harm where nothing is counted, so nobody is told of them.
    assert_eq!(texts(notes.clone(), NoteKind::Split), Vec::<String>::new());
    let notes = texts(notes, NoteKind::Cache);
    assert!(notes.join("").contains("another task, pod"), "{notes:?}");
    drop((lead, third_lead));
    drop(third);
    // What counts keeps its random name: nothing is replayed under a name that lasts.
    let meters = |name: &str| open_in(&folder.world(), &folder.wishes(), Some(&anywhere(name)));
    let (one, two) = (meters("random-1"), meters("random-2"));
    assert_ne!(one.storage().path, two.storage().path);
}

fn contract_of(folder: &Folder) -> Wishes {
    Wishes { dimensions: Vec::new(), ..folder.wishes() }
}
