//! What a pod keeps outside its processes: holdings files and their locks, the kept contract, its clock.

use mpguard_handless::model::{
    holdings::Holdings,
    ids::{DrawId, EntitlementName, SeatId},
    license::Remembered,
};
use std::collections::{BTreeMap, BTreeSet};

/// A holdings file with its lock.
pub(crate) struct File {
    pub(crate) id: String,
    /// What is durable.
    pub(crate) holdings: Holdings,
    /// Who holds the lock: its process, or a leader that is absorbing it.
    pub(crate) owner: Option<usize>,
}

/// One ECS task or EKS pod.
#[derive(Default)]
pub(crate) struct Pod {
    pub(crate) files: Vec<File>,
    pub(crate) alive: Vec<usize>,
    pub(crate) leader: Option<usize>,
    pub(crate) remembered: Option<Remembered>,
    pub(crate) size: usize,
    /// How far the computer's clock is ahead of AWS's.
    pub(crate) clock: i64,
    pub(crate) boot: u64,
    /// AWS's time was known in this boot.
    pub(crate) anchor: Option<u64>,
    pub(crate) disk_full_until: i64,
    /// When AWS last said yes to some process, by true time.
    pub(crate) yes_at: Option<i64>,
    /// AWS has said no to some process since.
    pub(crate) heard_no: bool,
    /// Milliseconds in which a process was alive since the last yes, and until when they are counted.
    pub(crate) ran: i64,
    pub(crate) ran_until: i64,
    /// Starts, and times that the kept contract could not be written, since the last yes.
    pub(crate) starts: i64,
    pub(crate) unwritten: bool,
    pub(crate) restart_due: bool,
    /// Units that the host was told are booked, by entitlement.
    pub(crate) told: BTreeMap<EntitlementName, u64>,
    /// Units of wishes whose process died before it told.
    pub(crate) untold: BTreeMap<EntitlementName, u64>,
}

/// A wish for seats, from the host's side.
pub(crate) struct Wish {
    pub(crate) name: &'static str,
    pub(crate) count: u64,
    pub(crate) since: i64,
    /// When its host waits no more; `None` once it has its answer.
    pub(crate) until: Option<i64>,
    /// The end that the host was told last, while it has the seats.
    pub(crate) told: Option<i64>,
    /// When the host gave it back.
    pub(crate) released: Option<i64>,
    /// It was told as lost.
    pub(crate) lost: bool,
}

/// A wish for units.
pub(crate) struct DrawWish {
    pub(crate) name: EntitlementName,
    pub(crate) quantity: u64,
    pub(crate) since: i64,
    pub(crate) until: i64,
}

/// What the host of a process has and waits for.
#[derive(Default)]
pub(crate) struct Host {
    pub(crate) seats: BTreeMap<SeatId, Wish>,
    pub(crate) draws: BTreeMap<DrawId, DrawWish>,
    pub(crate) number: u64,
    /// Entitlements that were told as exhausted.
    pub(crate) exhausted: BTreeSet<String>,
}
