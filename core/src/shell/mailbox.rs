//! What the host asks of the driver.

use super::report::{FlushReport, SeatState, ShutdownReport};
use crate::{
    error::Result,
    model::{
        ids::{DrawId, EntitlementName, SeatId},
        license::EntitlementSpec,
        usage::Account,
    },
};
use std::{
    sync::{Arc, mpsc::SyncSender},
    time::Duration,
};

/// One wish. Each `reply` takes one answer at most; a host that stopped waiting has dropped its end.
pub(crate) enum Request {
    /// Take seats.
    CheckOut {
        seat: SeatId,
        spec: EntitlementSpec,
        count: u64,
        timeout: Duration,
        reply: SyncSender<Result<Arc<SeatState>>>,
    },
    /// Return seats.
    CheckIn { seat: SeatId, reply: Option<SyncSender<Result<()>>> },
    /// Take prepaid units for good.
    DrawDown {
        draw: DrawId,
        entitlement: EntitlementName,
        quantity: u64,
        timeout: Duration,
        reply: SyncSender<Result<()>>,
    },
    /// The host waits for units no more.
    GiveUpUnits { draw: DrawId },
    /// Units that were booked for a host that did not take the answer.
    GiveBackUnits { entitlement: EntitlementName, quantity: u64 },
    /// Where is every count?
    Account { reply: SyncSender<Vec<Account>> },
    /// Send ended hours now.
    Flush { deadline: Duration, reply: SyncSender<FlushReport> },
    /// End.
    ShutDown { deadline: Duration, reply: SyncSender<ShutdownReport> },
}
