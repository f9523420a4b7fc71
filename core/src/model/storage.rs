//! Where usage is kept, and how long such a place lives.

/// How long the place of the counts and the ledger lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Outlives the container: an emptyDir, an ECS volume, a disk.
    Durable,
    /// Lost when the container is made anew.
    Container,
    /// Lost with the task's processes.
    Memory,
}

impl Mode {
    /// As in `stats` and events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Durable => "durable",
            Mode::Container => "container",
            Mode::Memory => "memory",
        }
    }
}

/// The place that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// How long it lives.
    pub mode: Mode,
    /// The state directory of this identity; empty when there is none.
    pub path: String,
    /// Why it is this place and this mode, for a person.
    pub why: String,
    /// It outlives the task or pod itself, so that another one can take over what is left.
    pub outlives_task: bool,
}
