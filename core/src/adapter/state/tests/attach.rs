//! Many processes, one leader.

use super::*;
use crate::adapter::state::{attach::STALLED_MS, boot_ms, segment::Segment};

#[test]
fn one_leads_and_the_other_counts_with_it() {
    apart!(one_leads_and_the_other_counts_with_it);
    let folder = Folder::new();
    let mut first = Product::start(&folder, "task");
    let mut second = folder.open("task");
    assert!(second.lead(at(HOUR), false).is_none());
    first.count(3).expect("counted");
    count(&*second, 4).expect("counted");
    assert_eq!(first.found(), (0, 0, 7));
    assert!(!first.state.alone() && !second.alone());
    drop(second);
    assert!(first.state.alone());
    assert_eq!(first.state.storage().path, folder.of("task").display().to_string());
}

/// The leader looks first, the follower looks first: whoever goes last is told, and finds the lead free.
#[test]
fn of_two_that_end_at_once_one_is_the_last() {
    apart!(of_two_that_end_at_once_one_is_the_last);
    let folder = Folder::new();
    let Product { lead, state: mut leader } = Product::start(&folder, "task");
    let mut follower = folder.open("task");
    assert!(!leader.alone(), "the follower is there");
    assert!(!follower.leave(), "the leader is there");
    assert!(leader.leave(), "and is the last now");
    let mut late = folder.open("task");
    drop(lead);
    assert!(!leader.leave());
    assert!(late.leave());
    assert!(late.lead(at(HOUR), false).is_some(), "those before are not dropped yet");
}

#[test]
fn a_resigned_leader_is_followed_and_may_lead_again() {
    apart!(a_resigned_leader_is_followed_and_may_lead_again);
    let folder = Folder::new();
    let Product { lead, mut state } = Product::start(&folder, "task");
    let mut second = folder.open("task");
    drop(lead);
    state.resign();
    let lead = second.lead(at(HOUR), false).expect("leads");
    assert!(state.lead(at(HOUR), false).is_none());
    drop(lead);
    second.resign();
    assert!(state.lead(at(HOUR), false).is_some());
}

#[test]
fn a_restart_goes_on_where_the_counts_are() {
    apart!(a_restart_goes_on_where_the_counts_are);
    // T10: the same for every directory that outlives the container, emptyDir on tmpfs included.
    let folder = Folder::new();
    let mut product = Product::start(&folder, "task");
    product.count(5).expect("counted");
    product.hour();
    product.count(2).expect("counted");
    drop(product);
    let mut product = Product::start(&folder, "task");
    assert_eq!(product.found(), (5, 0, 2));
    assert_eq!(product.notes(NoteKind::Quarantined), Vec::<String>::new());
}

#[test]
fn two_processes_that_start_together_have_one_leader() {
    apart!(two_processes_that_start_together_have_one_leader);
    let folder = Folder::new();
    for round in 0..50 {
        let gate = Instant::now() + Duration::from_millis(30);
        let start = |who: &str| {
            let tried = folder.0.join(format!("tried-{round}-{who}"));
            let both = ["a", "b"].map(|who| folder.0.join(format!("tried-{round}-{who}")));
            let (world, wishes) = (folder.world(), folder.wishes());
            fork(move || {
                while Instant::now() < gate {
                    std::hint::spin_loop();
                }
                let mut state = open_in(&world, &wishes, Some(&identity("task")));
                let lead = state.lead(at(HOUR), false);
                fs::write(tried, "").expect("written");
                until(|| both.iter().all(|file| file.exists()));
                assert!(state.storage().path.contains("mpg1-"), "{:?}", state.take_notes());
                assert!(count(&*state, 1).is_ok());
                i32::from(lead.is_some())
            })
        };
        let children = [start("a"), start("b")];
        let leaders: Vec<i32> = children.into_iter().map(wait).collect();
        assert_eq!(leaders.iter().sum::<i32>(), 1, "{leaders:?}");
    }
    let product = Product::start(&folder, "task");
    assert_eq!(product.found(), (0, 0, 100));
}

#[test]
fn a_killed_leader_is_followed_within_two_seconds() {
    apart!(a_killed_leader_is_followed_within_two_seconds);
    // T06
    let folder = Folder::new();
    let leader = fork(|| {
        let product = Product::start(&folder, "task");
        product.count(11).expect("counted");
        std::thread::sleep(Duration::from_secs(60));
        1
    });
    until(|| folder.of("task").join("about.json").exists());
    let mut follower = folder.open("task");
    until(|| follower.counting().adder.peek(REQUESTS) == 11);
    assert!(follower.lead(at(HOUR), false).is_none());
    kill(leader, libc::SIGKILL);
    let killed = Instant::now();
    let mut lead = None;
    until(|| {
        lead = follower.lead(at(HOUR), false);
        lead.is_some()
    });
    assert!(killed.elapsed() < Duration::from_secs(2), "{:?}", killed.elapsed());
    assert_eq!(wait(leader), -libc::SIGKILL);
    assert_eq!(follower.counting().adder.peek(REQUESTS), 11);
}

#[test]
fn a_forked_child_keeps_neither_the_lead_nor_the_parent_from_being_seen() {
    apart!(a_forked_child_keeps_neither_the_lead_nor_the_parent_from_being_seen);
    let folder = Folder::new();
    let parent = fork(|| {
        let mut product = Product::start(&folder, "task");
        let child = fork(|| {
            // Counts through what it inherited, and never asks for a state of its own.
            product.count(7).expect("counted");
            std::thread::sleep(Duration::from_secs(60));
            0
        });
        until(|| product.found().2 == 7);
        assert!(!product.state.alone(), "the child is attached");
        fs::write(folder.0.join("child"), child.to_string()).expect("written");
        std::thread::sleep(Duration::from_secs(60));
        0
    });
    let mut child = None;
    until(|| {
        let text = fs::read_to_string(folder.0.join("child")).unwrap_or_default();
        child = text.parse::<libc::pid_t>().ok();
        child.is_some()
    });
    let child = child.expect("a child");
    kill(parent, libc::SIGKILL);
    assert_eq!(wait(parent), -libc::SIGKILL);
    // The leader is dead and its child lives: the child's copy of the lock is gone.
    let mut follower = Product::start(&folder, "task");
    assert_eq!(follower.found(), (0, 0, 7));
    assert!(!follower.state.alone(), "the child is attached");
    kill(child, libc::SIGKILL);
    until(|| follower.state.alone());
}

#[test]
fn a_child_opens_what_its_parent_has_and_is_counted_once() {
    apart!(a_child_opens_what_its_parent_has_and_is_counted_once);
    let folder = Folder::new();
    let mut product = Product::start(&folder, "task");
    let heirloom = product.state.heirloom();
    let child = fork(|| {
        let wishes = Wishes { heirloom: Some(heirloom), ..folder.wishes() };
        let mut state = open_in(&folder.world(), &wishes, Some(&identity("task")));
        count(&*state, 5).expect("counted");
        assert!(state.lead(at(HOUR), false).is_none());
        assert!(!state.alone(), "the parent is attached");
        let handed = fs::exists(folder.0.join("go")).expect("looked");
        assert!(!handed);
        drop(state);
        i32::from(product.state.alone()) // a parent's state in a child knows nothing
    });
    assert_eq!(wait(child), 0);
    assert_eq!(product.found(), (0, 0, 5));
    assert!(product.state.alone(), "the child took its mark with it");
}

#[test]
fn a_host_that_closes_all_descriptors_leads_again() {
    apart!(a_host_that_closes_all_descriptors_leads_again);
    // T32, fault 9.
    let folder = Folder::new();
    let child = fork(|| {
        let mut product = Product::start(&folder, "task");
        product.count(1).expect("counted");
        for fd in 3..400 {
            // SAFETY: this process is ours and has one thread.
            unsafe { libc::close(fd) };
        }
        let stranger = fs::File::create(folder.0.join("stranger")).expect("a file");
        let closed = product.lead.counters.rotate(HOUR.next(), false).expect("rotates");
        let entry = Entry::Captured {
            sequence: closed.sequence,
            hour: HOUR,
            provisional: false,
            values: closed.values,
        };
        let commit = product.lead.ledger.commit(&[entry], at(HOUR.next()));
        assert!(matches!(commit, Err(crate::port::ledger::LedgerError::Deposed(_))), "{commit:?}");
        let Product { lead, mut state } = product;
        drop(lead);
        state.resign();
        let lead = state.lead(at(HOUR.next()), false).expect("leads again");
        stranger.sync_all().expect("the host's own file is open");
        let mut product = Product { lead, state };
        product.capture_rest();
        assert_eq!(product.found(), (1, 0, 0));
        assert!(product.state.alone());
        0
    });
    assert_eq!(wait(child), 0);
}

#[test]
fn a_leader_that_stands_still_is_told_once() {
    apart!(a_leader_that_stands_still_is_told_once);
    let folder = Folder::new();
    if boot_ms() < 2 * STALLED_MS {
        std::thread::sleep(Duration::from_millis(2 * STALLED_MS - boot_ms()));
    }
    let _leader = Product::start(&folder, "task");
    let mut follower = folder.open("task");
    let segment = Segment::open(&folder.of("task").join("usage.seg")).expect("mapped");
    segment.beat(boot_ms() - STALLED_MS - 1000);
    let mut stalled = |times: u32| -> usize {
        for _ in 0..times {
            assert!(follower.lead(at(HOUR), false).is_none());
            std::thread::sleep(Duration::from_millis(50));
        }
        texts(follower.take_notes(), NoteKind::Stalled).len()
    };
    assert_eq!(stalled(3), 0, "a computer that woke up has old beats for a moment");
    assert_eq!(stalled(30), 1);
    assert_eq!(stalled(30), 0, "told once");
    segment.beat(boot_ms());
    assert_eq!(stalled(2), 0);
    segment.beat(boot_ms() - STALLED_MS - 1000);
    assert_eq!(stalled(30), 1, "another stall");
}
