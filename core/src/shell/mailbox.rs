//! What the host asks of the driver.

use super::report::{FlushReport, SeatState, ShutdownReport};
use crate::{
    error::Result,
    model::{ids::LeaseId, license::EntitlementSpec, usage::Account},
};
use std::{
    sync::{Arc, mpsc::SyncSender},
    time::Duration,
};

/// One wish. Each `reply` takes one answer at most; a host that stopped waiting has dropped its end.
pub(crate) enum Request {
    /// Take seats.
    CheckOut {
        lease: LeaseId,
        spec: EntitlementSpec,
        count: u64,
        reply: SyncSender<Result<Arc<SeatState>>>,
    },
    /// Return seats.
    CheckIn { lease: LeaseId, reply: Option<SyncSender<Result<()>>> },
    /// Where is every count?
    Account { reply: SyncSender<Vec<Account>> },
    /// Send ended hours now.
    Flush { deadline: Duration, reply: SyncSender<FlushReport> },
    /// End.
    ShutDown { deadline: Duration, reply: SyncSender<ShutdownReport> },
}
