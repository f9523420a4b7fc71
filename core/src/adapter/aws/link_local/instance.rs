//! EC2 instance metadata: two seconds in all, whoever asks and however often.
//!
//! Where there is none, nothing answers: packets are dropped, or the answer dies one hop too early. So its
//! silence is paid for once and remembered.

use super::{
    super::plain::{self, Answer, Ask},
    LinkLocal, TRIES, is_passing,
};
use crate::model::secret::Secret;
use hyper::Method;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout},
};

/// For everything that a start asks, with some room for a busy machine: the promise is 2 s.
const IN_ALL: Duration = Duration::from_millis(1600);
/// For one try, connecting included.
const TRY: Duration = Duration::from_millis(800);
const BETWEEN: Duration = Duration::from_millis(50);
/// How long its silence is remembered; after a rest as long, it may cost the whole time again.
const REST: Duration = Duration::from_secs(60);
/// Life of a session, and for how long we use it.
const LIFE_SECONDS: &str = "300";
const LIFE: Duration = Duration::from_secs(240);

/// A client of instance metadata, version 2 only. All that ask share it.
pub(in crate::adapter::aws) struct Instance {
    address: SocketAddr,
    /// What its paths begin with.
    prefix: String,
    /// Held while it is asked, so that two who ask at once do not pay twice.
    known: Mutex<Known>,
}

struct Known {
    session: Option<Session>,
    /// What is left of `IN_ALL`.
    left: Duration,
    /// When it was asked last.
    last: Option<Instant>,
    /// Why it is not asked again for a while.
    silent: Option<String>,
}

struct Session {
    token: Secret,
    since: Instant,
}

/// Why there is no text.
enum Without {
    /// It answered, and has none.
    Says(String),
    /// Nothing came, or nothing of use.
    Silent(String),
}

impl Instance {
    pub(in crate::adapter::aws) fn at(link_local: &LinkLocal) -> Instance {
        let known = Known { session: None, left: IN_ALL, last: None, silent: None };
        Instance {
            address: link_local.instance,
            prefix: link_local.instance_prefix.clone(),
            known: Mutex::new(known),
        }
    }

    /// The text at `path`.
    ///
    /// # Errors
    /// Why there is none; a container behind a bridge is often one hop too far away.
    pub(in crate::adapter::aws) async fn get(&self, path: &str) -> Result<String, String> {
        let mut known = self.known.lock().await;
        let began = Instant::now();
        if known.last.is_none_or(|last| last + REST <= began) {
            (known.left, known.silent) = (IN_ALL, None);
        }
        if let Some(why) = &known.silent {
            return Err(why.clone());
        }
        known.last = Some(began);
        let left = known.left;
        let answer = timeout(left, self.text(&mut known.session, path)).await;
        let answer =
            answer.unwrap_or_else(|_| Err(Without::Silent("no answer in time".to_owned())));
        known.left = left.saturating_sub(began.elapsed());
        answer.map_err(|without| match without {
            Without::Says(why) => why,
            Without::Silent(why) => {
                // Source: EC2 user guide, hop limit: 1 by default, and 2 for containers.
                let why = format!(
                    "instance metadata gave none ({why}); the instance's hop limit may be 1, and a container needs 2"
                );
                known.silent = Some(why.clone());
                why
            }
        })
    }

    async fn text(&self, session: &mut Option<Session>, path: &str) -> Result<String, Without> {
        let mut renewed = false;
        loop {
            let token = match session.as_ref().filter(|s| s.since.elapsed() < LIFE) {
                Some(session) => session.token.clone(),
                None => {
                    renewed = true;
                    let token = self.token().await?;
                    session.insert(Session { token, since: Instant::now() }).token.clone()
                }
            };
            let headers = [("x-aws-ec2-metadata-token", &*token)];
            let path = format!("{}{path}", self.prefix);
            let answer = self.ask(&Ask { headers: &headers, ..Ask::get(&path, IN_ALL) }).await?;
            return match (answer.status.as_u16(), String::from_utf8(answer.body.to_vec())) {
                (200, Ok(text)) => Ok(text),
                (401, _) if !renewed => {
                    *session = None;
                    continue;
                }
                (status, _) => Err(Without::Says(format!(
                    "instance metadata has no `{path}` (status {status})"
                ))),
            };
        }
    }

    async fn token(&self) -> Result<Secret, Without> {
        let ask = Ask {
            method: Method::PUT,
            path: &format!("{}/latest/api/token", self.prefix),
            headers: &[("x-aws-ec2-metadata-token-ttl-seconds", LIFE_SECONDS)],
            within: IN_ALL,
        };
        let answer = self.ask(&ask).await?;
        let token = Secret::from(String::from_utf8(answer.body.to_vec()).unwrap_or_default());
        let is_token = !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
        if answer.status.as_u16() == 200 && is_token {
            return Ok(token);
        }
        let status = answer.status.as_u16();
        Err(Without::Says(format!("instance metadata gave no token (status {status})")))
    }

    /// An answer that is one. Source: [faults §6]: three tries.
    async fn ask(&self, ask: &Ask<'_>) -> Result<Answer, Without> {
        let mut tries = 1;
        loop {
            let why = match timeout(TRY, plain::ask(self.address, ask)).await {
                Ok(Ok(answer)) if !is_passing(answer.status.as_u16()) => return Ok(answer),
                Ok(Ok(answer)) => format!("status {}", answer.status.as_u16()),
                // Nobody is there, and a second look changes nothing.
                Ok(Err(why)) => return Err(Without::Silent(why)),
                Err(_) => format!("no answer within {} ms", TRY.as_millis()),
            };
            if tries == TRIES {
                return Err(Without::Silent(why));
            }
            sleep(BETWEEN * tries).await;
            tries += 1;
        }
    }
}

#[cfg(test)]
mod tests;
