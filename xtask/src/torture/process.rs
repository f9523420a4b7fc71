//! Processes of a run: who lives, and signals to them.

use crate::run::Done;
use std::{collections::BTreeSet, fs, path::Path};

/// A signal that a run sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    Kill,
    Stop,
    Continue,
    End,
    /// Makes the C adder add from its signal handler.
    Add,
}

impl Signal {
    fn number(self) -> i32 {
        match self {
            Signal::Kill => libc::SIGKILL,
            Signal::Stop => libc::SIGSTOP,
            Signal::Continue => libc::SIGCONT,
            Signal::End => libc::SIGTERM,
            Signal::Add => libc::SIGUSR1,
        }
    }
}

/// A live process of one of our programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: u32,
    /// Process id of its program; forked children and workers are in the same group.
    pub(super) group: u32,
}

impl Process {
    pub(super) fn is_child(self) -> bool {
        self.pid != self.group
    }
}

/// Tells our processes from all others: they were started with this tally folder.
pub(super) struct Mark(Vec<u8>);

impl Mark {
    pub(super) fn new(tally: &Path) -> Mark {
        Mark(format!("TORTURE_TALLY={}", tally.display()).into_bytes())
    }

    /// Every live process in `groups` that is ours. A number of a dead process may stand for a stranger by now, so
    /// the group alone says nothing.
    pub(super) fn alive(&self, groups: &BTreeSet<u32>) -> Vec<Process> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter_map(|pid| self.ours(pid, groups)).collect()
    }

    fn ours(&self, pid: u32, groups: &BTreeSet<u32>) -> Option<Process> {
        let group = group_of(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?;
        let environment =
            groups.contains(&group).then(|| fs::read(format!("/proc/{pid}/environ")))?;
        let marked = environment.ok()?.split(|byte| *byte == 0).any(|entry| entry == self.0);
        marked.then_some(Process { pid, group })
    }

    /// Sends a signal, if the process is still the one that we mean. False when it is not.
    pub(super) fn send(&self, process: Process, signal: Signal) -> Done<bool> {
        if self.ours(process.pid, &BTreeSet::from([process.group])) != Some(process) {
            return Ok(false);
        }
        let pid = i32::try_from(process.pid).map_err(|e| format!("`{}`: {e}", process.pid))?;
        // SAFETY: `kill` reads two numbers. The process was ours a moment ago; numbers are given again only after
        // all others had their turn.
        Ok(unsafe { libc::kill(pid, signal.number()) } == 0)
    }
}

/// The group in `/proc/…/stat`, unless the process is dead and only waits to be asked for. The name before it may
/// hold spaces and brackets.
fn group_of(stat: &str) -> Option<u32> {
    let mut words = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = words.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    words.nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_read_whatever_the_name_is() {
        assert_eq!(group_of("17 (a) b) S 1 16 16 0 -1"), Some(16));
        assert_eq!(group_of("17 (adder) Z 1 16 16 0 -1"), None);
        assert_eq!(group_of("17 (adder"), None);
    }

    #[test]
    fn a_process_of_somebody_else_is_never_signalled() {
        let mark = Mark::new(Path::new("/nowhere"));
        let own = std::process::id();
        let stat = fs::read_to_string("/proc/self/stat").expect("it is there");
        let group = group_of(&stat).expect("we live");
        assert_eq!(mark.alive(&BTreeSet::from([group])), []);
        assert_eq!(mark.send(Process { pid: own, group }, Signal::Kill), Ok(false));
    }
}
