//! Credentials, and what AWS knows about whoever signs with them.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::RngCore as _;
use rand::rngs::OsRng;
use uuid::Uuid;

/// How somebody came to credentials. Metering accepts two of these, License Manager all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// The role of an ECS task.
    TaskRole,
    /// IAM roles for service accounts: a projected token, exchanged at STS.
    WebIdentity,
    /// EKS Pod Identity.
    PodIdentity,
    /// The role of the machine.
    NodeRole,
    /// An access token of License Manager, exchanged at STS.
    LicenseToken,
    /// Keys of a user.
    LongTerm,
}

/// One set of keys.
#[derive(Clone, Debug)]
pub(crate) struct Credential {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) session_token: Option<String>,
    pub(crate) expires_ms: i64,
    pub(crate) source: Source,
    /// The task that AWS takes the caller for.
    pub(crate) task: String,
    /// ARN of the session, of credentials from STS.
    pub(crate) session_arn: Option<String>,
}

/// Ask again when less than this is left: AWS rotates before the old keys end.
const ROTATE_BEFORE_MS: i64 = 15 * 60_000;

#[derive(Default)]
pub(crate) struct Credentials {
    by_key: HashMap<String, Credential>,
    current: HashMap<(String, Source), String>,
}

impl Credentials {
    pub(crate) fn by_access_key(&self, access_key_id: &str) -> Option<&Credential> {
        self.by_key.get(access_key_id)
    }

    /// Says of which session these keys are.
    pub(crate) fn name_session(&mut self, access_key_id: &str, arn: &str) {
        if let Some(credential) = self.by_key.get_mut(access_key_id) {
            credential.session_arn = Some(arn.to_owned());
        }
    }

    /// The keys that this task holds now; new ones when none are left that last.
    pub(crate) fn current(
        &mut self,
        task: &str,
        source: Source,
        now_ms: i64,
        ttl_ms: i64,
    ) -> Credential {
        let slot = (task.to_owned(), source);
        let held = self.current.get(&slot).and_then(|key| self.by_key.get(key));
        if let Some(credential) =
            held.filter(|held| held.expires_ms - now_ms > ROTATE_BEFORE_MS.min(ttl_ms / 2))
        {
            return credential.clone();
        }
        let credential = self.issue(task, source, now_ms, ttl_ms);
        self.current.insert(slot, credential.access_key_id.clone());
        credential
    }

    /// Makes new keys.
    pub(crate) fn issue(
        &mut self,
        task: &str,
        source: Source,
        now_ms: i64,
        ttl_ms: i64,
    ) -> Credential {
        let long_term = source == Source::LongTerm;
        let id = Uuid::new_v4().simple().to_string().to_uppercase();
        let credential = Credential {
            access_key_id: format!("{}{}", if long_term { "AKIA" } else { "ASIA" }, &id[..16]),
            secret_access_key: random_text(30),
            session_token: (!long_term).then(|| random_text(96)),
            expires_ms: if long_term { i64::MAX } else { now_ms + ttl_ms },
            source,
            task: task.to_owned(),
            session_arn: None,
        };
        self.by_key.insert(credential.access_key_id.clone(), credential.clone());
        credential
    }
}

pub(crate) fn random_text(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    OsRng.fill_bytes(&mut random);
    STANDARD.encode(random)
}
