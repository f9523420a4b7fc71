//! Who follows the clock, and who is at rest.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::watch;

/// A follower whose connection broke in the middle of a poll is probably dead. It gets this long to
/// come back before a settle stops waiting for it; the full limit would cost each killed process 5 s.
const RETURN_AFTER_BREAK: Duration = Duration::from_millis(500);

#[derive(Default)]
struct Follower {
    /// The newest version at which it declared to be at rest.
    rest_version: u64,
    polls_open: usize,
    broke_off: Option<Instant>,
}

/// A follower as the control API shows it.
#[derive(Serialize)]
pub(crate) struct FollowerView {
    name: String,
    rest_version: u64,
    connected: bool,
}

#[derive(Default)]
pub(super) struct Followers {
    known: Arc<Mutex<BTreeMap<String, Follower>>>,
    changed: watch::Sender<()>,
}

impl Followers {
    /// Notes that `name` is at rest at `version`, and that it waits to hear from us.
    pub(super) fn declare(&self, name: &str, version: u64) -> OpenPoll<'_> {
        {
            let mut known = self.known();
            let follower = known.entry(name.to_owned()).or_default();
            follower.rest_version = version;
            follower.polls_open += 1;
            follower.broke_off = None;
        }
        self.changed.send_replace(());
        OpenPoll { followers: self, name: name.to_owned(), answered: false }
    }

    pub(super) fn forget(&self, name: &str) -> bool {
        let known = self.known().remove(name).is_some();
        self.changed.send_replace(());
        known
    }

    pub(super) fn forget_absent(&self) {
        self.known().retain(|_, follower| follower.polls_open > 0);
        self.changed.send_replace(());
    }

    pub(super) fn view(&self) -> Vec<FollowerView> {
        let view = |(name, follower): (&String, &Follower)| FollowerView {
            name: name.clone(),
            rest_version: follower.rest_version,
            connected: follower.polls_open > 0,
        };
        self.known().iter().map(view).collect()
    }

    /// Waits until every known follower is at rest at `version`; after `limit`, forgets those that are
    /// not and have no open poll.
    pub(super) async fn at_rest(&self, version: u64, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            let mut changed = self.changed.subscribe();
            let wake = match self.busy(version, deadline) {
                Busy::Nobody => return true,
                Busy::Until(wake) => wake,
            };
            if Instant::now() >= deadline {
                self.known().retain(|_, follower| {
                    follower.rest_version == version || follower.polls_open > 0
                });
                return false;
            }
            tokio::select! {
                _ = changed.changed() => {}
                () = tokio::time::sleep_until(wake.into()) => {}
            }
        }
    }

    /// Drops followers that broke off and did not return; says when to look again if some are left.
    fn busy(&self, version: u64, deadline: Instant) -> Busy {
        let mut known = self.known();
        known.retain(|_, follower| {
            let gone = follower
                .broke_off
                .is_some_and(|broke_off| broke_off.elapsed() >= RETURN_AFTER_BREAK);
            follower.rest_version == version || follower.polls_open > 0 || !gone
        });
        let mut busy =
            known.values().filter(|follower| follower.rest_version != version).peekable();
        if busy.peek().is_none() {
            return Busy::Nobody;
        }
        let given_up = busy
            .filter_map(|follower| follower.broke_off)
            .map(|broke_off| broke_off + RETURN_AFTER_BREAK);
        Busy::Until(given_up.chain([deadline]).min().unwrap_or(deadline))
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Follower>> {
        self.known.lock().expect("no code panics while it holds the followers")
    }
}

enum Busy {
    Nobody,
    Until(Instant),
}

/// One long poll that waits for its answer. Dropped without one, it means a broken connection.
pub(super) struct OpenPoll<'a> {
    followers: &'a Followers,
    name: String,
    answered: bool,
}

impl OpenPoll<'_> {
    pub(super) fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for OpenPoll<'_> {
    fn drop(&mut self) {
        if let Some(follower) = self.followers.known().get_mut(&self.name) {
            follower.polls_open = follower.polls_open.saturating_sub(1);
            if !self.answered && follower.polls_open == 0 {
                follower.broke_off = Some(Instant::now());
            }
        }
        self.followers.changed.send_replace(());
    }
}
