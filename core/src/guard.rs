//! The door: what a product holds.

mod family;
mod meter;
mod seat;
mod wish;

pub use meter::Meter;
pub use seat::Seat;
pub use wish::{SeatsAsked, UnitsAsked};

use crate::{
    adapter,
    config::{Config, StartupPending},
    error::{Code, Error, Result},
    event::Event,
    model::{
        ids::{DrawId, SeatId},
        license::{EntitlementKind, License, Reason, Verdict, marked},
        usage::Account,
    },
    port::listener::Listener,
    shell::{
        self,
        mailbox::Request,
        report::{FlushReport, ShutdownReport, Stats},
        running::Running,
    },
};
use family::Family;
use std::{
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};
use wish::{Answer, Stage};

/// A forked child that does not know yet who the task is asks again, as long as `init` would.
const START_MAX: Duration = Duration::from_secs(30);

/// The live object. Clones share it; any thread may use it.
///
/// When the last clone is dropped without [`Guard::shutdown`], it is shut down with a deadline of
/// five seconds.
#[derive(Clone)]
pub struct Guard {
    family: Arc<Family>,
}

impl Guard {
    /// Starts a guard and waits for the first verdict, at most `startup_timeout_ms`.
    ///
    /// # Errors
    /// `InvalidConfig`; the code of a definite denial, with what the buyer must do; `Pending` when the
    /// time is over and `startup_pending` is `fail`; `Thread`.
    pub fn init(config: &Config) -> Result<Guard> {
        Guard::start(config, None)
    }

    /// Like [`Guard::init`], with a listener that hears every event from the first verdict on.
    ///
    /// # Errors
    /// As [`Guard::init`].
    pub fn init_with(config: &Config, listener: Arc<dyn Listener>) -> Result<Guard> {
        Guard::start(config, Some(listener))
    }

    fn start(config: &Config, listener: Option<Arc<dyn Listener>>) -> Result<Guard> {
        let settings = config.settings()?;
        let (timeout, pending, terminate) =
            (settings.startup_timeout, settings.startup_pending, settings.terminate);
        let guard = Guard { family: Arc::new(Family::start(settings, listener)?) };
        let license = guard.running()?.shared.wait_for_verdict(timeout);
        match license.verdict {
            Verdict::Licensed | Verdict::Grace => Ok(guard),
            Verdict::Denied => {
                if terminate {
                    // AWS asks a container that is not entitled to end. `_exit`: no handler of the host runs
                    // half-way, and nothing was counted yet.
                    adapter::process::exit_denied();
                }
                Err(denial(&license))
            }
            Verdict::Pending if pending == StartupPending::Fail => {
                let text = format!(
                    "no verdict after {} ms: {}; try again, or set startup_pending to `wait` to start without one",
                    timeout.as_millis(),
                    license.said()
                );
                Err(Error::new(Code::Pending, marked(license.sandbox, text)))
            }
            Verdict::Pending => Ok(guard),
        }
    }

    /// May the product run? Never waits.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.license().verdict
    }

    /// Verdict, reason and entitlements at this moment.
    #[must_use]
    pub fn license(&self) -> Arc<License> {
        self.family.license()
    }

    /// Succeeds when the product may run now.
    ///
    /// # Errors
    /// `Pending`, or the code of the denial with what the buyer must do.
    pub fn require(&self) -> Result<()> {
        let license = self.license();
        match license.verdict {
            Verdict::Licensed | Verdict::Grace => Ok(()),
            Verdict::Pending if license.reason == Reason::ShutDown => {
                Err(Error::new(Code::ShutDown, license.text.clone()))
            }
            Verdict::Pending => {
                let text = format!(
                    "the license is not confirmed yet: {}; try again shortly",
                    license.said()
                );
                Err(Error::new(Code::Pending, marked(license.sandbox, text)))
            }
            Verdict::Denied => Err(denial(&license)),
        }
    }

    /// True when the product may run now and its contract has the entitlement `feature`.
    #[must_use]
    pub fn has(&self, feature: &str) -> bool {
        self.license().has(feature)
    }

    /// The counter of one dimension and tag set; the same arguments give the same counter.
    ///
    /// # Errors
    /// `UnknownDimension`, `InvalidTag`, `ShutDown`.
    pub fn meter(&self, dimension: &str, tags: &[(&str, &str)]) -> Result<Meter> {
        let running = self.begun(START_MAX)?;
        running.still_up("make a meter")?;
        let attached = running.attached().ok_or_else(|| {
            Error::new(
                Code::UnknownDimension,
                format!(
                    "cannot meter dimension `{dimension}`: the configuration defines no dimensions"
                ),
            )
        })?;
        let (series, kind) = attached.catalog.resolve(dimension, tags)?;
        Ok(Meter::new(attached.adder.clone(), series, kind, dimension))
    }

    /// Takes `count` seats of a floating entitlement; waits at most `timeout`.
    ///
    /// The seats are kept by extending until the [`Seat`] is checked in or dropped.
    ///
    /// # Errors
    /// `UnknownEntitlement`, `InvalidArgument` for a count of zero, `NoSeat`, `NotEntitled`, `LicenseEnded`,
    /// `AccessDenied`, `TimedOut`, `Unavailable`, `ShutDown`.
    pub fn check_out(&self, entitlement: &str, count: u64, timeout: Duration) -> Result<Seat> {
        self.ask_seats(entitlement, count, timeout)?.wait()
    }

    /// Like [`Guard::check_out`], for a host that may give the wait up.
    ///
    /// # Errors
    /// `UnknownEntitlement`, `InvalidArgument`, `ShutDown`; the others come from the wait.
    #[doc(hidden)]
    pub fn ask_seats(
        &self,
        entitlement: &str,
        count: u64,
        timeout: Duration,
    ) -> Result<SeatsAsked> {
        let running = self.running()?;
        running.still_up("check out a seat")?;
        let floating = EntitlementKind::Floating;
        let spec = running.entitlement(floating, entitlement, "check out")?.clone();
        some(count, "check out", entitlement)?;
        let (reply, answer) = mpsc::sync_channel(1);
        let seat = SeatId(running.next_number());
        running.ask(Request::CheckOut { seat, spec, count, timeout, reply })?;
        let (guard, entitlement) = (self.clone(), entitlement.to_owned());
        Ok(SeatsAsked { guard, seat, entitlement, count, answer: Answer::new(answer) })
    }

    /// Books `quantity` prepaid units of a drawdown entitlement; waits at most `timeout`. Start the work after `Ok`.
    ///
    /// Units are drawn from the contract exactly once. When the time is over while AWS has not answered, nothing is
    /// booked; units that AWS gives later serve the next call. `account` shows drawn, booked and disputed units.
    ///
    /// # Errors
    /// `UnknownEntitlement`, `InvalidArgument` for a quantity of zero, `Exhausted`, `NotEntitled`, `LicenseEnded`,
    /// `Unavailable`, `TimedOut`, `ShutDown`. Nothing is booked then.
    pub fn draw_down(&self, entitlement: &str, quantity: u64, timeout: Duration) -> Result<()> {
        self.ask_units(entitlement, quantity, timeout)?.wait()
    }

    /// Like [`Guard::draw_down`], for a host that may give the wait up.
    ///
    /// # Errors
    /// `UnknownEntitlement`, `InvalidArgument`, `ShutDown`; the others come from the wait.
    #[doc(hidden)]
    pub fn ask_units(
        &self,
        entitlement: &str,
        quantity: u64,
        timeout: Duration,
    ) -> Result<UnitsAsked> {
        let running = self.running()?;
        running.still_up("draw down units")?;
        running.entitlement(EntitlementKind::Drawdown, entitlement, "draw down")?;
        some(quantity, "draw down", entitlement)?;
        let (reply, answer) = mpsc::sync_channel(1);
        let draw = DrawId(running.next_number());
        let name = entitlement.into();
        running.ask(Request::DrawDown { draw, entitlement: name, quantity, timeout, reply })?;
        Ok(UnitsAsked {
            guard: self.clone(),
            draw,
            entitlement: entitlement.to_owned(),
            quantity,
            answer: Answer::new(answer),
            stage: Mutex::new(Stage::Waiting),
        })
    }

    /// Adds a listener; it hears the current state first. Returns a number for [`Guard::unsubscribe`].
    pub fn subscribe(&self, listener: Arc<dyn Listener>) -> u64 {
        // Without threads no event comes, and number 0 is nobody's.
        self.running().map_or(0, |running| running.notifier.subscribe(listener))
    }

    /// Removes a listener. When this has returned on another thread than the listener's, it runs no more.
    pub fn unsubscribe(&self, subscription: u64) {
        if let Ok(running) = self.running() {
            running.notifier.unsubscribe(subscription);
        }
    }

    /// The next event of this guard's own queue; waits at most `timeout`, `None` for ever.
    ///
    /// Returns `None` when the time is over or the guard was shut down and the queue is empty. The queue
    /// starts with the first call of this or of [`Guard::event_fd`].
    #[must_use]
    pub fn next_event(&self, timeout: Option<Duration>) -> Option<Event> {
        self.running().ok()?.notifier.next_event(timeout)
    }

    /// A file descriptor that is readable while [`Guard::next_event`] has something to give.
    ///
    /// It belongs to the guard: wait on it, never read or close it.
    ///
    /// # Errors
    /// `Storage` when the system gives no descriptor.
    pub fn event_fd(&self) -> Result<i32> {
        self.running()?.notifier.event_fd()
    }

    /// Where every raw count is, one entry a dimension.
    ///
    /// # Errors
    /// `ShutDown` when the guard has ended without a report.
    pub fn account(&self) -> Result<Vec<Account>> {
        let running = self.begun(START_MAX)?;
        if let Some(report) = running.shared.report() {
            return Ok(report.accounts.clone());
        }
        let (reply, answer) = mpsc::sync_channel(1);
        running.ask(Request::Account { reply })?;
        answer.recv().map_err(|_| shell::gone("read the account"))
    }

    /// Counts of calls, failures and events since `init`.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.running().map(|running| running.shared.stats(&running.notifier)).unwrap_or_default()
    }

    /// Sends the usage of all ended hours now instead of at its time; waits at most `deadline`.
    ///
    /// The running hour is not touched: a record sent early would lock it.
    ///
    /// # Errors
    /// `ShutDown`.
    pub fn flush(&self, deadline: Duration) -> Result<FlushReport> {
        let running = self.begun(deadline)?;
        running.still_up("flush")?;
        let (reply, answer) = mpsc::sync_channel(1);
        running.ask(Request::Flush { deadline, reply })?;
        answer.recv().map_err(|_| shell::gone("flush"))
    }

    /// Ends the guard: sends what is counted, returns seats, reports what is left; waits at most `deadline`.
    ///
    /// From inside a listener it returns `Deferred` at once and completes when the listener returns.
    /// After it has returned, no listener runs.
    ///
    /// # Errors
    /// `ShutDown` for a second call; `Deferred`.
    pub fn shutdown(&self, deadline: Duration) -> Result<ShutdownReport> {
        self.begun(deadline)?.shutdown(deadline)
    }

    /// True when this process has threads of this guard. A forked child has none before its first call.
    #[doc(hidden)]
    #[must_use]
    pub fn runs_here(&self) -> bool {
        self.family.present().is_some()
    }

    /// What runs in this process, its counters open. After `init` they are; a forked child may come here first.
    fn begun(&self, limit: Duration) -> Result<&Running> {
        let running = self.running()?;
        running.shared.wait_for_start(limit);
        Ok(running)
    }

    /// An error of AWS's side, with the mark of a sandbox if it comes from one.
    fn mark(&self, error: Error) -> Error {
        Error::new(error.code(), marked(self.license().sandbox, error.text().to_owned()))
    }

    /// What runs in this process.
    pub(crate) fn running(&self) -> Result<&Running> {
        self.family.running()
    }
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("verdict", &self.verdict()).finish_non_exhaustive()
    }
}

/// A wish for nothing is a mistake of the caller.
fn some(count: u64, what: &str, entitlement: &str) -> Result<()> {
    if count > 0 {
        return Ok(());
    }
    let text = format!("cannot {what} 0 of `{entitlement}`; ask for at least 1");
    Err(Error::new(Code::InvalidArgument, text))
}

/// The error that stands for a definite denial.
fn denial(license: &License) -> Error {
    let code = match license.reason {
        Reason::AccessDenied => Code::AccessDenied,
        Reason::PlatformNotSupported => Code::PlatformNotSupported,
        Reason::InvalidRegion => Code::InvalidRegion,
        Reason::InvalidProduct => Code::InvalidProduct,
        Reason::SignatureInvalid => Code::SignatureInvalid,
        Reason::Expired | Reason::Suspended | Reason::Stale => Code::LicenseEnded,
        Reason::NoSeat => Code::NoSeat,
        Reason::ShutDown => Code::ShutDown,
        Reason::NotEntitled
        | Reason::Starting
        | Reason::Entitled
        | Reason::Unreachable
        | Reason::Throttled => Code::NotEntitled,
    };
    Error::new(code, license.text.clone())
}
