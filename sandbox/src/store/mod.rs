//! What the sandbox remembers.

pub(crate) mod checkouts;
pub(crate) mod credentials;
pub(crate) mod faults;
pub(crate) mod keys;
pub(crate) mod licenses;
pub(crate) mod products;
pub(crate) mod quantity;
pub(crate) mod requests;
pub(crate) mod switches;
pub(crate) mod tasks;
pub(crate) mod tokens;
pub(crate) mod usage;

use std::sync::{Mutex, MutexGuard};

use crate::clock::Clock;
use crate::options::{ClockMode, Options};
use crate::service::RateLimits;

/// Everything that `reset` forgets.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) tasks: tasks::Tasks,
    pub(crate) credentials: credentials::Credentials,
    pub(crate) products: products::Products,
    pub(crate) usage: usage::Usage,
    pub(crate) licenses: licenses::Licenses,
    pub(crate) checkouts: checkouts::Checkouts,
    pub(crate) tokens: tokens::Tokens,
    pub(crate) faults: faults::Faults,
    pub(crate) switches: switches::Switches,
    pub(crate) requests: requests::Requests,
    pub(crate) rate_limits: RateLimits,
}

/// One sandbox: the clock, the state, and the region where it stands.
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) region: String,
    state: Mutex<State>,
}

impl World {
    pub(crate) fn new(options: &Options) -> Self {
        keys::prepare();
        Self {
            clock: Clock::new(options.start_ms, options.clock == ClockMode::Frozen),
            region: options.region.clone(),
            state: Mutex::new(State::default()),
        }
    }

    /// The state, for the time of one short look; no operation waits while it holds this.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code panics while it holds the state")
    }

    /// Forgets everything but the address, the clock's mode and the followers that are connected.
    pub(crate) fn reset(&self) {
        *self.state() = State::default();
        self.clock.forget_absent_followers();
        self.clock.set(None, None);
    }
}
