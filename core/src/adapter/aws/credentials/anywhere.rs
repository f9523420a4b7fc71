//! Containers Anywhere: the role that a license gives to a container outside AWS. [AC §5]
//!
//! refresh token (a file) -> `GetAccessToken` at License Manager -> access token, for an hour ->
//! `AssumeRoleWithWebIdentity` at STS -> credentials, for an hour.
//!
//! `GetAccessToken` may be called ten times an hour for a license, by all of its replicas together. So an access
//! token is used twice: at once, and late in its life, when the credentials it gave have [`TOP_UP`] left. One
//! call then lasts about 100 minutes. After a failure there is a pause, whose length depends on what it was;
//! each is spread, because replicas start and fail together. What is cached serves as long as it lasts.

use super::{
    super::{
        claims,
        exceptions::{self, Asked, Trusted},
        licensing::next_region,
        plain,
        region::Region,
        token_file,
    },
    Given, Inner, Missing, WITHIN,
    web_identity::{self, Refused},
};
use crate::model::{outcome::FailureClass, secret::Secret, time::Timestamp};
use aws_credential_types::Credentials;
use serde::Deserialize;
use std::{
    cell::RefCell,
    hash::{DefaultHasher, Hash, Hasher},
    net::SocketAddr,
    path::PathBuf,
    time::Duration,
};

/// Life of an access token. Source: description of `GetAccessToken` in the service model.
const LIFE: Duration = Duration::from_secs(3600);
/// An access token with less than this is not handed in any more.
const MARGIN: Duration = Duration::from_secs(60);
/// Credentials of a new access token are renewed this long before they end, while the token still serves. More
/// than the quarter of an hour after which a contract is checked again, so that some call comes in time.
const TOP_UP: Duration = Duration::from_secs(20 * 60);
/// The others are renewed this long before they end, and up to as much again earlier.
const EARLY: Duration = Duration::from_secs(5 * 60);
/// Longest token that License Manager takes. Source: service model.
const TOKEN_MAX: usize = 4096;

/// Where the refresh token is.
pub(in crate::adapter::aws) enum Refresh {
    /// A file that the buyer has mounted.
    File { path: PathBuf, role_arn: String },
    /// A sandbox mounts it for the task that it plays.
    Sandbox { address: SocketAddr, path: String },
}

/// What is known between two calls.
#[derive(Default)]
pub(in crate::adapter::aws) struct Access(RefCell<Known>);

#[derive(Default)]
struct Known {
    token: Option<AccessToken>,
    pause: Option<Pause>,
    /// Failures in a row.
    failures: u32,
    /// The Region that has answered instead of the one that is asked by default.
    home: Option<Region>,
}

#[derive(Clone)]
struct AccessToken {
    text: Secret,
    expires: Timestamp,
    /// It gave credentials before.
    served: bool,
}

/// Until when `GetAccessToken` is not called, and why.
#[derive(Clone)]
struct Pause {
    from: Timestamp,
    long: Duration,
    why: Missing,
    /// Of which refresh token. One that was refused says nothing about the next.
    refresh: u64,
}

/// Asks for credentials by way of a license token.
///
/// # Errors
/// What was asked, why it gave none, and what the buyer should do.
pub(super) async fn ask(inner: &Inner, refresh: &Refresh) -> Result<Given, Missing> {
    let Mounted { token: refresh_token, role_arn, place } = read(refresh).await?;
    let session = session(inner);
    if let Some(AccessToken { text, served, .. }) = inner.access.held((inner.now)()) {
        match web_identity::assume(inner, &text, &role_arn, &session).await {
            Ok(credentials) => return Ok(inner.access.serves(credentials, share(inner, EARLY))),
            // It served once, and no longer does: another one may. One that never did is refused for another
            // reason, such as a role that trusts somebody else, and each new one would be one of the ten.
            Err(Refused::Said(reading)) if served && exceptions::is_token_refused(&reading) => {
                inner.access.drop_token();
            }
            Err(refused) => return Err(missing(&role_arn, refused)),
        }
    }
    let token = access_token(inner, &refresh_token?, &place).await?;
    match web_identity::assume(inner, &token, &role_arn, &session).await {
        Ok(credentials) => Ok(inner.access.serves(credentials, share(inner, EARLY))),
        Err(refused) => Err(missing(&role_arn, refused)),
    }
}

fn missing(role_arn: &str, refused: Refused) -> Missing {
    match refused {
        Refused::Why(why) => Missing::from(why),
        Refused::Said(reading) => Missing {
            class: exceptions::class_of_web_identity(&reading),
            text: exceptions::web_identity(role_arn, &reading, Trusted::LicenseManager),
        },
    }
}

/// A new access token, unless it is too early to ask for one.
async fn access_token(inner: &Inner, refresh: &str, place: &str) -> Result<Secret, Missing> {
    let now = (inner.now)();
    let mark = mark(refresh);
    if let Some(why) = inner.access.paused(now, mark) {
        return Err(why);
    }
    let found = inner.found().await?;
    let known = inner.access.0.borrow().home.clone();
    let region = known.unwrap_or_else(|| token_region(&found.region));
    let about = format!("the license token of {place}");
    let mut asked = Asked { operation: "GetAccessToken", about, region };
    let mut answer = get_access_token(inner, &asked.region, refresh).await?;
    if let Err(reading) = &answer
        && let Some(home) = next_region(reading, &asked.region)
    {
        answer = get_access_token(inner, &home, refresh).await?;
        if answer.is_ok() {
            inner.access.0.borrow_mut().home = Some(home.clone());
        }
        asked.region = home;
    }
    let failure = match answer {
        Ok(Some(token)) => {
            inner.access.keep(&token, now);
            return Ok(token);
        }
        Ok(None) => asked.incomplete("access token"),
        Err(reading) => {
            let end = claims::of(refresh).and_then(|claims| claims::time(&claims, "exp"));
            exceptions::access_token(&asked, &reading, end.filter(|end| *end <= now))
        }
    };
    let class = failure.class;
    let long = pause_after(class, inner.access.0.borrow().failures);
    let long = long * 3 / 4 + share(inner, long / 2);
    let why = Missing::from(failure);
    inner.access.pause(Pause { from: now, long, why: why.clone(), refresh: mark });
    Err(why)
}

/// The token of a 200, if it has one.
async fn get_access_token(
    inner: &Inner,
    region: &Region,
    refresh: &str,
) -> Result<Result<Option<Secret>, exceptions::Reading>, Missing> {
    let client = inner.clients()?.anonymous(region)?;
    Ok(match client.get_access_token().token(refresh).send().await {
        Ok(answer) => Ok(answer.access_token().filter(|t| !t.is_empty()).map(Secret::from)),
        Err(error) => Err(exceptions::read(&error)),
    })
}

/// Tokens are at home where the license is, and Marketplace's licenses are in us-east-1. [AC §4.9, Q27]
fn token_region(region: &Region) -> Region {
    let home = Region::of_contracts();
    if home.is_beside(region) { home } else { region.clone() }
}

/// How long not to ask again, before it is spread.
///
/// A call that License Manager has seen may count against the ten; one that never arrived does not.
fn pause_after(class: FailureClass, failures: u32) -> Duration {
    let (first, most) = match class {
        FailureClass::NotSent => (1, 30),
        FailureClass::Throttled => (60, 15 * 60),
        FailureClass::Unknown => (10, 10 * 60),
        FailureClass::AccessDenied => (10 * 60, 10 * 60),
    };
    Duration::from_secs((first << failures.min(10)).min(most))
}

/// A random part of `whole`; half of it where there is no randomness.
fn share(inner: &Inner, whole: Duration) -> Duration {
    let byte = inner.entropy.seed().map_or(128, |seed| seed[0]);
    whole * u32::from(byte) / 256
}

fn mark(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

impl Access {
    /// An access token that still serves.
    fn held(&self, now: Timestamp) -> Option<AccessToken> {
        let known = self.0.borrow();
        let token = known.token.as_ref().filter(|token| token.expires > now.after(MARGIN))?;
        // A clock that was set back would let it live for ever.
        (token.expires <= now.after(LIFE)).then(|| token.clone())
    }

    /// The access token gave these credentials. After its first use they end early, for its second.
    fn serves(&self, credentials: Credentials, spread: Duration) -> Given {
        let mut known = self.0.borrow_mut();
        let again =
            known.token.as_mut().is_some_and(|token| std::mem::replace(&mut token.served, true));
        Given::new(credentials, if again { EARLY + spread } else { TOP_UP })
    }

    fn drop_token(&self) {
        self.0.borrow_mut().token = None;
    }

    /// `asked` is the moment before the call, so that what it took is not counted twice.
    fn keep(&self, text: &str, asked: Timestamp) {
        let claims = claims::of(text).unwrap_or_default();
        let life = match (claims::time(&claims, "iat"), claims::time(&claims, "exp")) {
            (Some(Timestamp(iat)), Some(Timestamp(exp))) => {
                Duration::from_millis(u64::try_from(exp - iat).unwrap_or(0)).min(LIFE)
            }
            _ => LIFE,
        };
        let token = AccessToken { text: text.into(), expires: asked.after(life), served: false };
        let mut known = self.0.borrow_mut();
        (known.token, known.pause, known.failures) = (Some(token), None, 0);
    }

    fn pause(&self, pause: Pause) {
        let mut known = self.0.borrow_mut();
        known.pause = Some(pause);
        known.failures = known.failures.saturating_add(1);
    }

    /// Why `GetAccessToken` is not to be called now, if it is not.
    fn paused(&self, now: Timestamp, refresh: u64) -> Option<Missing> {
        let known = self.0.borrow();
        let pause = known.pause.as_ref()?;
        let end = pause.from.after(pause.long);
        // Also over when the clock was set back before it began.
        let over = now >= end || now < pause.from;
        let other = pause.why.class == FailureClass::AccessDenied && pause.refresh != refresh;
        (!over && !other).then(|| Missing {
            text: format!("{}; it will be asked again at {end}", pause.why.text),
            ..pause.why.clone()
        })
    }
}

/// What is mounted.
struct Mounted {
    /// Needed only when there is no access token: a file that is gone stops nothing before that.
    token: Result<Secret, Missing>,
    role_arn: String,
    /// For texts.
    place: String,
}

async fn read(refresh: &Refresh) -> Result<Mounted, Missing> {
    match refresh {
        Refresh::File { path, role_arn } => {
            let place = format!("file `{}`", path.display());
            let token = token_file::read(path).await.and_then(|token| checked(token, &place));
            let token = token.map_err(|why| {
                Missing::from(format!(
                    "{why}; mount key `license_token` of the license's secret there"
                ))
            });
            Ok(Mounted { token, role_arn: role_arn.clone(), place })
        }
        Refresh::Sandbox { address, path } => {
            let body = plain::get(*address, path, WITHIN).await?;
            let mounted: Sandboxed = serde_json::from_slice(&body)
                .map_err(|_| format!("no license token of the sandbox at `{path}`"))?;
            let place = format!("sandbox path `{path}`");
            let token = checked(mounted.token.trim().into(), &place).map_err(Missing::from);
            Ok(Mounted { token, role_arn: mounted.role_arn, place })
        }
    }
}

/// What a sandbox mounts.
#[derive(Deserialize)]
struct Sandboxed {
    token: Secret,
    role_arn: String,
}

/// Source: License Manager service model: `\S+`, at most 4096.
fn checked(token: Secret, place: &str) -> Result<Secret, String> {
    if token.is_empty() {
        Err(format!("the license token of {place} is empty"))
    } else if token.len() > TOKEN_MAX || token.chars().any(char::is_whitespace) {
        Err(format!(
            "what {place} holds is no license token: it must be one word of at most {TOKEN_MAX} letters"
        ))
    } else {
        Ok(token)
    }
}

/// `AWS_ROLE_SESSION_NAME` if STS would take it. Source: STS service model.
fn session(inner: &Inner) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    let given = inner.there.role_session_name.as_deref().map(str::trim);
    given
        .filter(|name| (2..=64).contains(&name.len()) && name.chars().all(allowed))
        .map_or_else(|| web_identity::our_session(inner), str::to_owned)
}

#[cfg(test)]
mod tests;
