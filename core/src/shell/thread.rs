//! The thread `mpguard`: a current-thread runtime around the driver.

use super::{
    driver::Driver, effects::Product, mailbox::Request, notifier::Notifier, shared::Shared,
};
use crate::{
    machine::{input::Inherited, plan::Plan},
    port::{parts::Connect, state::Open},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::mpsc::UnboundedReceiver;

/// Everything that moves to the thread.
pub(crate) struct Cargo {
    pub(crate) connect: Option<Connect>,
    pub(crate) open: Open,
    pub(crate) seed: [u8; 32],
    pub(crate) plan: Plan,
    pub(crate) product: Product,
    pub(crate) inherited: Option<Inherited>,
    /// How long `init` waits for an identity.
    pub(crate) startup_timeout: Duration,
    pub(crate) shared: Arc<Shared>,
    pub(crate) notifier: Arc<Notifier>,
    pub(crate) mailbox: UnboundedReceiver<Request>,
}

/// Runs the driver until it ends. A panic ends the guard, never the host.
pub(crate) fn run(cargo: Cargo) {
    let shared = cargo.shared.clone();
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drive(cargo)));
    shared.ended();
}

fn drive(cargo: Cargo) {
    // One blocking thread at most, for names of hosts, and it ends soon after.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .thread_keep_alive(Duration::from_millis(100))
        .build();
    let Ok(runtime) = runtime else { return };
    let local = tokio::task::LocalSet::new();
    // The SDK traces what it does. A Rust host's subscriber must not hear of requests it never made.
    let _silent = tracing_core::dispatcher::set_default(&tracing_core::Dispatch::none());
    local.block_on(&runtime, async {
        let mut cargo = cargo;
        let (connect, inherited) = (cargo.connect.take(), cargo.inherited.take());
        let Some(connect) = connect else { return };
        // The configuration was checked, so a wrong address is not to be expected here.
        let Ok(connected) = connect().await else { return };
        Driver::new(cargo, connected).run(inherited).await;
    });
    // Calls that are still on their way are dropped with their connections, inside of the runtime: a connection that
    // goes back into its pool starts a task there, and outside it would panic, in the host's stderr.
    {
        let _inside = runtime.enter();
        drop(local);
    }
    runtime.shutdown_background();
}
