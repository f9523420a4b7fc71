//! What was done, in numbers.

/// Counts of what a run did to its processes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Done {
    pub(super) kills: u64,
    pub(super) stops: u64,
    /// Asked to end, and ended well.
    pub(super) ends: u64,
    pub(super) starts: u64,
    pub(super) faults: u64,
    pub(super) jumps: u64,
}

/// The last line of a run.
pub(super) struct Line {
    pub(super) done: Done,
    pub(super) restarts: u64,
    pub(super) forks: u64,
    pub(super) hours: i64,
    pub(super) added: u64,
    pub(super) billed: u64,
    pub(super) disputed: u64,
    pub(super) lost: u64,
    pub(super) doubled: u64,
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Line { done, restarts, forks, hours, added, billed, disputed, lost, doubled } = self;
        write!(
            f,
            "torture: {} kills, {} stops, {} clean ends, {restarts} restarts, {forks} forks, {} faults of AWS, \
             {} jumps of the clock, {hours} hours; added {added} billed {billed} disputed {disputed}; \
             lost {lost} doubled {doubled}",
            done.kills, done.stops, done.ends, done.faults, done.jumps
        )
    }
}
