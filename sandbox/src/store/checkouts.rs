//! Check-outs that will return: seats, and the tokens that stand for them.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

/// Units taken of one entitlement; 0 of an uncounted one.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) count: i64,
}

/// One PROVISIONAL check-out.
#[derive(Clone, Debug)]
pub(crate) struct Checkout {
    pub(crate) token: String,
    pub(crate) account: String,
    pub(crate) task: String,
    pub(crate) license_id: String,
    pub(crate) taken: Vec<Taken>,
    pub(crate) issued_ms: i64,
    pub(crate) expires_ms: i64,
    pub(crate) extended_ms: Option<i64>,
}

/// An answer that a repeated client token gets again.
struct Replay {
    at_ms: i64,
    parameters: String,
    answer: Value,
}

/// What is known about a client token.
pub(crate) enum Seen {
    Never,
    Same(Value),
    Other,
}

#[derive(Default)]
pub(crate) struct Checkouts {
    live: BTreeMap<String, Checkout>,
    perpetual: HashMap<String, String>,
    replays: HashMap<(String, String), Replay>,
}

impl Checkouts {
    pub(crate) fn take(&mut self, checkout: Checkout) {
        self.live.insert(checkout.token.clone(), checkout);
    }

    /// Notes a token of a PERPETUAL check-out, so that it can be told from one that never was.
    pub(crate) fn note_perpetual(&mut self, token: &str, license_id: &str) {
        self.perpetual.insert(token.to_owned(), license_id.to_owned());
    }

    pub(crate) fn is_perpetual(&self, token: &str) -> bool {
        self.perpetual.contains_key(token)
    }

    /// The check-out behind this token, unless its time is over: then its units are back in the pool.
    pub(crate) fn get_mut(&mut self, token: &str, now_ms: i64) -> Option<&mut Checkout> {
        self.live.get_mut(token).filter(|checkout| checkout.expires_ms > now_ms)
    }

    pub(crate) fn remove(&mut self, token: &str, now_ms: i64) -> Option<Checkout> {
        self.live.remove(token).filter(|checkout| checkout.expires_ms > now_ms)
    }

    pub(crate) fn live(&self, now_ms: i64) -> impl Iterator<Item = &Checkout> {
        self.live.values().filter(move |checkout| checkout.expires_ms > now_ms)
    }

    pub(crate) fn in_use(&self, license_id: &str, name: &str, now_ms: i64) -> i64 {
        self.live(now_ms)
            .filter(|checkout| checkout.license_id == license_id)
            .flat_map(|checkout| &checkout.taken)
            .filter(|taken| taken.name == name)
            .map(|taken| taken.count)
            .sum()
    }

    /// `window_ms`: how long a token is remembered; -1 for ever.
    pub(crate) fn seen(
        &self,
        key: &(String, String),
        parameters: &str,
        now_ms: i64,
        window_ms: i64,
    ) -> Seen {
        match self.replays.get(key) {
            Some(replay) if window_ms >= 0 && now_ms - replay.at_ms >= window_ms => Seen::Never,
            Some(replay) if replay.parameters == parameters => Seen::Same(replay.answer.clone()),
            Some(_) => Seen::Other,
            None => Seen::Never,
        }
    }

    pub(crate) fn remember(
        &mut self,
        key: (String, String),
        parameters: String,
        now_ms: i64,
        answer: Value,
    ) {
        self.replays.insert(key, Replay { at_ms: now_ms, parameters, answer });
    }
}
