//! The wall clock, corrected by AWS's.

use super::aws::ServerTime;
use crate::{model::time::Timestamp, port::clock::Clock};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Never sleeps longer than this, so that a stepped wall clock or a suspended machine is noticed.
const NAP_MAX: Duration = Duration::from_secs(30);

/// The system's own time, plus what AWS's answers say it is behind.
#[derive(Clone, Default)]
pub(super) struct SystemClock(Arc<ServerTime>);

impl SystemClock {
    pub(super) fn corrected_by(server_time: Arc<ServerTime>) -> SystemClock {
        SystemClock(server_time)
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let here = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        Timestamp(here.saturating_add(self.0.behind_ms()))
    }

    fn wait(&self, due: Option<Timestamp>) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        let nap = due.map_or(NAP_MAX, |due| due.since(self.now()).min(NAP_MAX));
        Box::pin(tokio::time::sleep(nap))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_a_time_of_this_century() {
        assert!(SystemClock::default().now().0 > 1_700_000_000_000);
    }
}
