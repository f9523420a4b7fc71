//! What dead identities leave on a shared volume, and two ledgers of one task.

use super::*;
use crate::{
    adapter::state::{boot_ms, segment::Segment},
    model::{
        ids::{ClientToken, RecordId},
        quantity::Units,
        usage::{Lot, Record},
    },
    port::state::Orphan,
};
use std::time::SystemTime;

/// Nobody has led there for three minutes.
fn age(dir: &Path, minutes: u64) {
    let segment = Segment::open(&dir.join("usage.seg")).expect("whole");
    segment.beat(boot_ms().saturating_sub(minutes * 60_000).max(1));
    let then = SystemTime::now() - Duration::from_secs(minutes * 60);
    for file in ["about.json", "ledger.db", "usage.seg"] {
        fs::File::open(dir.join(file)).expect("there").set_modified(then).expect("ours");
    }
}

fn names(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(folder.state_dir()).expect("listed").flatten();
    let mut names: Vec<_> =
        entries.map(|it| it.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn ends(folder: &Folder, end: &str) -> usize {
    names(folder).iter().filter(|name| name.contains(end)).count()
}

/// A pod that is gone: 10 captured, of which 6 are in a record that was begun; 3 closed; 4 running.
fn dead(folder: &Folder, name: &str) {
    let mut product = Product::start(folder, name);
    product.count(10).expect("counted");
    product.hour();
    let record = Record {
        id: RecordId(1),
        dimension: Dimension::from("requests"),
        hour: HOUR,
        timestamp: at(HOUR.next()),
        units: Units { scaled: 6, digits: 0 },
        allocations: Vec::new(),
        client_token: ClientToken::from("token"),
        parts: BTreeMap::from([(Lot { hour: HOUR, series: REQUESTS }, 6)]),
    };
    let entries = [Entry::Frozen(record), Entry::Begun(RecordId(1))];
    product.lead.ledger.commit(&entries, at(HOUR.next())).expect("written");
    product.count(3).expect("counted");
    product.lead.counters.rotate(HOUR.next(), false).expect("rotates");
    product.count(4).expect("counted");
    drop(product);
    age(&folder.of(name), 3);
}

fn take(orphan: &dyn Orphan) -> Entry {
    let books = orphan.books();
    let waiting = books.waiting.values().flatten().map(|(lot, raw)| (*lot, *raw)).collect();
    let begun = books.records.values().flat_map(|kept| kept.record.parts.clone()).collect();
    let (missed, why) = (BTreeMap::new(), String::new());
    Entry::TakenOver { ledger: orphan.ledger().into(), waiting, disputed: begun, missed, why }
}

#[test]
fn a_dead_identity_s_usage_is_taken_over_once() {
    apart!(a_dead_identity_s_usage_is_taken_over_once);
    // T09: unsent adopted once, in doubt disputed.
    let folder = Folder::new();
    dead(&folder, "dead");
    let mut product = Product::start(&folder, "task");
    let mut orphans = product.state.orphans();
    assert_eq!(orphans.len(), 1);
    let orphan = orphans.remove(0);
    assert_eq!(orphan.identity(), "dead");
    let waiting: Raw = orphan.books().waiting.values().flat_map(BTreeMap::values).sum();
    assert_eq!((waiting, orphan.books().captured), (4 + 3 + 4, 3));
    assert!(orphan.books().records[&RecordId(1)].begun);
    assert_eq!(orphan.books().fault(), None);
    // Nobody else can have it now.
    let mut rival = Product::start(&folder, "rival");
    assert_eq!(rival.state.orphans().len(), 0);
    let entry = take(&*orphan);
    product.lead.ledger.commit(std::slice::from_ref(&entry), at(HOUR)).expect("written");
    product.lead.books.apply(&entry);
    orphan.taken_over();
    assert_eq!((ends(&folder, ".adopted"), ends(&folder, "adopting")), (1, 0));
    assert_eq!(product.state.orphans().len() + rival.state.orphans().len(), 0);
    assert_eq!(product.lead.books.fault(), None);
}

#[test]
fn the_living_the_young_and_other_products_are_left_alone() {
    apart!(the_living_the_young_and_other_products_are_left_alone);
    let folder = Folder::new();
    let mut product = Product::start(&folder, "task");
    // Alive, however old its beat.
    let alive = Product::start(&folder, "alive");
    age(&folder.of("alive"), 30);
    assert_eq!(product.state.orphans().len(), 0);
    // Attached, and nobody leads.
    let Product { lead, state } = alive;
    drop(lead);
    let mut state = state;
    state.resign();
    age(&folder.of("alive"), 30);
    assert_eq!(product.state.orphans().len(), 0);
    // Gone a minute ago: a restart in place may be under way.
    drop(state);
    age(&folder.of("alive"), 1);
    assert_eq!(product.state.orphans().len(), 0);
    // Another product's.
    let wishes = Wishes { product_code: "other".into(), ..folder.wishes() };
    let other = Product::leads(open_in(&folder.world(), &wishes, Some(&identity("other"))), HOUR);
    let path = PathBuf::from(&other.state.storage().path);
    drop(other);
    age(&path, 30);
    assert_eq!(product.state.orphans().len(), 0);
    assert_eq!(names(&folder).len(), 3);
    age(&folder.of("alive"), 3);
    assert_eq!(product.state.orphans().len(), 1);
}

#[test]
fn a_dead_adopter_s_claim_is_followed_up() {
    apart!(a_dead_adopter_s_claim_is_followed_up);
    let folder = Folder::new();
    dead(&folder, "dead");
    // Claimed, and not taken over.
    let mut adopter = Product::start(&folder, "adopter");
    let orphans = adopter.state.orphans();
    assert_eq!((orphans.len(), ends(&folder, "adopting")), (1, 1));
    let ledger = orphans[0].ledger().to_owned();
    drop(orphans);
    // The adopter itself finds it again.
    let claimed = || {
        let found = names(&folder).into_iter().find(|name| name.contains("adopting"));
        folder.state_dir().join(found.expect("a claim"))
    };
    age(&claimed(), 3);
    assert_eq!(adopter.state.orphans().len(), 1);
    let mut heir = Product::start(&folder, "heir");
    age(&claimed(), 3);
    assert_eq!(heir.state.orphans().len(), 0, "the adopter lives");
    drop(adopter);
    // Dead, and its ledger knows nothing of the orphan: claimed anew, with the same counts.
    let orphans = heir.state.orphans();
    assert_eq!(orphans.iter().filter(|it| it.ledger() == ledger).count(), 1);
    let waiting: Raw = orphans[0].books().waiting.values().flat_map(BTreeMap::values).sum();
    assert_eq!(waiting, 11);
    // This one takes over durably, and dies before it says so.
    let entry = take(&*orphans[0]);
    heir.lead.ledger.commit(&[entry], at(HOUR)).expect("written");
    drop(orphans);
    drop(heir);
    age(&claimed(), 3);
    let mut last = Product::start(&folder, "last");
    assert!(last.state.orphans().iter().all(|orphan| orphan.ledger() != ledger), "taken twice");
    assert_eq!(ends(&folder, ".adopted"), 1);
}

#[test]
fn a_claim_of_a_ledger_that_is_gone_is_told_and_left() {
    apart!(a_claim_of_a_ledger_that_is_gone_is_told_and_left);
    let folder = Folder::new();
    dead(&folder, "dead");
    let claimed = folder.of("dead").with_extension(format!("adopting-{}", "0".repeat(32)));
    fs::rename(folder.of("dead"), &claimed).expect("renamed");
    let mut product = Product::start(&folder, "task");
    for told in [1, 0] {
        assert_eq!(product.state.orphans().len(), 0);
        assert_eq!(product.notes(NoteKind::Weak).len(), told);
    }
    assert!(claimed.exists());
}

#[test]
fn nothing_is_dropped_however_long_the_outage() {
    apart!(nothing_is_dropped_however_long_the_outage);
    // T11: 30 days without AWS, every hour captured; every restart finds all of it.
    let folder = Folder::new();
    let mut product = Product::start(&folder, "task");
    for hour in 0..720 {
        product.count(1).expect("counted");
        product.hour();
        if hour % 240 == 100 {
            drop(product);
            product = Product::leads(folder.open("task"), Hour(HOUR.0 + hour + 1));
        }
    }
    drop(product);
    let mut product = Product::leads(folder.open("task"), Hour(HOUR.0 + 721));
    assert_eq!(product.found(), (720, 0, 0));
    assert_eq!(product.notes(NoteKind::Weak), Vec::<String>::new());
}

#[test]
fn adopted_directories_are_kept_for_400_days() {
    apart!(adopted_directories_are_kept_for_400_days);
    let folder = Folder::new();
    for name in ["old", "young"] {
        drop(Product::start(&folder, name));
        let adopted = folder.of(name).with_extension("adopted");
        fs::rename(folder.of(name), &adopted).expect("renamed");
        let days = if name == "old" { 401 } else { 399 };
        let then = SystemTime::now() - Duration::from_secs(days * 86_400);
        for path in [adopted.join("ledger.db"), adopted] {
            fs::File::open(path).expect("there").set_modified(then).expect("ours");
        }
    }
    let mut product = Product::start(&folder, "task");
    assert_eq!(product.state.orphans().len(), 0);
    assert_eq!(ends(&folder, ".adopted"), 1);
    assert!(folder.of("young").with_extension("adopted").exists());
}

#[test]
fn two_containers_of_a_task_share_a_volume() {
    apart!(two_containers_of_a_task_share_a_volume);
    // T35
    let folder = Folder::new();
    let task = hex(&random().expect("randomness"));
    let child = fork(|| {
        let mut product = Product::start(&folder, &task);
        product.count(2).expect("counted");
        until(|| fs::exists(folder.0.join("go")).unwrap_or(false));
        assert_eq!(product.found().2, 5);
        assert_eq!(product.notes(NoteKind::Split), Vec::<String>::new());
        0
    });
    until(|| folder.of(&task).join("about.json").exists());
    let mut second = folder.open(&task);
    count(&*second, 3).expect("counted");
    assert!(second.lead(at(HOUR), false).is_none(), "the first container leads");
    assert_eq!(second.take_notes(), Vec::new());
    fs::write(folder.0.join("go"), "").expect("written");
    assert_eq!(wait(child), 0);
    let mut second = Product::leads(second, HOUR);
    assert_eq!(second.found(), (0, 0, 5));
    assert_eq!(second.notes(NoteKind::Split), Vec::<String>::new());
}

#[cfg(target_os = "linux")]
#[test]
fn two_containers_of_a_task_with_a_volume_each_are_told() {
    apart!(two_containers_of_a_task_with_a_volume_each_are_told);
    // T35
    let (one, two) = (Folder::new(), Folder::new());
    let task = hex(&random().expect("randomness"));
    let mut first = Product::start(&one, &task);
    assert_eq!(first.notes(NoteKind::Split), Vec::<String>::new());
    let other = Product::start(&two, &hex(&random().expect("randomness")));
    let mut second = Product::start(&two, &task);
    let told = second.notes(NoteKind::Split);
    assert!(
        told.len() == 1 && told.iter().all(|text| text.contains("one shared volume")),
        "{told:?}"
    );
    let Product { lead, mut state } = second;
    drop(lead);
    state.resign();
    drop(first);
    drop(other);
    // The name ends with the leader, and it was told once.
    assert!(state.lead(at(HOUR), false).is_some());
    assert_eq!(texts(state.take_notes(), NoteKind::Split), Vec::<String>::new());
    let mut third = Product::start(&one, &task);
    assert_eq!(third.notes(NoteKind::Split).len(), 1);
}
