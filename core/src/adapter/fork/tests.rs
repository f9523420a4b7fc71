use super::{
    gate, generation, on_fork,
    testing::{child, turn},
    word,
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{
            AtomicBool, AtomicU64,
            Ordering::{Relaxed, SeqCst},
        },
    },
    thread::{sleep, spawn},
    time::{Duration, Instant},
};

#[test]
fn a_generation_is_one_for_all_threads_and_another_one_in_each_child() {
    let _turn = turn();
    let ours = generation();
    assert_ne!(ours, 0);
    assert_eq!(spawn(generation).join().expect("it looks"), ours);
    let differs = child(|| {
        let theirs = generation();
        let grandchild = child(|| generation() != theirs && generation() != ours);
        theirs != ours && theirs == generation() && grandchild.good()
    });
    assert!(differs.good());
    assert_eq!(generation(), ours, "the child changed its own page only");
}

/// Faults, 14: detection does not rest on libc's handlers where the kernel wipes pages.
#[cfg(target_os = "linux")]
#[test]
fn a_child_of_a_bare_system_call_is_noticed() {
    let _turn = turn();
    assert!(word::is_wiped());
    let ours = generation();
    // SAFETY: `clone` without a new stack is `fork` without libc's handlers; the child makes two calls and ends.
    let pid = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
    if pid == 0 {
        let same = generation() == ours;
        // SAFETY: takes any status.
        unsafe { libc::_exit(i32::from(same)) }
    }
    let mut status = 0;
    // SAFETY: our own child, which ends by itself.
    unsafe { libc::waitpid(libc::pid_t::try_from(pid).expect("a pid"), &raw mut status, 0) };
    assert_eq!(status, 0);
}

#[test]
fn without_a_wiped_page_the_process_id_tells() {
    let _turn = turn();
    let ours = word::unwiped();
    assert_eq!(word::unwiped(), ours);
    assert!(child(|| word::unwiped() != ours && word::unwiped() == word::unwiped()).good());
}

#[test]
fn a_thousand_forks_under_load_find_no_lock_held() {
    // T29, T30: the lock is held in the middle of each initialisation; a child that inherits it so hangs for ever.
    let _turn = turn();
    let lock = Arc::new(Mutex::new(0_u64));
    let stop = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (lock, stop) = (lock.clone(), stop.clone());
            spawn(move || {
                let mut begun = 0_u64;
                while !stop.load(Relaxed) {
                    let _busy = gate::busy();
                    let mut held = lock.lock().expect("whole");
                    *held += 1;
                    begun += 1;
                    for _ in 0..200 {
                        std::hint::spin_loop();
                    }
                }
                begun
            })
        })
        .collect();
    let start = Instant::now();
    for fork in 0..1000 {
        assert!(child(|| lock.try_lock().is_ok()).good(), "fork {fork} inherited a held lock");
        assert!(start.elapsed() < Duration::from_secs(60), "{fork} forks took a minute");
    }
    stop.store(true, Relaxed);
    let begun: u64 = threads.into_iter().map(|thread| thread.join().expect("it ends")).sum();
    assert!(begun > 100, "the threads came to {begun} initialisations only");
}

#[test]
fn a_fork_waits_for_others_but_neither_for_itself_nor_for_ever() {
    let _turn = turn();
    let hold = |time| {
        let ready = Arc::new(AtomicBool::new(false));
        let thread = {
            let ready = ready.clone();
            spawn(move || {
                let _busy = gate::busy();
                ready.store(true, SeqCst);
                sleep(time);
            })
        };
        while !ready.load(SeqCst) {
            sleep(Duration::from_millis(1));
        }
        thread
    };
    let timed = || {
        let start = Instant::now();
        // The child's gate is open, whoever held the parent's.
        assert!(
            child(|| {
                let start = Instant::now();
                drop(gate::busy());
                start.elapsed() < Duration::from_millis(500)
            })
            .good()
        );
        start.elapsed()
    };
    let others = hold(Duration::from_millis(300));
    assert!(timed() > Duration::from_millis(200), "it waits for another thread");
    others.join().expect("it ends");

    let own = gate::busy();
    let nested = gate::busy();
    assert!(timed() < Duration::from_secs(1), "it does not wait for itself");
    drop((own, nested));

    let others = hold(Duration::from_secs(4));
    let time = timed();
    assert!(time > Duration::from_millis(1900) && time < Duration::from_millis(3500), "{time:?}");
    others.join().expect("it ends");
    assert!(timed() < Duration::from_secs(1), "the gate is open again");
}

#[test]
fn hooks_run_around_every_fork() {
    static LOG: AtomicU64 = AtomicU64::new(0);
    // The hooks stay for ever, and other tests fork as well: four digits are enough.
    fn note(what: u64) {
        let next = |log| (log < 1000).then_some(log * 10 + what);
        let _ = LOG.fetch_update(SeqCst, SeqCst, next);
    }
    let _turn = turn();
    assert!(on_fork(|| note(1), || note(3), || note(5)));
    assert!(on_fork(|| note(2), || note(4), || note(6)));
    let seen = child(|| LOG.load(SeqCst) == 21_56);
    assert!(seen.good(), "prepares in opposite order, children in order");
    assert_eq!(LOG.load(SeqCst), 21_34);
}
