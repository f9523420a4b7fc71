//! The state of a task: counters and ledger, shared by all its processes, led by one.

use super::{
    counters::{Counters, Counting},
    ledger::Ledger,
};
use crate::model::{
    books::Books,
    holdings::Holdings,
    ids::Identity,
    license::Remembered,
    storage::Storage,
    time::{Anchor, Timestamp},
    usage::Account,
};

/// One process's share in the state of its task.
pub trait State {
    /// The place that was chosen, and why.
    fn storage(&self) -> &Storage;

    /// What product threads hold.
    fn counting(&self) -> Counting;

    /// Leads from now on when no other process does; cheap when another one does. `now` labels a new ring.
    fn lead(&mut self, now: Timestamp, provisional: bool) -> Option<Lead>;

    /// Gives leadership back. What was borrowed by [`State::lead`] must be dropped before.
    fn resign(&mut self);

    /// For the leader, now and then: says that it still moves.
    fn beat(&mut self);

    /// True when no other process is attached.
    fn alone(&mut self) -> bool;

    /// For whoever ends: true when no other process is attached, so that this one is the last. Otherwise it is attached
    /// no more and leads no more. Of several that end at once, the one that goes last finds itself alone.
    fn leave(&mut self) -> bool;

    /// What the leader showed last: one account a dimension without the running hour, and the slab they go with.
    fn board(&self) -> Board;

    /// AWS's time as some process of this task knew it last, since this computer started.
    fn anchor(&self) -> Option<Anchor>;

    /// Tells the other processes, and the next start, what AWS's time is.
    fn set_anchor(&mut self, anchor: Anchor);

    /// What happened to the place since the last call: quarantined files, refused places.
    fn take_notes(&mut self) -> Vec<Note>;

    /// What a forked child needs to share the same state.
    fn heirloom(&self) -> Heirloom;

    /// What this process holds of the contract by its own file: empty, or what a dead process left there.
    fn holdings(&mut self) -> Holdings;

    /// Makes the holdings of this process durable, in place of those before.
    ///
    /// # Errors
    /// Those before stand.
    fn keep(&mut self, holdings: &Holdings) -> Result<(), String>;

    /// What the other processes of the task hold, for the account.
    fn held_by_others(&self) -> Vec<Holdings>;

    /// For the leader: holdings of dead processes, locked until they are dropped.
    fn abandoned(&mut self) -> Vec<Box<dyn Abandoned>>;

    /// The contract as it was last confirmed, when that is of the same product, issuer and identity. Notes say why not.
    fn remembered(&mut self) -> Option<Remembered>;

    /// For the leader: keeps the contract for the next start.
    ///
    /// # Errors
    /// What was kept before stands.
    fn remember(&mut self, remembered: &Remembered) -> Result<(), String>;

    /// For the leader: ledgers beside ours whose identity is dead, locked until they are dropped.
    fn orphans(&mut self) -> Vec<Box<dyn Orphan>>;
}

/// What the leader of a task works with.
pub struct Lead {
    /// Everything that is durable.
    pub books: Books,
    /// The ring.
    pub counters: Box<dyn Counters>,
    /// Takes entries.
    pub ledger: Box<dyn Ledger>,
    /// Shows accounts to the other processes.
    pub show: Box<dyn Fn(&Board)>,
}

/// What the leader shows to the other processes of the task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Board {
    /// Accounts without the running hour.
    pub accounts: Vec<Account>,
    /// Slabs up to this number are in the accounts.
    pub captured: u64,
    /// AWS has said once that the buyer is entitled.
    pub entitled: bool,
}

/// Something that happened to the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it is about.
    pub kind: NoteKind,
    /// What happened, on which thing, and the next step.
    pub text: String,
}

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteKind {
    /// A better place was refused, or the place is weak.
    Weak,
    /// A broken file was set aside.
    Quarantined,
    /// Another ledger of the same task exists.
    Split,
    /// The leader does not move.
    Stalled,
    /// The kept contract cannot be used.
    Cache,
}

/// Holdings of a dead process of this task.
pub trait Abandoned {
    /// Id of the holdings.
    fn id(&self) -> &str;
    /// What they are.
    fn holdings(&self) -> &Holdings;
    /// They are durable in ours: their file goes. True when it is gone.
    fn taken_over(self: Box<Self>) -> bool;
}

/// A ledger of a dead identity.
pub trait Orphan {
    /// Id of the ledger.
    fn ledger(&self) -> &str;
    /// Whose it was.
    fn identity(&self) -> &str;
    /// What it holds, its last slabs captured.
    fn books(&self) -> &Books;
    /// Its counts are durable in our ledger: it is marked, and found no more.
    fn taken_over(self: Box<Self>);
}

/// A state directory, or memory that is shared with forked children.
#[derive(Clone)]
pub enum Heirloom {
    /// Open this directory.
    Directory(std::path::PathBuf),
    /// Go on counting here; never lead.
    Memory(Counting),
}

/// Opens the state of an identity; `None` when nobody knows who we are. Never fails: the last place is memory.
pub type Open = Box<dyn FnMut(Option<&Identity>) -> Box<dyn State> + Send>;
