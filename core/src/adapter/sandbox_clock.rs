//! The virtual clock of a sandbox, followed over its long poll.
//!
//! A sandbox that moves its clock waits until every follower has done what was due. So a poll says two
//! things: "this is the version that I know", and "I am at rest at it". The second must be true: a poll is
//! sent only after the driver has looked at the time of that version and then called `at_rest`.

mod view;

use crate::{
    adapter::{
        aws::{
            Now,
            plain::{Ask, Connection},
        },
        computer::{Computer, ThisComputer},
        sandbox_address::sandbox_address,
    },
    model::time::{Anchor, Timestamp},
    port::{clock::Clock, entropy::Entropy},
};
use serde::Deserialize;
use std::{
    cell::Cell,
    future::{Future, pending},
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    pin::Pin,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, task::JoinHandle};
use view::View;

/// How long the sandbox holds a poll when nothing moves.
const HOLD: Duration = Duration::from_secs(20);
/// Between attempts at a sandbox that does not answer.
const AGAIN: Duration = Duration::from_millis(500);
/// The "start of the computer" that a virtual time belongs to. No computer has it, so that no guard in
/// production takes a sandbox's time for AWS's.
const VIRTUAL: u64 = 0;

/// Follows a sandbox's clock. Lives on the runtime's own thread.
pub(crate) struct SandboxClock {
    shared: Rc<Shared>,
    address: SocketAddr,
    follower: String,
    poller: JoinHandle<()>,
}

struct Shared {
    /// Behind a lock for signatures only, which the SDK may ask for from anywhere.
    view: Arc<Mutex<View>>,
    /// The first time that the sandbox told.
    told: Cell<Option<Anchor>>,
    /// Version of the view at the driver's last look.
    seen: Cell<Option<u64>>,
    /// Version at which the driver is at rest.
    rested: Cell<Option<u64>>,
    /// The view has another version.
    moved: Notify,
    /// The driver came to rest.
    rest: Notify,
}

impl SandboxClock {
    /// Learns the time of the sandbox that `url` names and starts to follow it.
    ///
    /// A sandbox that does not answer yet is tried again; until then the time is this computer's.
    ///
    /// # Errors
    /// `url` is not a loopback address.
    pub(crate) async fn connect(url: &str, entropy: &dyn Entropy) -> Result<SandboxClock, String> {
        let (address, path) = sandbox_address(url).ok_or_else(|| {
            format!("cannot follow the clock of `{url}`: give a loopback address and port")
        })?;
        let follower = follower(&path, entropy);
        let shared = Rc::new(Shared {
            view: Arc::new(Mutex::new(View::of_this_computer())),
            told: Cell::new(None),
            seen: Cell::new(None),
            rested: Cell::new(None),
            moved: Notify::new(),
            rest: Notify::new(),
        });
        let mut line = None;
        if let Some(said) = ask(&mut line, address, &met(&follower), AGAIN).await {
            shared.take(&said);
        }
        let poller =
            tokio::task::spawn_local(follow(shared.clone(), line, address, follower.clone()));
        Ok(SandboxClock { shared, address, follower, poller })
    }

    /// Asks for the time once and follows nobody: the sandbox does not wait for who only looks.
    ///
    /// Of a sandbox that does not answer the time is this computer's.
    pub(crate) async fn peek(url: &str) -> Now {
        let mut view = View::of_this_computer();
        if let Some((address, _)) = sandbox_address(url)
            && let Some(said) = ask(&mut None, address, "/_sandbox/clock", AGAIN).await
        {
            view.take(said.now_ms, said.rate, said.version);
        }
        Arc::new(move || view.now())
    }

    /// Reads the time from anywhere, without counting as the driver's look.
    pub(crate) fn reader(&self) -> Now {
        let view = self.shared.view.clone();
        Arc::new(move || lock(&view).now())
    }
}

impl Clock for SandboxClock {
    fn now(&self) -> Timestamp {
        let view = *lock(&self.shared.view);
        self.shared.seen.set(view.version);
        view.now()
    }

    fn wait(&self, due: Option<Timestamp>) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(async move {
            loop {
                let moved = self.shared.moved.notified();
                let view = *lock(&self.shared.view);
                if view.version != self.shared.seen.get()
                    || due.is_some_and(|due| due <= view.now())
                {
                    return;
                }
                let arrival = async {
                    match due.and_then(|due| view.until(due)) {
                        Some(delay) => tokio::time::sleep(delay).await,
                        None => pending().await,
                    }
                };
                tokio::select! {
                    () = moved => {}
                    () = arrival => {}
                }
            }
        })
    }

    fn anchor(&self) -> Option<Anchor> {
        self.shared.told.get()
    }

    /// The sandbox alone says what time it is.
    fn adopt(&self, _anchor: Anchor) {}

    /// This computer's own clock has nothing to do with a virtual one.
    fn behind_ms(&self) -> i64 {
        0
    }

    fn at_rest(&self) {
        self.shared.rested.set(self.shared.seen.get());
        self.shared.rest.notify_one();
    }
}

impl Drop for SandboxClock {
    /// Takes leave, so that the sandbox does not wait for a guard that is gone. Loopback, at most 0.2 s.
    fn drop(&mut self) {
        self.poller.abort();
        let brief = Duration::from_millis(100);
        if let Ok(mut stream) = TcpStream::connect_timeout(&self.address, brief) {
            let request = format!(
                "DELETE /_sandbox/clock/followers/{} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n",
                self.follower, self.address
            );
            // Nothing depends on it: a follower that does not come back is forgotten.
            let _ = stream
                .set_read_timeout(Some(brief))
                .and_then(|()| stream.write_all(request.as_bytes()))
                .and_then(|()| stream.read(&mut [0; 64]));
        }
    }
}

impl Shared {
    fn take(&self, said: &Said) {
        let mut view = lock(&self.view);
        let moved = view.version != Some(said.version);
        view.take(said.now_ms, said.rate, said.version);
        drop(view);
        if self.told.get().is_none() {
            self.told.set(Some(Anchor {
                time: Timestamp(said.now_ms),
                boot_ms: ThisComputer.boot_ms(),
                boot: VIRTUAL,
            }));
        }
        if moved {
            self.moved.notify_waiters();
        }
    }
}

/// Answer of `GET /_sandbox/clock`.
#[derive(Deserialize)]
struct Said {
    now_ms: i64,
    rate: f64,
    version: u64,
}

/// The first question: it makes us known as one to wait for, without declaring any rest. Otherwise a clock
/// that is moved right after the start would not wait for us.
fn met(follower: &str) -> String {
    format!("/_sandbox/clock?follow={follower}")
}

/// Polls for as long as the guard lives.
async fn follow(
    shared: Rc<Shared>,
    mut line: Option<Connection>,
    address: SocketAddr,
    follower: String,
) {
    loop {
        let known = lock(&shared.view).version;
        let (path, within) = match known {
            // Not met yet: ask without declaring anything.
            None => (met(&follower), AGAIN),
            Some(version) if shared.rested.get() == known => (
                format!(
                    "/_sandbox/clock?follow={follower}&version={version}&wait_ms={}",
                    HOLD.as_millis()
                ),
                HOLD + Duration::from_secs(5),
            ),
            Some(_) => {
                shared.rest.notified().await;
                continue;
            }
        };
        match ask(&mut line, address, &path, within).await {
            Some(said) => shared.take(&said),
            None => tokio::time::sleep(AGAIN).await,
        }
    }
}

/// Asks over `line`, opening it when there is none. After a failure there is none.
async fn ask(
    line: &mut Option<Connection>,
    address: SocketAddr,
    path: &str,
    within: Duration,
) -> Option<Said> {
    let mut open = match line.take() {
        Some(open) => open,
        None => Connection::open(address).await.ok()?,
    };
    let answer = open.ask(&Ask::get(path, within)).await.ok()?;
    let said = serde_json::from_slice(&answer.body).ok()?;
    *line = Some(open);
    Some(said)
}

/// A name that no other guard has, within the letters that the sandbox takes.
fn follower(path: &str, entropy: &dyn Entropy) -> String {
    let task = path.rsplit('/').next().unwrap_or_default();
    let task: String =
        task.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(40).collect();
    let seed = entropy.seed().unwrap_or_else(|_| {
        // Without randomness the process id must do; two guards of one process would then share a name.
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&std::process::id().to_be_bytes());
        seed
    });
    let random: String = seed[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{task}-{random}")
}

fn lock(view: &Mutex<View>) -> std::sync::MutexGuard<'_, View> {
    view.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
