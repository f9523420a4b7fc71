//! Tokens that stand for somebody: projected tokens of pods, refresh and access tokens of licenses.
//!
//! They look like JWTs, because clients read claims off them; their signatures are random, because the
//! sandbox knows its tokens by heart.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use uuid::Uuid;

use super::credentials::random_text;
use crate::wire::time::HOUR_MS;

/// Whom a web identity token stands for.
#[derive(Clone, Debug)]
pub(crate) enum Bearer {
    /// A pod, by the name of its task.
    Pod(String),
    /// Whoever holds an access token of a license.
    License(Holder),
}

/// Who has a refresh token of a license.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    pub(crate) license_id: String,
    /// The task that it is mounted in, if it was issued for one.
    pub(crate) task: Option<String>,
}

struct Issued<T> {
    bearer: T,
    expires_ms: i64,
}

/// Calls of `GetAccessToken` that are allowed per license and hour. Source: License Manager quotas.
const ACCESS_TOKENS_PER_HOUR: usize = 10;

#[derive(Default)]
pub(crate) struct Tokens {
    web_identity: HashMap<String, Issued<Bearer>>,
    refresh: HashMap<String, Issued<Holder>>,
    access_calls_ms: HashMap<String, Vec<i64>>,
    sessions: HashMap<String, i64>,
}

/// Why a token is not accepted.
pub(crate) enum Rejected {
    Unknown,
    Expired,
}

impl Tokens {
    pub(crate) fn issue_web_identity(
        &mut self,
        bearer: Bearer,
        claims: &Value,
        expires_ms: i64,
    ) -> String {
        let token = jwt(claims);
        self.web_identity.insert(token.clone(), Issued { bearer, expires_ms });
        token
    }

    pub(crate) fn issue_refresh(
        &mut self,
        bearer: Holder,
        claims: &Value,
        expires_ms: i64,
    ) -> String {
        let token = jwt(claims);
        self.refresh.insert(token.clone(), Issued { bearer, expires_ms });
        token
    }

    /// A session token of instance metadata.
    pub(crate) fn issue_session(&mut self, expires_ms: i64) -> String {
        let token = random_text(40);
        self.sessions.insert(token.clone(), expires_ms);
        token
    }

    pub(crate) fn is_session(&self, token: &str, now_ms: i64) -> bool {
        self.sessions.get(token).is_some_and(|expires_ms| *expires_ms > now_ms)
    }

    pub(crate) fn web_identity(&self, token: &str, now_ms: i64) -> Result<&Bearer, Rejected> {
        find(&self.web_identity, token, now_ms)
    }

    pub(crate) fn refresh(&self, token: &str, now_ms: i64) -> Result<&Holder, Rejected> {
        find(&self.refresh, token, now_ms)
    }

    /// Counts a call of `GetAccessToken`; false when there were enough in the last hour.
    pub(crate) fn admits_access_call(&mut self, license_id: &str, now_ms: i64) -> bool {
        let calls_ms = self.access_calls_ms.entry(license_id.to_owned()).or_default();
        calls_ms.retain(|call_ms| now_ms - call_ms < HOUR_MS);
        let admitted = calls_ms.len() < ACCESS_TOKENS_PER_HOUR;
        if admitted {
            calls_ms.push(now_ms);
        }
        admitted
    }
}

fn find<'a, T>(
    issued: &'a HashMap<String, Issued<T>>,
    token: &str,
    now_ms: i64,
) -> Result<&'a T, Rejected> {
    match issued.get(token) {
        None => Err(Rejected::Unknown),
        Some(issued) if issued.expires_ms <= now_ms => Err(Rejected::Expired),
        Some(issued) => Ok(&issued.bearer),
    }
}

fn jwt(claims: &Value) -> String {
    let mut claims = claims.clone();
    claims["jti"] = Uuid::new_v4().to_string().into();
    let encode = |text: String| URL_SAFE_NO_PAD.encode(text);
    let header = encode(r#"{"alg":"RS256","kid":"sandbox","typ":"JWT"}"#.to_owned());
    format!("{header}.{}.{}", encode(claims.to_string()), encode(random_text(128)))
}
