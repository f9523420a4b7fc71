//! Finds a second ledger of the same task.
//!
//! Containers of one task or pod share a network, and with it the names of abstract sockets. Each leader binds a
//! name that says whose ledger it leads, and looks for other names of the same identity. Nothing is ever sent.

/// The name of a ledger: the same task's ledgers differ in the last part only.
fn name(identity_hash: &str, ledger: &str) -> String {
    format!("mpguard/{identity_hash}/{ledger}")
}

/// Other ledgers of the same identity in the text of `/proc/net/unix`. An abstract name begins with `@` there.
fn others(text: &str, identity_hash: &str, ledger: &str) -> Vec<String> {
    let prefix = format!("@{}", name(identity_hash, ""));
    let mut found: Vec<String> = text
        .lines()
        .filter_map(|line| line.split_whitespace().last()?.strip_prefix(&prefix))
        .filter(|other| *other != ledger && !other.is_empty())
        .map(str::to_owned)
        .collect();
    found.sort();
    found.dedup();
    found
}

pub(super) use system::Flag;

#[cfg(target_os = "linux")]
mod system {
    use super::super::{
        inherited::{self, Kind},
        lock::Place,
    };
    use std::{
        mem::ManuallyDrop,
        os::{
            fd::AsRawFd,
            linux::net::SocketAddrExt,
            unix::net::{SocketAddr, UnixDatagram},
        },
        path::Path,
    };

    /// The name, held.
    pub(in super::super) struct Flag {
        identity_hash: String,
        ledger: String,
        _registered: Option<inherited::Entry>,
        /// `None` when the name is taken: a process that leads no more holds it a moment longer.
        socket: Option<(ManuallyDrop<UnixDatagram>, Place)>,
    }

    impl Drop for Flag {
        fn drop(&mut self) {
            if let Some((socket, place)) = &mut self.socket
                && inherited::place(socket.as_raw_fd()) == Some(*place)
            {
                // SAFETY: dropped once, here. A host that closed all descriptors has closed this one, and its number
                // may be another file's; that one is left alone.
                unsafe { ManuallyDrop::drop(socket) };
            }
        }
    }

    impl Flag {
        pub(in super::super) fn raise(identity_hash: &str, ledger: &str) -> Flag {
            let name = super::name(identity_hash, ledger);
            let bound =
                SocketAddr::from_abstract_name(name).and_then(|it| UnixDatagram::bind_addr(&it));
            let socket = bound.ok().and_then(|socket| {
                // What strangers send must not lie in our memory.
                let _ = socket.shutdown(std::net::Shutdown::Read);
                let place = inherited::place(socket.as_raw_fd())?;
                Some((ManuallyDrop::new(socket), place))
            });
            let registered = socket.as_ref().map(|(socket, place)| {
                inherited::Entry::new(Kind::Alone, Path::new(""), socket.as_raw_fd(), *place)
            });
            Flag {
                identity_hash: identity_hash.to_owned(),
                ledger: ledger.to_owned(),
                _registered: registered,
                socket,
            }
        }

        /// Ledgers of the same identity that somebody else leads.
        pub(in super::super) fn others(&self) -> Vec<String> {
            let text = std::fs::read("/proc/net/unix").unwrap_or_default();
            super::others(&String::from_utf8_lossy(&text), &self.identity_hash, &self.ledger)
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    /// Other systems have no abstract names; sellers develop there, tasks do not run there.
    pub(in super::super) struct Flag;

    impl Flag {
        pub(in super::super) fn raise(_: &str, _: &str) -> Flag {
            Flag
        }

        pub(in super::super) fn others(&self) -> Vec<String> {
            super::others("", "", "")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_other_ledgers_of_the_same_identity_are_found() {
        let text = "Num       RefCount Protocol Flags    Type St Inode Path\n\
            ffff: 00000002 00000000 00000000 0002 01 17 @mpguard/aa/one\n\
            ffff: 00000002 00000000 00000000 0002 01 18 @mpguard/aa/two\n\
            ffff: 00000002 00000000 00000000 0002 01 18 @mpguard/aa/two\n\
            ffff: 00000002 00000000 00000000 0002 01 19 @mpguard/ab/three\n\
            ffff: 00000002 00000000 00000000 0002 01 20 /run/mpguard/aa/four\n\
            ffff: 00000002 00000000 00000000 0002 01 21\n";
        assert_eq!(others(text, "aa", "one"), ["two"]);
        assert_eq!(others(text, "ab", "three"), Vec::<String>::new());
        assert_eq!(others(text, "ab", "five"), ["three"]);
        assert_eq!(others("", "aa", "one"), Vec::<String>::new());
    }
}
