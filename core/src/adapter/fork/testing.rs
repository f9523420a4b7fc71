//! Children for tests: forked, waited for with a limit, never left behind.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    thread::sleep,
    time::{Duration, Instant},
};

const LIMIT: Duration = Duration::from_secs(60);

/// Tests that fork run one after the other: the gate is the whole process's, and some hold it for seconds.
pub(in super::super) fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A forked child. It is killed when nobody waits for it.
pub(in super::super) struct Child(libc::pid_t);

/// Forks. The child does `work` and ends at once: it runs no destructor, no handler, and prints nothing.
pub(in super::super) fn child(work: impl FnOnce() -> bool) -> Child {
    // SAFETY: the child does what the test says, and ends by `_exit`.
    match unsafe { libc::fork() } {
        0 => {
            let good = catch_unwind(AssertUnwindSafe(work)).unwrap_or(false);
            // SAFETY: takes any status.
            unsafe { libc::_exit(i32::from(!good)) }
        }
        pid => {
            assert!(pid > 0, "no fork: {}", std::io::Error::last_os_error());
            Child(pid)
        }
    }
}

impl Child {
    pub(in super::super) fn signal(&self, signal: i32) {
        // SAFETY: a child of ours that nobody waited for.
        unsafe { libc::kill(self.0, signal) };
    }

    /// True when its work was good. Fails the test when it hangs.
    pub(in super::super) fn good(mut self) -> bool {
        let start = Instant::now();
        loop {
            let mut status = 0;
            // SAFETY: a child of ours that nobody waited for.
            match unsafe { libc::waitpid(self.0, &raw mut status, libc::WNOHANG) } {
                0 if start.elapsed() < LIMIT => sleep(Duration::from_micros(300)),
                0 => panic!("child {} hangs", self.0),
                _ => {
                    self.0 = 0;
                    return libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0;
                }
            }
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.0 > 0 {
            self.signal(libc::SIGKILL);
            // SAFETY: as above; a killed child ends.
            unsafe { libc::waitpid(self.0, std::ptr::null_mut(), 0) };
        }
    }
}

/// A folder of one test, gone with it.
pub(in super::super) struct Folder(PathBuf);

impl Folder {
    pub(in super::super) fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("mpguard-adapter-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).expect("a folder of our own");
        Folder(path)
    }

    pub(in super::super) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(in super::super) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("our folder");
        let mut names: Vec<String> =
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
