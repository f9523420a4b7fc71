//! The clock of a guard in production: AWS's time, and until AWS has answered a guess.

use super::aws::ServerTime;
use crate::{
    model::time::{Anchor, Timestamp},
    port::clock::Clock,
};
use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

/// Never sleeps longer than this: the runtime's timers stand still while the computer is suspended, and what
/// became due meanwhile must be noticed.
const NAP_MAX: Duration = Duration::from_secs(30);

/// Follows AWS's time.
#[derive(Clone, Default)]
pub(super) struct SystemClock(Arc<ServerTime>);

impl SystemClock {
    pub(super) fn following(server_time: Arc<ServerTime>) -> SystemClock {
        SystemClock(server_time)
    }

    fn nap(&self, due: Timestamp) -> Duration {
        self.0.until(due).min(NAP_MAX)
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn wait(&self, due: Option<Timestamp>) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(async move {
            let Some(due) = due else { return self.0.corrected().await };
            tokio::select! {
                () = tokio::time::sleep(self.nap(due)) => {}
                () = self.0.corrected() => {}
            }
        })
    }

    fn anchor(&self) -> Option<Anchor> {
        self.0.anchor()
    }

    fn adopt(&self, anchor: Anchor) {
        self.0.adopt(anchor);
    }

    fn behind_ms(&self) -> i64 {
        self.0.behind_ms()
    }

    fn guess_behind_ms(&self) -> i64 {
        self.0.guess_behind_ms()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::aws::server_time::tests::{Bench, TEN_MS, answer};
    use std::time::Instant;
    use tokio::time::timeout;

    const BRIEF: Duration = Duration::from_millis(60);

    fn clock(bench: &Bench) -> SystemClock {
        SystemClock::following(Arc::new(bench.time()))
    }

    fn run(test: impl Future<Output = ()>) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_time().build().expect("a runtime").block_on(test);
    }

    #[test]
    fn it_tells_a_time_of_this_century() {
        assert!(SystemClock::default().now().0 > 1_700_000_000_000);
    }

    #[test]
    fn a_nap_ends_when_due_or_after_half_a_minute() {
        let clock = clock(&Bench::off(0));
        let nap = |due_in: i64| clock.nap(Timestamp(TEN_MS + due_in)).as_millis();
        assert_eq!(
            [nap(0), nap(-5), nap(12_345), nap(30_001), nap(3_600_000)],
            [0, 0, 12_345, 30_000, 30_000]
        );
    }

    #[test]
    fn what_became_due_during_a_suspension_is_noticed_after_one_nap() {
        let bench = Bench::off(0);
        let clock = clock(&bench);
        let due = Timestamp(TEN_MS + 3_600_000);
        assert_eq!(clock.nap(due), NAP_MAX);
        // The count since the start goes on, and the timer of the nap does not.
        bench.pass(2 * 3_600_000);
        assert!(clock.now() > due);
        assert_eq!(clock.nap(due), Duration::ZERO);
    }

    #[test]
    fn it_wakes_when_due_and_not_before() {
        run(async {
            let clock = SystemClock::default();
            let due = clock.now().after(BRIEF);
            let start = Instant::now();
            clock.wait(Some(due)).await;
            assert!(clock.now() >= due, "{:?}", start.elapsed());
            assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        });
    }

    #[test]
    fn with_nothing_due_only_a_correction_wakes() {
        run(async {
            let bench = Bench::off(-20 * 60_000);
            let clock = clock(&bench);
            assert!(timeout(BRIEF, clock.wait(None)).await.is_err(), "an idle guard sleeps");
            answer(&clock.0, 0);
            timeout(BRIEF, clock.wait(None)).await.expect("AWS has spoken");
            assert!(timeout(BRIEF, clock.wait(None)).await.is_err(), "once");
            assert_eq!(clock.behind_ms(), 20 * 60_000);
            assert!(clock.anchor().is_some());
        });
    }

    #[test]
    fn a_correction_ends_a_nap() {
        run(async {
            let bench = Bench::off(-20 * 60_000);
            let clock = clock(&bench);
            let due = clock.now().after(Duration::from_secs(20));
            let both = async {
                tokio::join!(clock.wait(Some(due)), async { answer(&clock.0, 0) });
            };
            timeout(Duration::from_secs(5), both).await.expect("the nap ends early");
            assert!(clock.now() >= due);
        });
    }
}
