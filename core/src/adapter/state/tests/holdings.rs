//! What processes hold of a contract outlives them, and nothing is held twice.

use super::*;
use crate::{
    model::{
        holdings::{Asking, Dispute, Given, Holdings, KeptDraw, KeptLease, KeptUnits},
        ids::{ClientToken, ConsumptionToken, EntitlementName},
    },
    port::state::Abandoned,
};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

/// Seats under this many tokens.
fn seats(tokens: &[&str]) -> Holdings {
    let lease = |token: &&str| KeptLease {
        entitlement: "seat".into(),
        unit: "Count".into(),
        count: 1,
        asking: None,
        given: Some(Given {
            token: ConsumptionToken::from(*token),
            expires: Timestamp(5),
            returning: false,
            extended: None,
        }),
    };
    Holdings { leases: tokens.iter().map(lease).collect(), ..Holdings::default() }
}

/// One of everything.
fn everything() -> Holdings {
    let mut all = seats(&["token-1"]);
    all.leases.push(KeptLease {
        entitlement: "seat".into(),
        unit: "Count".into(),
        count: 3,
        asking: Some(Asking { client_token: ClientToken::from("client-1"), begun: Timestamp(7) }),
        given: None,
    });
    let draw = |token: &str| KeptDraw {
        client_token: ClientToken::from(token),
        quantity: 50,
        begun: Timestamp(8),
        in_doubt: true,
        before: None,
    };
    let dispute = Dispute {
        client_token: ClientToken::from("client-3"),
        quantity: 20,
        begun: Timestamp(9),
        why: "no answer".into(),
    };
    let units = KeptUnits {
        drawn: u64::MAX,
        booked: 70,
        in_hand: std::iter::once(draw("client-2")).collect(),
        disputes: vec![dispute],
    };
    all.units.insert(EntitlementName::from("credits"), units);
    all.absorbed.insert("an id".into());
    all
}

fn names(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(folder.of("task")).expect("listed").flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("holdings-") && !name.ends_with(".lock"))
        .collect();
    names.sort();
    names
}

/// A process of the task that held these when it was killed.
fn dies_with(folder: &Folder, holdings: &Holdings) {
    let child = fork(|| {
        let mut state = folder.open("task");
        state.keep(holdings).expect("kept");
        // SAFETY: ends this process as the kernel would, with nothing run.
        unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
        1
    });
    assert_eq!(wait(child), -libc::SIGKILL);
}

fn leads(folder: &Folder) -> (Lead, Box<dyn State>) {
    let mut state = folder.open("task");
    let lead = state.lead(at(HOUR), false).expect("leads");
    (lead, state)
}

fn quarantined(state: &mut dyn State) -> Vec<String> {
    texts(state.take_notes(), NoteKind::Quarantined)
}

#[test]
fn a_restart_finds_what_was_held() {
    apart!(a_restart_finds_what_was_held);
    let folder = Folder::new();
    let mut state = folder.open("task");
    assert_eq!(state.holdings(), Holdings::default());
    assert_eq!(state.keep(&Holdings::default()), Ok(()));
    assert_eq!(names(&folder), Vec::<String>::new(), "who holds nothing has no file");
    let mut held = everything();
    state.keep(&held).expect("kept");
    drop(state);
    let file = folder.of("task").join("holdings-0.json");
    let there = fs::metadata(&file).expect("there");
    assert_eq!(there.permissions().mode() & 0o777, 0o600);
    let mut state = folder.open("task");
    held.absorbed.clear(); // no file of that id is there any more
    assert_eq!(state.holdings(), held);
    state.keep(&Holdings::default()).expect("kept");
    drop(state);
    assert_eq!(names(&folder), Vec::<String>::new());
    assert_eq!(folder.open("task").holdings(), Holdings::default());
}

#[test]
fn files_of_this_version_stay_readable() {
    apart!(files_of_this_version_stay_readable);
    let folder = Folder::new();
    drop(folder.open("task"));
    let body = r#"{"id":"00112233445566778899aabbccddeeff","holdings":{"leases":[{"entitlement":"seat","unit":"Count","count":1,"asking":null,"given":{"token":"token-1","expires":5,"extended":null}}],"units":{"credits":{"drawn":100,"booked":70}}}}"#;
    let sum: String = crate::adapter::state::whole::sum(body.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let text =
        format!("{{\"format\":\"mpguard holdings 1\",\"check\":\"{sum}\",\"body\":{body}}}\n");
    serde_json::from_str::<serde_json::Value>(&text).expect("a file is JSON");
    let dir = folder.of("task");
    fs::write(dir.join("holdings-0.json"), &text).expect("written");
    let (_lead, mut state) = leads(&folder);
    let mut held = seats(&["token-1"]);
    let units = KeptUnits { drawn: 100, booked: 70, ..KeptUnits::default() };
    held.units.insert(EntitlementName::from("credits"), units);
    assert_eq!(state.holdings(), held);
    // What this one writes is of the same form.
    state.keep(&seats(&["token-2"])).expect("kept");
    let text = fs::read_to_string(dir.join("holdings-0.json")).expect("there");
    assert!(text.starts_with(r#"{"format":"mpguard holdings 1","check":""#), "{text}");
    assert!(
        text.contains(
            r#""given":{"token":"token-2","expires":5,"extended":null,"returning":false}"#
        ),
        "{text}"
    );
}

#[test]
fn fifty_kills_leave_one_file() {
    apart!(fifty_kills_leave_one_file);
    // T48: three seats held, killed, restarted: the same tokens, and no growth.
    let folder = Folder::new();
    dies_with(&folder, &seats(&["a", "b", "c"]));
    for round in 0..50 {
        let child = fork(|| {
            let (_lead, mut state) = leads(&folder);
            let held = state.holdings();
            assert_eq!(held, seats(&["a", "b", "c"]), "round {round}");
            assert_eq!(state.abandoned().len(), 0);
            // SAFETY: as in `dies_with`.
            unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
            1
        });
        assert_eq!(wait(child), -libc::SIGKILL, "round {round}");
    }
    assert_eq!(names(&folder), ["holdings-0.json"]);
    let locks = fs::read_dir(folder.of("task")).expect("listed").flatten();
    let locks = locks.filter(|it| it.file_name().to_string_lossy().ends_with(".lock"));
    assert_eq!(locks.count(), 3, "use.lock, leader.lock, holdings-0.lock");
}

#[test]
fn each_process_has_its_own_file_and_sees_the_others() {
    apart!(each_process_has_its_own_file_and_sees_the_others);
    let folder = Folder::new();
    let (_lead, mut one) = leads(&folder);
    let mut two = folder.open("task");
    assert_eq!((one.holdings(), two.holdings()), (Holdings::default(), Holdings::default()));
    two.keep(&seats(&["b"])).expect("kept");
    one.keep(&seats(&["a"])).expect("kept");
    assert_eq!(names(&folder), ["holdings-0.json", "holdings-1.json"]);
    assert_eq!(one.held_by_others(), [seats(&["b"])]);
    assert_eq!(two.held_by_others(), [seats(&["a"])]);
    assert_eq!(one.abandoned().len(), 0, "both live");
    let mut three = folder.open("task");
    assert_eq!(three.holdings(), Holdings::default(), "nobody takes from the living");
    assert_eq!(three.held_by_others().len(), 2);
}

#[test]
fn the_leader_takes_over_once_what_the_dead_held() {
    apart!(the_leader_takes_over_once_what_the_dead_held);
    let folder = Folder::new();
    let (_lead, mut leader) = leads(&folder);
    leader.keep(&seats(&["a"])).expect("kept");
    dies_with(&folder, &seats(&["b"]));
    let mut follower = folder.open("task");
    assert_eq!(follower.abandoned().len(), 0, "it does not lead");
    drop(follower);
    let found = leader.abandoned();
    let [dead] = found.as_slice() else { panic!("one: {}", found.len()) };
    assert_eq!(*dead.holdings(), seats(&["b"]));
    let id = dead.id().to_owned();
    // While it is being taken nobody else can have it.
    assert_eq!(leader.abandoned().len(), 0);
    assert_eq!(folder.open("task").holdings(), Holdings::default());
    let mut both = seats(&["a", "b"]);
    both.absorbed.insert(id);
    leader.keep(&both).expect("kept");
    assert_eq!(leader.held_by_others(), Vec::<Holdings>::new(), "each thing once");
    assert!(found.into_iter().all(Abandoned::taken_over));
    assert_eq!(names(&folder), ["holdings-0.json"]);
    assert_eq!(leader.abandoned().len(), 0);
}

/// The leader died after it had kept what it took, and before the dead one's file was gone.
fn taken_and_died(folder: &Folder) -> Holdings {
    let child = fork(|| {
        // Started before the other one dies, so that it has a file of its own.
        let (_lead, mut leader) = leads(folder);
        leader.keep(&seats(&["a"])).expect("kept");
        dies_with(folder, &seats(&["b"]));
        let found = leader.abandoned();
        let mut both = seats(&["a", "b"]);
        both.absorbed.extend(found.iter().map(|dead| dead.id().to_owned()));
        assert_eq!(both.absorbed.len(), 1);
        leader.keep(&both).expect("kept");
        // SAFETY: as in `dies_with`.
        unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
        1
    });
    assert_eq!(wait(child), -libc::SIGKILL);
    assert_eq!(names(folder), ["holdings-0.json", "holdings-1.json"]);
    seats(&["a", "b"])
}

#[test]
fn a_crash_in_the_middle_of_a_takeover_doubles_nothing() {
    apart!(a_crash_in_the_middle_of_a_takeover_doubles_nothing);
    // The next process takes the leader's file, and the leader hears of the dead one's again, by its id.
    let folder = Folder::new();
    let both = taken_and_died(&folder);
    let (_lead, mut state) = leads(&folder);
    let held = state.holdings();
    assert_eq!(held.leases, both.leases);
    assert_eq!(held.absorbed.len(), 1, "it knows what it has");
    assert_eq!(state.held_by_others(), Vec::<Holdings>::new());
    let found = state.abandoned();
    assert_eq!(found.len(), 1);
    assert!(held.absorbed.contains(found[0].id()));
    assert!(found.into_iter().all(Abandoned::taken_over));
    assert_eq!(names(&folder), ["holdings-0.json"]);
}

#[test]
fn a_file_that_another_one_holds_already_is_never_taken() {
    apart!(a_file_that_another_one_holds_already_is_never_taken);
    // The dead one's file comes first in order, and the one that took it over second.
    let swapped = |folder: &Folder| {
        taken_and_died(folder);
        let dir = folder.of("task");
        let name = |number: u32| dir.join(format!("holdings-{number}.json"));
        fs::rename(name(0), dir.join("kept")).expect("moved");
        fs::rename(name(1), name(0)).expect("moved");
        fs::rename(dir.join("kept"), name(1)).expect("moved");
    };
    let folder = Folder::new();
    swapped(&folder);
    let mut state = folder.open("task");
    let held = state.holdings();
    assert_eq!(held, seats(&["a", "b"]), "and the id of what is gone is forgotten");
    assert_eq!(names(&folder), ["holdings-1.json"]);
    // A leader that has a file of its own takes that of the dead leader only.
    let folder = Folder::new();
    swapped(&folder);
    let dir = folder.of("task");
    for number in 0..2 {
        let name = format!("holdings-{number}.json");
        fs::rename(dir.join(&name), dir.join(format!("kept-{name}"))).expect("moved");
    }
    let (_lead, mut leader) = leads(&folder);
    leader.keep(&seats(&["c"])).expect("kept");
    for number in [1, 0] {
        let name = format!("kept-holdings-{number}.json");
        fs::rename(dir.join(name), dir.join(format!("holdings-{}.json", 5 - number)))
            .expect("moved");
    }
    let mut taken = Vec::new();
    for _ in 0..3 {
        for dead in leader.abandoned() {
            taken.extend(dead.holdings().leases.clone());
            assert!(dead.taken_over());
        }
    }
    assert_eq!(taken, seats(&["a", "b"]).leases, "each once");
    assert_eq!(names(&folder), ["holdings-0.json"]);
    // Somebody looks into the dead one's file just now, and could have missed the leader's: nothing is handed out
    // before it is clear what he does.
    let folder = Folder::new();
    swapped(&folder);
    let dir = folder.of("task");
    let looking = fs::File::open(dir.join("holdings-0.lock")).expect("there");
    fs::rename(dir.join("holdings-1.json"), dir.join("holdings-7.json")).expect("moved");
    looking.lock().expect("free");
    let (_lead, mut leader) = leads(&folder);
    assert_eq!(leader.abandoned().len(), 0);
    drop(looking);
    let found: usize = (0..2).map(|_| leader.abandoned().len()).sum();
    assert_eq!(found, 1, "the one, without the other");
}

#[test]
fn a_forked_child_neither_keeps_nor_drops_its_parent_s_holdings() {
    apart!(a_forked_child_neither_keeps_nor_drops_its_parent_s_holdings);
    let folder = Folder::new();
    let parent = fork(|| {
        let (_lead, state) = leads(&folder);
        let mut shared = Some(state);
        let state = shared.as_mut().expect("open");
        state.keep(&seats(&["a"])).expect("kept");
        let idle = fork(|| {
            std::thread::sleep(Duration::from_secs(60)); // never asks for a state of its own
            0
        });
        let child = fork(|| {
            let mut state = shared.take().expect("open");
            assert_eq!(state.holdings(), Holdings::default());
            assert!(state.keep(&seats(&["c"])).is_err(), "it is the parent's");
            let wishes = Wishes { heirloom: Some(state.heirloom()), ..folder.wishes() };
            let mut own = open_in(&folder.world(), &wishes, Some(&identity("task")));
            assert_eq!(own.holdings(), Holdings::default(), "the parent lives");
            own.keep(&seats(&["b"])).expect("kept");
            drop(state); // a parent's state in a child touches nothing
            fs::write(folder.0.join("child"), "").expect("written");
            std::thread::sleep(Duration::from_secs(60));
            drop(own);
            0
        });
        until(|| folder.0.join("child").exists());
        let state = shared.as_mut().expect("open");
        state.keep(&seats(&["a", "a2"])).expect("the lock is still the parent's");
        let children = format!("{child} {idle} ");
        fs::write(folder.0.join("parent"), children).expect("written");
        std::thread::sleep(Duration::from_secs(60));
        0
    });
    until(|| fs::read_to_string(folder.0.join("parent")).is_ok_and(|text| text.ends_with(' ')));
    let children = fs::read_to_string(folder.0.join("parent")).expect("there");
    let children: Vec<libc::pid_t> =
        children.split_whitespace().map(|child| child.parse().expect("a number")).collect();
    kill(parent, libc::SIGKILL);
    assert_eq!(wait(parent), -libc::SIGKILL);
    // The children live, and their copies of the parent's lock are gone.
    let (_lead, mut next) = leads(&folder);
    assert_eq!(next.holdings(), seats(&["a", "a2"]));
    assert_eq!(next.held_by_others(), [seats(&["b"])]);
    children.into_iter().for_each(|child| kill(child, libc::SIGKILL));
    let mut third = None;
    until(|| {
        let mut state = folder.open("task");
        let held = state.holdings();
        third = (held != Holdings::default()).then_some(held);
        third.is_some()
    });
    assert_eq!(third, Some(seats(&["b"])));
}

#[test]
fn a_crash_at_any_step_of_a_write_leaves_the_old_or_the_new() {
    apart!(a_crash_at_any_step_of_a_write_leaves_the_old_or_the_new);
    let folder = Folder::new();
    dies_with(&folder, &seats(&["old"]));
    let dir = folder.of("task");
    let file = dir.join("holdings-0.json");
    let old = fs::read(&file).expect("there");
    // What a process leaves that dies in the middle: any part of the new file, under its first name.
    for part in [0, 1, old.len() / 2, old.len()] {
        let new = dir.join("holdings-0.json.new");
        fs::write(&new, &old[..part]).expect("written");
        let mut state = folder.open("task");
        assert_eq!(state.holdings(), seats(&["old"]), "{part} bytes");
        state.keep(&seats(&["new"])).expect("what was left is in nobody's way");
        assert!(!new.exists());
        drop(state);
        let mut state = folder.open("task");
        assert_eq!(state.holdings(), seats(&["new"]));
        state.keep(&seats(&["old"])).expect("kept");
    }
    assert_eq!(names(&folder), ["holdings-0.json"]);
}

#[test]
fn broken_files_are_set_aside_and_stop_nobody() {
    apart!(broken_files_are_set_aside_and_stop_nobody);
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 7] = [
        ("empty", |file| fs::write(file, "").expect("there")),
        ("nonsense", |file| fs::write(file, [0xff; 300]).expect("there")),
        ("short", |file| {
            let bytes = fs::read(file).expect("there");
            fs::write(file, &bytes[..bytes.len() - 5]).expect("written");
        }),
        ("changed by hand", |file| {
            let text = fs::read_to_string(file).expect("there").replace("\"b\"", "\"x\"");
            fs::write(file, text).expect("written");
        }),
        ("a directory", |file| {
            fs::remove_file(file).expect("there");
            fs::create_dir(file).expect("made");
        }),
        ("a link", |file| {
            let elsewhere = file.with_extension("elsewhere");
            fs::rename(file, &elsewhere).expect("moved");
            std::os::unix::fs::symlink(&elsewhere, file).expect("linked");
        }),
        ("large", |file| {
            let large = fs::OpenOptions::new().write(true).open(file).expect("there");
            large.set_len(1 << 40).expect("sparse");
        }),
    ];
    for (what, damage) in damages {
        let folder = Folder::new();
        dies_with(&folder, &seats(&["a"]));
        let first = folder.of("task").join("holdings-0.json");
        // Keeps the first file from being taken, so that there is a second.
        let (lead, mut state) = leads(&folder);
        assert_eq!(state.holdings(), seats(&["a"]));
        dies_with(&folder, &seats(&["b"]));
        drop(lead);
        drop(state);
        let second = folder.of("task").join("holdings-1.json");
        damage(&second);
        let (_lead, mut state) = leads(&folder);
        assert_eq!(state.holdings(), seats(&["a"]), "{what}");
        assert_eq!(state.held_by_others(), Vec::<Holdings>::new(), "{what}");
        assert_eq!(state.abandoned().len(), 0, "{what}");
        let notes = quarantined(&mut *state);
        let said = notes.join("\n");
        assert!(notes.len() == 1 && said.contains("holdings-1.json.broken-"), "{what}: {said}");
        assert!(!said.contains("token"), "{what}: {said}");
        assert!(first.exists() && fs::symlink_metadata(&second).is_err(), "{what}");
        assert_eq!(state.abandoned().len(), 0, "{what}");
        assert_eq!(quarantined(&mut *state), Vec::<String>::new(), "{what}: told once");
        state.keep(&seats(&["c"])).expect("it goes on");
    }
}

#[test]
fn a_full_disk_leaves_the_old_holdings_and_takes_returns() {
    apart!(a_full_disk_leaves_the_old_holdings_and_takes_returns);
    let folder = Folder::new();
    let child = fork(|| {
        let (_lead, mut state) = leads(&folder);
        state.keep(&seats(&["a"])).expect("kept");
        let limit = |bytes: u64| {
            // SAFETY: limits this child alone; the signal would end it before the error is seen.
            unsafe {
                libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
                let limit = libc::rlimit { rlim_cur: bytes, rlim_max: libc::RLIM_INFINITY };
                assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit), 0);
            }
        };
        limit(100);
        for _ in 0..2 {
            let why = state.keep(&seats(&["a", "b"])).expect_err("no room");
            assert!(why.contains("holdings-0.json") && why.contains("free space"), "{why}");
            assert_eq!(names(&folder), ["holdings-0.json"], "nothing half made");
        }
        limit(libc::RLIM_INFINITY);
        let mut second = folder.open("task");
        assert_eq!(second.held_by_others(), [seats(&["a"])], "the old ones stand");
        assert_eq!(second.holdings(), Holdings::default());
        limit(100);
        state.keep(&seats(&["a"])).expect_err("written anew, as nobody knows what the disk has");
        state.keep(&Holdings::default()).expect("what is returned takes no room");
        limit(libc::RLIM_INFINITY);
        assert_eq!(second.held_by_others(), Vec::<Holdings>::new());
        state.keep(&seats(&["c"])).expect("there is room again");
        0
    });
    assert_eq!(wait(child), 0);
    assert_eq!(folder.open("task").holdings(), seats(&["c"]));
}

#[test]
fn a_host_that_closes_all_descriptors_keeps_its_holdings_or_is_told() {
    apart!(a_host_that_closes_all_descriptors_keeps_its_holdings_or_is_told);
    // T32, fault 9.
    let close_all = || {
        for fd in 3..400 {
            // SAFETY: this process is ours and has one thread.
            unsafe { libc::close(fd) };
        }
    };
    let folder = Folder::new();
    let (_lead, _leader) = leads(&folder);
    let child = fork(|| {
        let mut state = folder.open("task");
        state.keep(&seats(&["a"])).expect("kept");
        close_all();
        let stranger = fs::File::create(folder.0.join("stranger")).expect("a file");
        state.keep(&seats(&["b"])).expect("locked again");
        stranger.sync_all().expect("the host's own file is open");
        drop(stranger);
        let other = fork(|| i32::from(folder.open("task").holdings() != Holdings::default()));
        assert_eq!(wait(other), 0, "its lock is seen");
        // Once more, and the tick of a follower renews the lock before anybody looks.
        close_all();
        assert!(state.lead(at(HOUR), false).is_none());
        let other = fork(|| i32::from(folder.open("task").holdings() != Holdings::default()));
        assert_eq!(wait(other), 0, "its lock is seen");
        // Somebody looks sooner: what he has taken is not ours any more.
        close_all();
        takes_what_is_there(&folder);
        let why = state.keep(&seats(&["b", "c"])).expect_err("taken over");
        assert!(why.contains("restart"), "{why}");
        0
    });
    assert_eq!(wait(child), 0);
    assert_eq!(folder.open("task").holdings(), seats(&["other"]));
}

/// Another process takes what lies there, and keeps something else in its place.
fn takes_what_is_there(folder: &Folder) {
    let other = fork(|| {
        let mut state = folder.open("task");
        assert_eq!(state.holdings(), seats(&["b"]));
        state.keep(&seats(&["other"])).expect("kept");
        0
    });
    assert_eq!(wait(other), 0);
}

#[test]
fn what_was_kept_and_is_gone_is_written_again() {
    apart!(what_was_kept_and_is_gone_is_written_again);
    let folder = Folder::new();
    let mut state = folder.open("task");
    state.keep(&seats(&["a"])).expect("kept");
    let file = folder.of("task").join("holdings-0.json");
    let inode = || fs::metadata(&file).expect("there").ino();
    let before = inode();
    state.keep(&seats(&["a"])).expect("kept");
    assert_eq!(inode(), before, "the same is not written twice");
    fs::remove_file(&file).expect("there");
    state.keep(&seats(&["a"])).expect("kept");
    // Whoever reads meanwhile has the old file whole.
    let mut old = fs::File::open(&file).expect("there");
    let before = fs::read(&file).expect("there");
    state.keep(&seats(&["b"])).expect("kept");
    let mut read = Vec::new();
    std::io::Read::read_to_end(&mut old, &mut read).expect("read");
    assert_eq!(read, before);
}

#[test]
fn what_a_dead_pod_held_goes_to_the_one_that_takes_it_over() {
    apart!(what_a_dead_pod_held_goes_to_the_one_that_takes_it_over);
    let folder = Folder::new();
    let both = taken_and_died(&folder);
    let dead = folder.of("task");
    let old = std::time::SystemTime::now() - Duration::from_secs(600);
    for entry in fs::read_dir(&dead).expect("listed").flatten() {
        let file = fs::File::open(entry.path()).expect("there");
        file.set_modified(old).expect("ours");
    }
    crate::adapter::state::segment::Segment::open(&dead.join("usage.seg")).expect("whole").beat(0);
    let mut leader = folder.open("pod-2");
    let _lead = leader.lead(at(HOUR), false).expect("leads");
    assert_eq!(leader.orphans().len(), 1, "{:?}", leader.take_notes());
    let found = leader.abandoned();
    assert_eq!(found.len(), 1, "what was taken over already is not taken again");
    assert_eq!(found[0].holdings().leases, both.leases);
}

#[test]
fn while_a_file_cannot_be_read_nothing_is_taken() {
    apart!(while_a_file_cannot_be_read_nothing_is_taken);
    // It may say that it holds what another one does: one of a newer mpguard here.
    let folder = Folder::new();
    dies_with(&folder, &seats(&["a"]));
    let dir = folder.of("task");
    let (first, newer) = (dir.join("holdings-0.json"), dir.join("holdings-1.json"));
    let text = fs::read_to_string(&first).expect("there");
    let text = text.replace("holdings 1", "holdings 2");
    fs::write(&newer, &text).expect("written");
    let (_lead, mut state) = leads(&folder);
    assert_eq!(state.holdings(), Holdings::default());
    assert_eq!((state.abandoned().len(), state.abandoned().len()), (0, 0));
    let weak = texts(state.take_notes(), NoteKind::Weak);
    let told = weak.iter().filter(|it| it.contains("holdings-1.json") && it.contains("newer"));
    assert_eq!(told.count(), 1, "{weak:?}");
    assert_eq!(fs::read_to_string(&newer).expect("there"), text, "it is left alone");
    state.keep(&seats(&["b"])).expect("kept beside them");
    fs::remove_file(&newer).expect("there");
    assert_eq!(state.abandoned().len(), 1);
}
