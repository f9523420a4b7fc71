//! Which place is taken, and what is passed over.

use super::*;
use crate::model::storage::Mode;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
}

/// Runs `work` as a user who is nobody, in a child.
fn as_nobody(work: impl FnOnce() -> i32) -> i32 {
    let child = fork(|| {
        // SAFETY: this child is ours; where it is not root it keeps its user.
        unsafe {
            if libc::geteuid() == 0 {
                assert_eq!(libc::setgid(65_534), 0);
                assert_eq!(libc::setuid(65_534), 0);
            }
        }
        work()
    });
    wait(child)
}

fn everything(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    entries.flatten().map(|entry| entry.path()).collect()
}

#[test]
fn directories_are_for_one_user() {
    apart!(directories_are_for_one_user);
    let folder = Folder::new();
    let product = Product::start(&folder, "task");
    assert_eq!(mode(&folder.of("task")), 0o700);
    for file in everything(&folder.of("task")) {
        assert_eq!(mode(&file) & 0o022, 0, "{}", file.display());
    }
    assert_eq!(product.state.storage().mode, Mode::Durable);
    assert!(product.state.storage().outlives_task);
    let wishes = Wishes { state_dir: None, ..folder.wishes() };
    let state = open_in(&folder.world(), &wishes, Some(&identity("task")));
    assert!(state.storage().path.starts_with(&*folder.0.join("system").to_string_lossy()));
    assert_eq!(mode(&folder.0.join("system")), 0o700);
}

#[test]
fn a_directory_that_others_may_write_to_is_passed_over() {
    apart!(a_directory_that_others_may_write_to_is_passed_over);
    let folder = Folder::new();
    fs::create_dir(folder.0.join("system")).expect("made");
    set_mode(&folder.0.join("system"), 0o777);
    let wishes = Wishes { state_dir: None, ..folder.wishes() };
    let mut state = open_in(&folder.world(), &wishes, Some(&identity("task")));
    let named = format!("mpguard-{}", place::user());
    let chosen = folder.0.join("temporary").join(named);
    assert!(Path::new(&state.storage().path).starts_with(&chosen), "{:?}", state.storage());
    let weak = texts(state.take_notes(), NoteKind::Weak);
    assert!(weak.len() == 1 && weak.iter().all(|text| text.contains("chmod 700")), "{weak:?}");
    assert_eq!(everything(&folder.0.join("system")), Vec::<PathBuf>::new());
    // What the seller gives may be open to all, the identity's directory in it may not.
    fs::create_dir(folder.state_dir()).expect("made");
    set_mode(&folder.state_dir(), 0o777);
    drop(Product::start(&folder, "task"));
    assert_eq!(mode(&folder.of("task")), 0o700);
    set_mode(&folder.of("task"), 0o720);
    let state = folder.open("task");
    assert!(!Path::new(&state.storage().path).starts_with(folder.state_dir()));
}

#[test]
fn another_user_s_directory_and_a_link_are_passed_over() {
    apart!(another_user_s_directory_and_a_link_are_passed_over);
    let folder = Folder::new();
    fs::create_dir(folder.state_dir()).expect("made");
    std::os::unix::fs::symlink(folder.0.join("temporary"), folder.of("task")).expect("linked");
    let state = folder.open("task");
    assert!(!Path::new(&state.storage().path).starts_with(folder.state_dir()));
}

#[test]
fn containers_of_a_pod_that_run_as_different_users_do_not_share_a_directory() {
    apart!(containers_of_a_pod_that_run_as_different_users_do_not_share_a_directory);
    if place::user() != 0 {
        return; // only root can become two users; CI runs as root
    }
    let folder = Folder::new();
    fs::create_dir(folder.state_dir()).expect("made");
    for part in ["", "temporary", "memory", "state"] {
        set_mode(&folder.0.join(part), 0o777);
    }
    let _product = Product::start(&folder, "task");
    let answer = as_nobody(|| {
        let mut state = folder.open("task");
        let weak = texts(state.take_notes(), NoteKind::Weak).join("\n");
        assert!(weak.contains("belongs to user 0"), "{weak}");
        assert!(!Path::new(&state.storage().path).starts_with(folder.state_dir()));
        0
    });
    assert_eq!(answer, 0);
}

#[test]
fn without_a_writable_place_memory_counts_on() {
    apart!(without_a_writable_place_memory_counts_on);
    // T74: read-only root, any user, no volume, no temporary directory.
    let folder = Folder::new();
    for part in ["temporary", "memory", ""] {
        set_mode(&folder.0.join(part), 0o555);
    }
    let answer = as_nobody(|| {
        let mut state = folder.open("task");
        assert_eq!((state.storage().mode, state.storage().path.as_str()), (Mode::Memory, ""));
        let weak = texts(state.take_notes(), NoteKind::Weak);
        assert_eq!(weak.len(), 4, "each place is named: {weak:?}");
        assert!(count(&*state, 1).is_err(), "nobody leads yet");
        let mut product = Product::leads(state, HOUR);
        product.count(2).expect("counted");
        let Heirloom::Memory(counting) = product.state.heirloom() else { panic!("memory") };
        let child = fork(|| {
            let wishes =
                Wishes { heirloom: Some(Heirloom::Memory(counting.clone())), ..folder.wishes() };
            let mut state = open_in(&folder.world(), &wishes, Some(&identity("task")));
            count(&*state, 40).expect("a child counts in the same memory");
            i32::from(
                state.lead(at(HOUR), false).is_some()
                    || product.state.lead(at(HOUR), false).is_some(),
            )
        });
        assert_eq!(wait(child), 0, "only who made the memory leads");
        assert_eq!(product.found(), (0, 0, 42));
        product.hour();
        let Product { lead, mut state } = product;
        drop(lead);
        state.resign();
        let again = state.lead(at(HOUR.next()), false).expect("leads again");
        assert_eq!(again.books.captured, 1);
        assert!(again.books.waiting.values().flat_map(BTreeMap::values).eq([&42]));
        0
    });
    for part in ["", "temporary", "memory"] {
        set_mode(&folder.0.join(part), 0o755);
    }
    assert_eq!(answer, 0);
    assert_eq!(everything(&folder.0.join("temporary")), Vec::<PathBuf>::new());
}

#[test]
fn a_full_disk_leaves_nothing_half_made() {
    apart!(a_full_disk_leaves_nothing_half_made);
    // T04: files of this size are not taken.
    let folder = Folder::new();
    let child = fork(|| {
        // SAFETY: limits this child alone; the signal would end it before the error is seen.
        unsafe {
            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
            let limit = libc::rlimit { rlim_cur: 300_000, rlim_max: 300_000 };
            assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit), 0);
        }
        let mut state = folder.open("task");
        assert_eq!(state.storage().path, "");
        assert_eq!(texts(state.take_notes(), NoteKind::Weak).len(), 4);
        Product::leads(state, HOUR).count(1).expect("counted");
        0
    });
    assert_eq!(wait(child), 0);
    for part in ["state", "temporary", "memory", "system"] {
        assert_eq!(everything(&folder.0.join(part)), Vec::<PathBuf>::new(), "{part}");
    }
}

#[test]
fn a_network_file_system_is_passed_over_by_name() {
    apart!(a_network_file_system_is_passed_over_by_name);
    let folder = Folder::new();
    let mut world = folder.world();
    let line = format!("9 1 0:9 / {} rw - nfs4 fs:/ rw", folder.state_dir().display());
    world.mounts.extend(super::super::mounts::parse(&line));
    fs::create_dir(folder.state_dir()).expect("made");
    let mut state = open_in(&world, &folder.wishes(), Some(&identity("task")));
    assert!(state.storage().path.contains("system"), "{:?}", state.storage());
    let weak = texts(state.take_notes(), NoteKind::Weak).join("\n");
    for part in ["nfs4", "`state_dir`", &folder.state_dir().display().to_string()] {
        assert!(weak.contains(part), "{weak}");
    }
    assert_eq!(everything(&folder.state_dir()), Vec::<PathBuf>::new());
}

#[test]
fn a_private_directory_ends_with_its_last_process() {
    apart!(a_private_directory_ends_with_its_last_process);
    let folder = Folder::new();
    let wishes = || Wishes {
        state_dir: None,
        sandbox: Some("http://127.0.0.1:1".into()),
        ..folder.wishes()
    };
    let memory = folder.0.join("memory");
    let state = open_in(&folder.world(), &wishes(), Some(&identity("task")));
    assert_eq!(state.storage().mode, Mode::Memory);
    let mut product = Product::leads(state, HOUR);
    assert_eq!(product.notes(NoteKind::Weak), Vec::<String>::new(), "it was chosen so");
    let dir = PathBuf::from(&product.state.storage().path);
    assert!(dir.starts_with(&memory) && dir.exists());
    let second = Wishes { heirloom: Some(product.state.heirloom()), ..wishes() };
    let second = open_in(&folder.world(), &second, Some(&identity("task")));
    product.count(1).expect("counted");
    drop(product);
    assert!(dir.exists(), "the second one is attached");
    let product = Product::leads(second, HOUR);
    assert_eq!(product.found(), (0, 0, 1));
    drop(product);
    assert_eq!(everything(&memory), Vec::<PathBuf>::new());
    // Nobody knows who we are: the same, and two of them share nothing.
    let [one, two] = [0, 1].map(|_| open_in(&folder.world(), &folder.wishes(), None));
    assert!(one.storage().path.contains("memory") && one.storage().path != two.storage().path);
}

#[test]
fn private_directories_of_the_dead_are_swept_after_a_day() {
    apart!(private_directories_of_the_dead_are_swept_after_a_day);
    let folder = Folder::new();
    let memory = folder.0.join("memory");
    let made = |digit: &str, days: u64| {
        let path = memory.join(format!("mpguard-{}", digit.repeat(32)));
        fs::create_dir(&path).expect("made");
        set_mode(&path, 0o700);
        fs::write(path.join("use.lock"), "").expect("made");
        let changed = std::time::SystemTime::now() - Duration::from_secs(days * 86_400);
        fs::File::open(&path).expect("there").set_modified(changed).expect("ours");
        path
    };
    let (dead, used, young) = (made("a", 2), made("b", 2), made("c", 0));
    let named = memory.join("mpguard-1000");
    fs::create_dir(&named).expect("made");
    let used_lock = fs::File::open(used.join("use.lock")).expect("there");
    used_lock.lock_shared().expect("free");
    drop(open_in(&folder.world(), &folder.wishes(), None));
    assert!(!dead.exists());
    assert!(used.exists() && young.exists() && named.exists());
}
