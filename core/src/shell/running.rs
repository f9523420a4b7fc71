//! A running guard: its threads, and what its handles hold.

use super::{
    effects::Product,
    gone,
    mailbox::Request,
    notifier::Notifier,
    report::ShutdownReport,
    shared::{Attached, Shared},
    thread::{self, Cargo},
};
use crate::{
    config::Settings,
    error::{Code, Error, Result},
    machine::{
        input::Inherited,
        metering,
        plan::{ContractPlan, Plan, StartupCheck},
    },
    model::{
        license::{EntitlementKind, EntitlementSpec, License},
        time::Timestamp,
    },
    port::{
        listener::Listener,
        parts::{Parts, Plug},
        state::Heirloom,
    },
};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread::JoinHandle,
    time::Duration,
};
use tokio::sync::mpsc::UnboundedSender;

/// How long a guard that is dropped without a shutdown may take to end.
const DROP_DEADLINE: Duration = Duration::from_secs(5);

/// What every handle of a guard shares.
pub(crate) struct Running {
    pub(crate) shared: Arc<Shared>,
    pub(crate) notifier: Arc<Notifier>,
    entitlements: Vec<EntitlementSpec>,
    /// Numbers of seats and draws.
    numbers: AtomicU64,
    end: Arc<End>,
}

/// What it takes to end a guard; the notify thread may hold it too.
struct End {
    mailbox: UnboundedSender<Request>,
    closed: AtomicBool,
    driver: Mutex<Option<JoinHandle<()>>>,
    notifier: Arc<Notifier>,
    notify: Mutex<Option<JoinHandle<()>>>,
}

/// What a forked child takes from its parent's guard.
pub(crate) struct Inheritance {
    known: Inherited,
    heirloom: Option<Heirloom>,
}

/// Starts the two threads of a guard.
pub(crate) fn start(
    settings: &Settings,
    listener: Option<Arc<dyn Listener>>,
    plug: Plug<Settings>,
    inheritance: Option<Inheritance>,
) -> Result<Running> {
    let (inherited, heirloom) =
        inheritance.map_or((None, None), |from| (Some(from.known), from.heirloom));
    let Parts { open, entropy, connect, spawn, wake } = plug(settings, heirloom)?;
    let seed = entropy.seed().map_err(|why| Error::new(Code::Internal, why))?;
    let license = match &inherited {
        Some(inherited) => inherited.license.clone(),
        None => Arc::new(License::starting(Timestamp(0), settings.is_test())),
    };
    let shared = Arc::new(Shared::new(license.clone()));
    let notifier = Arc::new(Notifier::new((*license).clone(), listener, wake));
    let (mailbox, inbox) = tokio::sync::mpsc::unbounded_channel();
    let cargo = Cargo {
        connect: Some(connect),
        open,
        seed,
        plan: plan(settings),
        product: product(settings),
        inherited,
        startup_timeout: settings.startup_timeout,
        shared: shared.clone(),
        notifier: notifier.clone(),
        mailbox: inbox,
    };
    let refused = |e| {
        Error::new(
            Code::Thread,
            format!(
                "cannot start a thread of mpguard: {e}; raise the limit of threads of this container"
            ),
        )
    };
    let announcer = notifier.clone();
    let notify = spawn("mpguard-notify", Box::new(move || announcer.run())).map_err(refused)?;
    let driver = match spawn("mpguard", Box::new(move || thread::run(cargo))) {
        Ok(driver) => driver,
        Err(e) => {
            notifier.stop(Duration::ZERO);
            return Err(refused(e));
        }
    };
    let end = End {
        mailbox,
        closed: AtomicBool::new(false),
        driver: Mutex::new(Some(driver)),
        notifier: notifier.clone(),
        notify: Mutex::new(Some(notify)),
    };
    let numbers = AtomicU64::new(1);
    let entitlements = settings.entitlements.clone();
    Ok(Running { shared, notifier, entitlements, numbers, end: Arc::new(end) })
}

impl Running {
    /// Fails when the guard was shut down.
    pub(crate) fn still_up(&self, what: &str) -> Result<()> {
        if self.end.closed.load(Ordering::Acquire) { Err(gone(what)) } else { Ok(()) }
    }

    /// What there is to count with; `None` for pricing without custom metering.
    pub(crate) fn attached(&self) -> Option<&Attached> {
        self.shared.attached()
    }

    /// What a forked child takes along. Reads without a lock: the threads that might hold one are not there.
    pub(crate) fn inheritance(&self) -> Inheritance {
        let attached = self.shared.attached();
        Inheritance {
            known: Inherited {
                identity: attached.and_then(|attached| attached.identity.clone()),
                license: self.shared.license(),
            },
            heirloom: attached.map(|attached| attached.heirloom.clone()),
        }
    }

    /// Puts a request into the driver's mailbox.
    pub(crate) fn ask(&self, request: Request) -> Result<()> {
        self.end.mailbox.send(request).map_err(|_| gone("ask the guard"))
    }

    /// A number for a new seat or draw.
    pub(crate) fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// The configured entitlement of this name and kind; `what` is for the error's text.
    pub(crate) fn entitlement(
        &self,
        kind: EntitlementKind,
        name: &str,
        what: &str,
    ) -> Result<&EntitlementSpec> {
        let right = |spec: &&EntitlementSpec| spec.kind == kind;
        self.entitlements.iter().filter(right).find(|spec| spec.name == name).ok_or_else(|| {
            let known: Vec<&str> =
                self.entitlements.iter().filter(right).map(|spec| spec.name.as_str()).collect();
            let known = if known.is_empty() {
                format!("the configuration defines no {} entitlements", kind.as_str())
            } else {
                format!("the configuration defines `{}`", known.join("`, `"))
            };
            Error::new(Code::UnknownEntitlement, format!("cannot {what} `{name}`: {known}"))
        })
    }

    /// Ends the guard, or defers that when a listener asks for it.
    pub(crate) fn shutdown(&self, deadline: Duration) -> Result<ShutdownReport> {
        if self.end.closed.swap(true, Ordering::AcqRel) {
            return Err(Error::new(
                Code::ShutDown,
                "the guard was already shut down; the report of the first call stands, init a new guard to go on",
            ));
        }
        if self.notifier.on_own_thread() {
            let end = self.end.clone();
            self.notifier.defer(Box::new(move || drop(end.finish(deadline))));
            return Err(Error::new(
                Code::Deferred,
                "shutdown was called from a listener; it completes when the listener returns",
            ));
        }
        self.end.finish(deadline)
    }
}

impl End {
    fn finish(&self, deadline: Duration) -> Result<ShutdownReport> {
        let (reply, answer) = mpsc::sync_channel(1);
        let asked = self.mailbox.send(Request::ShutDown { deadline, reply });
        let report = asked.ok().and_then(|()| answer.recv().ok());
        join(&self.driver);
        // Events of the end itself are still handed out; a listener that hangs is waited for no longer.
        self.notifier.stop(deadline.clamp(Duration::from_millis(100), DROP_DEADLINE));
        if !self.notifier.on_own_thread() && !self.notifier.listener_runs() {
            join(&self.notify);
        }
        report.ok_or_else(|| {
            Error::new(
                Code::Internal,
                "the guard's thread had ended before; what it counted is not reported",
            )
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.shutdown(DROP_DEADLINE);
    }
}

fn join(thread: &Mutex<Option<JoinHandle<()>>>) {
    let handle = thread.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(handle) = handle {
        let _ = handle.join();
    }
}

fn plan(settings: &Settings) -> Plan {
    let (tiers, counted): (Vec<_>, Vec<_>) =
        settings.entitlements.iter().cloned().partition(|spec| spec.kind == EntitlementKind::Tier);
    Plan {
        hourly: settings.pricing.hourly,
        usage: settings.pricing.usage,
        contract: settings.pricing.contract.then(|| ContractPlan {
            tiers: tiers.iter().map(|spec| spec.name.as_str().into()).collect(),
            counted,
            seat_linger: settings.seat_linger,
            interval: settings.recheck_interval,
            grace: settings.grace,
            expiring_notice: settings.expiring_notice,
        }),
        dimensions: settings.dimensions.clone(),
        metering: metering::Policy {
            outage_stop: settings.outage_stop,
            zero_records: settings.zero_records,
        },
        startup_check: match (settings.dry_run, &settings.probe_dimension) {
            (true, _) => StartupCheck::DryRun,
            (false, Some(_)) => StartupCheck::Probe,
            (false, None) => StartupCheck::Auto,
        },
        key_version: settings.product.public_keys.last().map(|key| key.version),
        sandbox: settings.is_test(),
    }
}

fn product(settings: &Settings) -> Product {
    Product {
        code: settings.product.code.clone(),
        key: settings.product.public_keys.last().cloned(),
        dimension: settings.dimensions.first().map(|spec| spec.name.to_string()),
        probe: settings.probe_dimension.as_ref().map(ToString::to_string),
    }
}
