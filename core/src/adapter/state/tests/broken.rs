//! Files that are lost, broken or from elsewhere: nothing is billed twice, nothing is forgotten silently.

use super::*;
use crate::adapter::state::segment::Segment;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

/// Two captured hours of 10 and 20, 3 in a closed slab that nobody captured, 4 in the running one.
fn used(folder: &Folder) -> PathBuf {
    let mut product = Product::start(folder, "task");
    for value in [10, 20] {
        product.count(value).expect("counted");
        product.hour();
    }
    product.count(3).expect("counted");
    product.lead.counters.rotate(HOUR.next(), false).expect("rotates");
    product.count(4).expect("counted");
    drop(product);
    folder.of("task")
}

fn set_aside(dir: &Path, name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).expect("listed").flatten().map(|entry| entry.path());
    let mut found: Vec<_> = entries
        .filter(|path| path.file_name().is_some_and(|it| it.to_string_lossy().starts_with(name)))
        .collect();
    found.sort();
    found
}

#[track_caller]
fn check(folder: &Folder, found: (Raw, Raw, Raw)) -> Vec<String> {
    let mut product = Product::start(folder, "task");
    product.capture_rest();
    assert_eq!(product.found(), found, "(waiting, disputed, open)");
    let notes = product.notes(NoteKind::Quarantined);
    drop(product);
    // A second start finds the same, and nothing new to say.
    let mut product = Product::start(folder, "task");
    product.capture_rest();
    assert_eq!(product.found(), found, "(waiting, disputed, open) at the second start");
    assert_eq!(product.notes(NoteKind::Quarantined), Vec::<String>::new());
    product.count(1).expect("it goes on");
    notes
}

#[test]
fn whole_files_say_nothing() {
    apart!(whole_files_say_nothing);
    let folder = Folder::new();
    used(&folder);
    assert_eq!(check(&folder, (33, 0, 4)), Vec::<String>::new());
}

#[test]
fn a_lost_ledger_disputes_what_it_may_have_sent() {
    apart!(a_lost_ledger_disputes_what_it_may_have_sent);
    // T02, T03
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 4] = [
        ("gone", |ledger| fs::remove_file(ledger).expect("there")),
        ("empty", |ledger| fs::write(ledger, "").expect("there")),
        ("nonsense", |ledger| fs::write(ledger, "nonsense".repeat(2000)).expect("there")),
        ("short", |ledger| {
            let bytes = fs::read(ledger).expect("there");
            fs::write(ledger, &bytes[..bytes.len() / 2]).expect("written");
        }),
    ];
    for (what, damage) in damages {
        let folder = Folder::new();
        let dir = used(&folder);
        damage(&dir.join("ledger.db"));
        let notes = check(&folder, (3, 30, 4));
        assert!(
            notes.iter().any(|text| text.contains("30 raw counts are disputed")),
            "{what}: {notes:?}"
        );
        let aside = set_aside(&dir, "ledger.db.broken-");
        assert_eq!(aside.len(), usize::from(what != "gone"), "{what}");
        for path in aside {
            assert!(
                notes.iter().any(|text| text.contains(&*path.to_string_lossy())),
                "{what}: {notes:?}"
            );
        }
    }
}

#[test]
fn lost_counters_begin_behind_the_newest_captured_slab() {
    apart!(lost_counters_begin_behind_the_newest_captured_slab);
    // T02, T03
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 4] = [
        ("gone", |segment| fs::remove_file(segment).expect("there")),
        ("empty", |segment| fs::write(segment, "").expect("there")),
        ("short", |segment| {
            let file = fs::OpenOptions::new().write(true).open(segment).expect("there");
            file.set_len(100_000).expect("cut");
        }),
        ("flipped", |segment| {
            let mut bytes = fs::read(segment).expect("there");
            bytes[50] ^= 4;
            fs::write(segment, bytes).expect("written");
        }),
    ];
    for (what, damage) in damages {
        let folder = Folder::new();
        let dir = used(&folder);
        damage(&dir.join("usage.seg"));
        let notes = check(&folder, (30, 0, 0));
        assert!(notes.iter().any(|text| text.contains("since slab 2")), "{what}: {notes:?}");
        assert_eq!(
            set_aside(&dir, "usage.seg.broken-").len(),
            usize::from(what != "gone"),
            "{what}"
        );
    }
}

#[test]
fn a_ledger_from_a_backup_does_not_bill_again() {
    apart!(a_ledger_from_a_backup_does_not_bill_again);
    // Fault 37.
    let folder = Folder::new();
    let mut product = Product::start(&folder, "task");
    product.count(10).expect("counted");
    product.hour();
    drop(product);
    let ledger = folder.of("task").join("ledger.db");
    let backup = fs::read(&ledger).expect("there");
    let mut product = Product::start(&folder, "task");
    product.count(20).expect("counted");
    product.hour();
    product.count(4).expect("counted");
    drop(product);
    fs::write(&ledger, backup).expect("restored");
    let notes = check(&folder, (10, 20, 4));
    assert!(notes.iter().any(|text| text.contains("20 raw counts are disputed")), "{notes:?}");
}

#[test]
fn counters_of_another_ledger_are_taken_over_and_set_aside() {
    apart!(counters_of_another_ledger_are_taken_over_and_set_aside);
    let folder = Folder::new();
    let elsewhere = Folder::new();
    let dir = used(&folder);
    let mut product = Product::start(&elsewhere, "task");
    product.count(100).expect("counted");
    product.hour();
    product.count(7).expect("counted");
    drop(product);
    // Only one of the two files was restored.
    fs::copy(elsewhere.of("task").join("ledger.db"), dir.join("ledger.db")).expect("copied");
    let notes = check(&folder, (107 - 7 + 3 + 4, 30, 0));
    assert!(notes.iter().any(|text| text.contains("another ledger")), "{notes:?}");
    let aside = set_aside(&dir, "usage.seg.foreign-");
    assert_eq!(aside.len(), 1);
    // Whoever still counts there hears that it is not counted.
    let segment = Segment::open(&aside[0]).expect("whole");
    assert_eq!(Segment::adder(&segment).put(REQUESTS, Kind::Sum, 1), Err(CountError::Closed));
}

#[test]
fn files_of_another_identity_are_not_mixed_in() {
    apart!(files_of_another_identity_are_not_mixed_in);
    // T09
    let folder = Folder::new();
    let dir = used(&folder);
    let mut other = Product::start(&folder, "other");
    other.count(1000).expect("counted");
    other.hour();
    other.count(2000).expect("counted");
    drop(other);
    fs::copy(folder.of("other").join("usage.seg"), dir.join("usage.seg")).expect("copied");
    check(&folder, (30, 0, 0));
    fs::copy(folder.of("other").join("ledger.db"), dir.join("ledger.db")).expect("copied");
    let mut product = Product::start(&folder, "task");
    assert_eq!(product.found().0, 0);
    assert!(product.notes(NoteKind::Quarantined).iter().any(|text| text.contains("belongs to")));
}

#[test]
fn a_newer_layout_is_left_alone() {
    apart!(a_newer_layout_is_left_alone);
    let folder = Folder::new();
    let dir = used(&folder);
    let segment = dir.join("usage.seg");
    let mut bytes = fs::read(&segment).expect("there");
    bytes[8] = 9;
    let check = u64::from(crc32fast::hash(&bytes[..72]));
    bytes[72..80].copy_from_slice(&check.to_ne_bytes());
    fs::write(&segment, &bytes).expect("written");
    let ledger = fs::read(dir.join("ledger.db")).expect("there");
    let wishes = Wishes { heirloom: Some(Heirloom::Directory(dir.clone())), ..folder.wishes() };
    let mut state = open_in(&folder.world(), &wishes, Some(&identity("task")));
    assert_eq!(state.storage().path, "");
    let weak = texts(state.take_notes(), NoteKind::Weak).join("\n");
    assert!(weak.contains("version 9"), "{weak}");
    assert_eq!(fs::read(&segment).expect("there"), bytes);
    assert_eq!(fs::read(dir.join("ledger.db")).expect("there"), ledger);
}

#[test]
fn a_list_of_counters_is_healed_from_the_ledger() {
    apart!(a_list_of_counters_is_healed_from_the_ledger);
    let folder = Folder::new();
    let dir = used(&folder);
    fs::write(dir.join("series"), "nonsense\nmore\n").expect("written");
    let notes = check(&folder, (33, 0, 4));
    assert!(notes.iter().any(|text| text.contains("list of counters")), "{notes:?}");
}

#[test]
fn the_only_dimension_gets_the_counts_whose_name_is_lost() {
    apart!(the_only_dimension_gets_the_counts_whose_name_is_lost);
    let folder = Folder::new();
    let dir = used(&folder);
    fs::remove_file(dir.join("series")).expect("there");
    fs::remove_file(dir.join("ledger.db")).expect("there");
    let wishes = Wishes { dimensions: vec![Dimension::from("requests")], ..folder.wishes() };
    let mut state = open_in(&folder.world(), &wishes, Some(&identity("task")));
    let lead = state.lead(at(HOUR), false).expect("leads");
    let account = lead.books.account(&Dimension::from("requests"));
    assert_eq!((account.added, account.disputed), (30, 30));
    assert!(account.balances());
}

#[test]
fn another_run_of_a_sandbox_begins_anew() {
    apart!(another_run_of_a_sandbox_begins_anew);
    let folder = Folder::new();
    let wishes = || Wishes { sandbox: Some("http://127.0.0.1:1".into()), ..folder.wishes() };
    let open = || open_in(&folder.world(), &wishes(), Some(&identity("task")));
    let mut product = Product::leads(open(), Hour(HOUR.0 + 48));
    product.count(5).expect("counted");
    product.hour();
    product.count(6).expect("counted");
    drop(product);
    let mut product = Product::leads(open(), HOUR);
    product.capture_rest();
    assert_eq!(product.found(), (0, 0, 0));
    assert_eq!(product.lead.counters.hour(), HOUR);
    assert!(product.notes(NoteKind::Quarantined).iter().any(|text| text.contains("another run")));
    product.count(7).expect("counted");
    product.hour();
    drop(product);
    let product = Product::leads(open(), HOUR.next());
    assert_eq!(product.found(), (7, 0, 0), "the same run goes on");
    // In production the same files are whatever AWS's time says.
    let folder = Folder::new();
    let mut product = Product::leads(folder.open("task"), Hour(HOUR.0 + 48));
    product.count(5).expect("counted");
    product.hour();
    drop(product);
    assert_eq!(Product::start(&folder, "task").found(), (5, 0, 0));
}

#[test]
fn counters_removed_under_a_running_product_go_on() {
    apart!(counters_removed_under_a_running_product_go_on);
    let folder = Folder::new();
    let dir = used(&folder);
    let Product { lead, mut state } = Product::start(&folder, "task");
    fs::remove_file(dir.join("usage.seg")).expect("there");
    state.beat();
    let told = texts(state.take_notes(), NoteKind::Quarantined);
    assert!(told.len() == 1 && told.iter().all(|text| text.contains("restart")), "{told:?}");
    drop(lead);
    state.resign();
    let mut product = Product::leads(state, HOUR);
    product.capture_rest();
    product.count(2).expect("counted");
    assert_eq!(product.found(), (33, 0, 6));
}

#[test]
fn a_full_disk_keeps_nobody_from_counting() {
    apart!(a_full_disk_keeps_nobody_from_counting);
    // T04: a leader that cannot open its ledger says so once, and another try works.
    let folder = Folder::new();
    let child = fork(|| {
        let Product { lead, mut state } = Product::start(&folder, "task");
        drop(lead);
        state.resign();
        let ledger = folder.of("task").join("ledger.db");
        fs::rename(&ledger, folder.0.join("kept")).expect("moved");
        fs::create_dir(&ledger).expect("a directory where a file should be");
        // A directory is broken, is set aside, and a new ledger begins beside what is counted.
        let lead = state.lead(at(HOUR), false);
        let notes = state.take_notes();
        assert!(
            lead.is_some() || notes.iter().any(|note| note.kind == NoteKind::Weak),
            "{notes:?}"
        );
        count(&*state, 1).expect("counting goes on");
        0
    });
    assert_eq!(wait(child), 0);
}

#[test]
fn garbage_in_a_directory_never_stops_a_start() {
    apart!(garbage_in_a_directory_never_stops_a_start);
    let mut draw = ChaCha8Rng::seed_from_u64(5);
    let files = [
        "about.json",
        "ledger.db",
        "ledger.db-journal",
        "holdings-0.json",
        "leader.lock",
        "license.json",
        "series",
        "use.lock",
        "usage.seg",
    ];
    let (mut quarantined, mut started) = (0, 0);
    for round in 0..60 {
        let folder = Folder::new();
        let dir = used(&folder);
        for _ in 0..=draw.next_u32() % 3 {
            let path = dir.join(files[draw.next_u32() as usize % files.len()]);
            let mut bytes = fs::read(&path).unwrap_or_default();
            match draw.next_u32() % 4 {
                0 => bytes.truncate(draw.next_u32() as usize % (bytes.len() + 1)),
                1 => {
                    bytes = vec![0; draw.next_u32() as usize % 9000];
                    draw.fill_bytes(&mut bytes);
                }
                2 if !bytes.is_empty() => {
                    for _ in 0..=draw.next_u32() % 8 {
                        let at = draw.next_u32() as usize % bytes.len();
                        bytes[at] ^= 1 << (draw.next_u32() % 8);
                    }
                }
                _ => bytes.extend(std::iter::repeat_n(0xA5, draw.next_u32() as usize % 5000)),
            }
            fs::write(&path, bytes).expect("written");
        }
        let mut state = folder.open("task");
        let lead = state.lead(at(HOUR.next()), false);
        let notes = state.take_notes();
        let Some(lead) = lead else { panic!("round {round}: nobody leads: {notes:?}") };
        assert_eq!(lead.books.fault(), None, "round {round}");
        // Damage to a counter itself cannot be seen; but none is ever billed beyond what 63 bits hold.
        count(&*state, 1)
            .or_else(|error| if error == CountError::Overflow { Ok(()) } else { Err(error) })
            .expect("it counts");
        quarantined += notes.iter().filter(|note| note.kind == NoteKind::Quarantined).count();
        // Nor do holdings and the kept contract stop anybody.
        let held = state.holdings();
        state.keep(&held).expect("kept");
        assert!(state.remembered().is_none() && state.abandoned().is_empty(), "round {round}");
        started += usize::from(state.storage().path.contains("mpg1-"));
    }
    assert!(quarantined > 20 && started == 60, "{quarantined} {started}");
}
