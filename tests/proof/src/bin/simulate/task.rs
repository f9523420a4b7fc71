//! What a task keeps outside its processes: its segment, its ledger, its locks, its computer's clock.

use crate::ring::{Ring, SERIES};
use mpguard_handless::model::{
    books::Books,
    ids::{ClientToken, Dimension},
    quantity::Raw,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A ledger on a disk.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) id: u64,
    /// What its rows come to.
    pub(crate) books: Books,
    /// Slots that a record was frozen for, for ever.
    pub(crate) frozen: BTreeSet<(Dimension, i64)>,
    /// Raw counts that came from other ledgers.
    pub(crate) taken_over: BTreeMap<Dimension, Raw>,
}

/// One ECS task or EKS pod.
pub(crate) struct Task {
    pub(crate) ring: Option<Ring>,
    pub(crate) ledger: Ledger,
    /// Tokens of records of this task, and what became of them.
    pub(crate) tokens: HashMap<ClientToken, crate::check::Token>,
    /// Processes that are attached.
    pub(crate) alive: Vec<usize>,
    /// Who holds the lock.
    pub(crate) lock: Option<usize>,
    /// Raw counts that adds have returned for, by counter. Levels are not added up.
    pub(crate) adds: [Raw; SERIES],
    /// Raw counts that were lost with a disk, by dimension: declared, never silent.
    pub(crate) lost: BTreeMap<Dimension, Raw>,
    /// How far the computer's clock is ahead of AWS's.
    pub(crate) clock: i64,
    pub(crate) boot: u64,
    /// AWS's time was known in this boot.
    pub(crate) anchor: Option<u64>,
    /// Nothing that AWS says tells the time before.
    pub(crate) dark_until: i64,
    pub(crate) disk_full_until: i64,
    /// It was deleted; its directory may have stayed on the shared volume.
    pub(crate) deleted: bool,
    /// Its directory is being adopted by this task.
    pub(crate) claimed: Option<usize>,
    pub(crate) adopted: bool,
    /// The product was updated and defines one dimension less.
    pub(crate) less: bool,
    pub(crate) restart_due: bool,
}

impl Task {
    pub(crate) fn new(id: u64, clock: i64) -> Task {
        Task {
            ring: None,
            ledger: Ledger { id, ..Ledger::default() },
            tokens: HashMap::new(),
            alive: Vec::new(),
            lock: None,
            adds: [0; SERIES],
            lost: BTreeMap::new(),
            clock,
            boot: 0,
            anchor: None,
            dark_until: 0,
            disk_full_until: 0,
            deleted: false,
            claimed: None,
            adopted: false,
            less: false,
            restart_due: false,
        }
    }
}
