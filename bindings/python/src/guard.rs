//! The live object, as the package `mpguard` wraps it.

use crate::{
    config,
    error::{self, raise},
    event::Feed,
    json, license,
    metering::{self, Meter},
    owned::{Live, Owned},
    seat::Seat,
    wait,
    wish::{SeatsAsked, UnitsAsked},
};
use mpguard_core::{Code, Config, Guard};
use pyo3::{prelude::*, types::PyDict};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Number of the callback given to `init`.
const FIRST_CALLBACK: u64 = 0;

/// Native half of `mpguard.Guard`.
#[pyclass(frozen, module = "mpguard._mpguard", name = "Guard")]
pub(crate) struct NativeGuard {
    live: Owned<Arc<Live>>,
    /// Dropped after the guard, so that events of its end are still heard.
    _feed: LastShare,
}

impl NativeGuard {
    /// For calls that never wait.
    fn guard(&self) -> &Guard {
        &self.live.get().guard
    }

    /// A share of the guard for a call that may wait for its threads.
    fn share(&self) -> Arc<Live> {
        Arc::clone(self.live.get())
    }
}

/// Closes the feed when the guard goes, so that the thread of its callbacks ends.
struct LastShare(Feed);

impl Drop for LastShare {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Starts a guard from keyword arguments; events of `feed`'s first callback are heard from the start.
#[pyfunction]
#[pyo3(signature = (keys, feed, heard, /))]
pub(crate) fn start(
    py: Python<'_>,
    keys: &Bound<'_, PyDict>,
    feed: &Feed,
    heard: bool,
) -> PyResult<NativeGuard> {
    let config = config::read(keys)?;
    init(py, config, feed, heard)
}

/// Starts a guard from a JSON object of keys.
#[pyfunction]
#[pyo3(signature = (text, feed, heard, /))]
pub(crate) fn start_from_json(
    py: Python<'_>,
    text: &str,
    feed: &Feed,
    heard: bool,
) -> PyResult<NativeGuard> {
    let config = Config::from_json(text).map_err(|e| raise(py, &e))?;
    init(py, config, feed, heard)
}

fn init(py: Python<'_>, config: Config, feed: &Feed, heard: bool) -> PyResult<NativeGuard> {
    let listener = heard.then(|| Arc::new(feed.listener(FIRST_CALLBACK)));
    let guard = wait::interruptibly(py, move || match listener {
        Some(listener) => Guard::init_with(&config, listener),
        None => Guard::init(&config),
    })?
    .map_err(|e| raise(py, &e))?;
    Ok(NativeGuard { live: Owned::new(Live::new(guard)), _feed: LastShare(feed.clone()) })
}

#[pymethods]
impl NativeGuard {
    fn verdict(&self) -> &'static str {
        self.guard().verdict().as_str()
    }

    fn license<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        license::snapshot(py, self.guard())
    }

    fn require(&self, py: Python<'_>) -> PyResult<()> {
        license::require(py, self.guard())
    }

    #[pyo3(signature = (feature, /))]
    fn has(&self, feature: &str) -> bool {
        self.guard().has(feature)
    }

    #[pyo3(signature = (dimension, tags, /))]
    fn meter(
        &self,
        py: Python<'_>,
        dimension: &str,
        tags: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Meter> {
        let tags = metering::tags(tags)?;
        let tags: Vec<(&str, &str)> = tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        self.guard().meter(dimension, &tags).map(Meter::new).map_err(|e| raise(py, &e))
    }

    #[pyo3(signature = (entitlement, count, timeout, /))]
    fn check_out(
        &self,
        py: Python<'_>,
        entitlement: String,
        count: &Bound<'_, PyAny>,
        timeout: &Bound<'_, PyAny>,
    ) -> PyResult<Seat> {
        let asked = self.ask_seats(py, &entitlement, count, timeout)?.share();
        let theirs = Arc::clone(&asked);
        wait::or_give_up(py, move || theirs.wait(), || asked.give_up())?
            .map(Seat::new)
            .map_err(|e| raise(py, &e))
    }

    #[pyo3(signature = (entitlement, quantity, timeout, /))]
    fn draw_down(
        &self,
        py: Python<'_>,
        entitlement: String,
        quantity: &Bound<'_, PyAny>,
        timeout: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let asked = self.ask_units(py, &entitlement, quantity, timeout)?.share();
        let theirs = Arc::clone(&asked);
        wait::or_give_up(py, move || theirs.wait(), || asked.give_up())?.map_err(|e| raise(py, &e))
    }

    /// Like `check_out`, for a caller that may give the wait up.
    #[pyo3(signature = (entitlement, count, timeout, /))]
    fn ask_seats(
        &self,
        py: Python<'_>,
        entitlement: &str,
        count: &Bound<'_, PyAny>,
        timeout: &Bound<'_, PyAny>,
    ) -> PyResult<SeatsAsked> {
        let live = self.share();
        let timeout = wait::duration("timeout", timeout)?;
        let count = whole("check out", entitlement, count)?;
        py.detach(|| live.guard.ask_seats(entitlement, count, timeout))
            .map(SeatsAsked::new)
            .map_err(|e| raise(py, &e))
    }

    /// Like `draw_down`, for a caller that may give the wait up.
    #[pyo3(signature = (entitlement, quantity, timeout, /))]
    fn ask_units(
        &self,
        py: Python<'_>,
        entitlement: &str,
        quantity: &Bound<'_, PyAny>,
        timeout: &Bound<'_, PyAny>,
    ) -> PyResult<UnitsAsked> {
        let live = self.share();
        let timeout = wait::duration("timeout", timeout)?;
        let quantity = whole("draw down", entitlement, quantity)?;
        py.detach(|| live.guard.ask_units(entitlement, quantity, timeout))
            .map(UnitsAsked::new)
            .map_err(|e| raise(py, &e))
    }

    /// Has the callback `number` of `feed` hear the current state and every event.
    #[pyo3(signature = (feed, number, /))]
    fn subscribe(&self, py: Python<'_>, feed: &Feed, number: u64) {
        let (live, listener) = (self.share(), feed.listener(number));
        py.detach(|| live.subscribe(number, listener));
    }

    /// Removes the callback `number`.
    #[pyo3(signature = (number, /))]
    fn unsubscribe(&self, py: Python<'_>, number: u64) {
        let live = self.share();
        py.detach(|| live.unsubscribe(number));
    }

    #[pyo3(signature = (timeout, /))]
    fn next_event<'py>(
        &self,
        py: Python<'py>,
        timeout: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let live = self.share();
        let timeout = timeout.map(|timeout| wait::duration("timeout", timeout)).transpose()?;
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            // Read before the look at the queue: what the shutdown itself queued is still given out.
            let over = live.is_shut_down();
            let left =
                end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
            let slice = left.min(wait::SLICE);
            if let Some(event) = py.detach(|| live.guard.next_event(Some(slice))) {
                return json::to_python(py, &event.to_json()).map(Some);
            }
            if over || left <= slice {
                return Ok(None);
            }
            py.check_signals()?;
        }
    }

    fn event_fd(&self, py: Python<'_>) -> PyResult<i32> {
        self.share().guard.event_fd().map_err(|e| raise(py, &e))
    }

    fn account<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let live = self.share();
        let accounts =
            wait::interruptibly(py, move || live.guard.account())?.map_err(|e| raise(py, &e))?;
        json::answer(py, &accounts)
    }

    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json::answer(py, &self.guard().stats())
    }

    #[pyo3(signature = (deadline, /))]
    fn flush<'py>(
        &self,
        py: Python<'py>,
        deadline: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let live = self.share();
        let deadline = wait::duration("deadline", deadline)?;
        let report = wait::interruptibly(py, move || live.guard.flush(deadline))?
            .map_err(|e| raise(py, &e))?;
        json::answer(py, &report)
    }

    #[pyo3(signature = (deadline, /))]
    fn shutdown<'py>(
        &self,
        py: Python<'py>,
        deadline: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let live = self.share();
        let deadline = wait::duration("deadline", deadline)?;
        let report = wait::interruptibly(py, move || live.shut_down(deadline))?
            .map_err(|e| raise(py, &e))?;
        json::answer(py, &report)
    }
}

/// Reads a count of seats or units.
fn whole(verb: &str, entitlement: &str, count: &Bound<'_, PyAny>) -> PyResult<u64> {
    count.extract::<u64>().map_err(|wrong| {
        if wrong.is_instance_of::<pyo3::exceptions::PyTypeError>(count.py()) {
            return wrong;
        }
        error::refuse(
            count.py(),
            Code::InvalidArgument,
            format!("cannot {verb} `{count}` of `{entitlement}`; ask for at least 1"),
        )
    })
}
