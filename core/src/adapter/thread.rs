//! Threads that take no signal of the host.

use std::{
    io,
    thread::{Builder, JoinHandle},
};

/// Enough for a TLS handshake with room to spare.
const STACK: usize = 1 << 20;
/// For many calls of the SDK side by side: without optimisation each has tens of kilobytes in every frame above it.
const ROOMY: usize = 8 << 20;

/// Starts a named thread with every signal blocked, so that handlers and `sigwait` stay the host's.
pub(crate) fn spawn(name: &str, run: Box<dyn FnOnce() + Send>) -> io::Result<JoinHandle<()>> {
    spawn_on(STACK, name, run)
}

/// The same with a larger stack, for a thread that does not last.
pub(crate) fn spawn_roomy(name: &str, run: Box<dyn FnOnce() + Send>) -> io::Result<JoinHandle<()>> {
    spawn_on(ROOMY, name, run)
}

fn spawn_on(stack: usize, name: &str, run: Box<dyn FnOnce() + Send>) -> io::Result<JoinHandle<()>> {
    let _mask = Mask::block_all();
    Builder::new().name(name.to_owned()).stack_size(stack).spawn(run)
}

/// The caller's signal mask, put back when dropped. A new thread inherits the mask of its maker, so there is
/// no moment in which it could take a signal.
#[cfg(unix)]
struct Mask(libc::sigset_t);

#[cfg(unix)]
impl Mask {
    fn block_all() -> Mask {
        let mut all = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
        let mut old = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: `sigfillset` writes the whole set, `pthread_sigmask` reads one set and writes the other;
        // both pointers are valid for that.
        unsafe {
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), old.as_mut_ptr());
            Mask(old.assume_init())
        }
    }
}

#[cfg(unix)]
impl Drop for Mask {
    fn drop(&mut self) {
        // SAFETY: the set was written by `pthread_sigmask` above.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &self.0, std::ptr::null_mut());
        }
    }
}

#[cfg(not(unix))]
struct Mask;

#[cfg(not(unix))]
impl Mask {
    fn block_all() -> Mask {
        Mask
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn blocked() -> String {
        let status = std::fs::read_to_string("/proc/thread-self/status").expect("procfs is there");
        let line = status.lines().find(|line| line.starts_with("SigBlk")).expect("a mask line");
        line.split_whitespace().nth(1).expect("a mask").to_owned()
    }

    #[test]
    fn the_thread_takes_no_signal_and_the_caller_keeps_its_own_mask() {
        let before = blocked();
        let (send, receive) = std::sync::mpsc::channel();
        let thread = spawn("mpguard-test", Box::new(move || send.send(blocked()).expect("sent")));
        thread.expect("a thread starts").join().expect("it ends");
        let inside = u64::from_str_radix(&receive.recv().expect("a mask"), 16).expect("hex");
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGCHLD, libc::SIGUSR1, libc::SIGPIPE] {
            assert_ne!(inside & (1 << (signal - 1)), 0, "signal {signal} is open");
        }
        assert_eq!(blocked(), before);
    }
}
