//! The event descriptor: `eventfd` on Linux, a pipe elsewhere.

use crate::port::wake::Wake;
use std::{
    fs::File,
    io::{self, Read, Write},
    os::fd::{AsRawFd, FromRawFd},
};

/// One descriptor to wait on, maybe another to write to.
struct Event {
    read: File,
    #[cfg(not(target_os = "linux"))]
    write: File,
}

/// A lowered descriptor, closed on exec and never blocking.
#[cfg(target_os = "linux")]
pub(super) fn event() -> io::Result<Box<dyn Wake>> {
    // SAFETY: `eventfd` takes no pointer; the descriptor is new and ours.
    let read = unsafe {
        let fd = libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK);
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        File::from_raw_fd(fd)
    };
    Ok(Box::new(Event { read }))
}

/// A lowered descriptor, closed on exec and never blocking.
#[cfg(not(target_os = "linux"))]
pub(super) fn event() -> io::Result<Box<dyn Wake>> {
    let mut ends = [0; 2];
    // SAFETY: `pipe` writes two descriptors into an array of two; both are new and ours.
    let (read, write) = unsafe {
        if libc::pipe(ends.as_mut_ptr()) < 0 {
            return Err(io::Error::last_os_error());
        }
        for fd in ends {
            libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
            libc::fcntl(fd, libc::F_SETFL, libc::O_NONBLOCK);
        }
        (File::from_raw_fd(ends[0]), File::from_raw_fd(ends[1]))
    };
    Ok(Box::new(Event { read, write }))
}

impl Wake for Event {
    fn fd(&self) -> i32 {
        self.read.as_raw_fd()
    }

    fn raise(&self) {
        #[cfg(target_os = "linux")]
        let mut file = &self.read;
        #[cfg(not(target_os = "linux"))]
        let mut file = &self.write;
        let _ = file.write(&1_u64.to_ne_bytes()); // full means that it is raised already
    }

    fn lower(&self) {
        let mut bytes = [0; 64];
        while (&self.read).read(&mut bytes).is_ok_and(|n| n == bytes.len()) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readable(fd: i32) -> bool {
        let mut poll = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        // SAFETY: one valid `pollfd`, no wait.
        unsafe { libc::poll(&mut poll, 1, 0) == 1 }
    }

    #[test]
    fn it_is_readable_exactly_while_raised() {
        let event = event().expect("a descriptor");
        assert!(!readable(event.fd()));
        event.raise();
        event.raise();
        assert!(readable(event.fd()));
        event.lower();
        assert!(!readable(event.fd()));
    }
}
