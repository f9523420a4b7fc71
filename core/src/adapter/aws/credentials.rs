//! Credentials of the task or pod, and of nobody else.
//!
//! AWS meters whoever signs: the identity of a usage record *is* the credential. So metering takes the ECS
//! task role or an IAM role for service accounts, as AWS demands, and never static keys, profiles, node
//! roles or EKS Pod Identity. Source: MeterUsage model, note on credentials; [AC §1.1, §6.5]. Contracts take
//! those that the platform gives, and outside AWS the role that comes with a license token (`anywhere`).

pub(super) mod anywhere;
mod choice;
mod web_identity;

use super::{
    Inner, dates,
    link_local::{self, Instance},
    plain, token_file,
};
use crate::model::{
    outcome::{Failure, FailureClass},
    secret::Secret,
    time::Timestamp,
};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, error::CredentialsError, future::ProvideCredentials as Ready},
};
pub(super) use choice::unmetered;
use hyper::Method;
use serde::Deserialize;
use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

/// Refreshed this long before they expire.
const EARLY: Duration = Duration::from_secs(5 * 60);
/// New ones that could not be had are asked for again after this. Source: [faults §6].
const AGAIN: Duration = Duration::from_secs(10);
/// One attempt at a link-local server.
const WITHIN: Duration = Duration::from_secs(2);
/// Before an agent is asked again for what had ended.
const BETWEEN: Duration = Duration::from_millis(200);

/// Where credentials come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// What the sandbox gives its task; for contracts, its instance's role if that is nothing.
    Sandbox { address: SocketAddr, path: String, or_instance: bool },
    /// What the sandbox projects into its pod, exchanged at the sandbox's STS.
    SandboxPod { address: SocketAddr, path: String },
    /// What the sandbox mounts as license token, exchanged at its License Manager and STS.
    SandboxAnywhere { address: SocketAddr, path: String },
    /// The ECS task role.
    EcsTask { path: String },
    /// An IAM role for service accounts: a projected token, exchanged at STS.
    WebIdentity { token: PathBuf, role_arn: String },
    /// EKS Pod Identity, for contracts only.
    PodIdentity { address: SocketAddr, path: String, token: PathBuf },
    /// A license token and the role that it stands for, for contracts only.
    LicenseToken { token: PathBuf, role_arn: String },
    /// The role of the EC2 instance, for contracts only.
    Instance,
}

/// The newest credentials, shared with every SDK client.
///
/// A call first sees to it that they are fresh, where failing has a good text; the SDK then only reads.
#[derive(Clone, Debug, Default)]
pub(super) struct Cached(Arc<Mutex<Option<Given>>>);

/// Credentials, and how long before their end new ones are asked for.
#[derive(Clone, Debug)]
pub(super) struct Given {
    credentials: Credentials,
    early: Duration,
    /// When they were asked for last in vain, or came with their end behind them.
    stale_at: Option<Timestamp>,
}

impl From<Credentials> for Given {
    fn from(credentials: Credentials) -> Given {
        Given::new(credentials, EARLY)
    }
}

impl Given {
    fn new(credentials: Credentials, early: Duration) -> Given {
        Given { credentials, early, stale_at: None }
    }

    /// True while it is too early to ask for others again.
    fn waits(&self, now: Timestamp) -> bool {
        // A clock that was set back would let it wait for ever.
        self.stale_at.is_some_and(|at| at <= now && now < at.after(AGAIN))
    }

    /// The SDK panics over a key that a header cannot hold.
    fn sound(self) -> Result<Given, Missing> {
        let given = &self.credentials;
        let keys = [given.access_key_id(), given.secret_access_key()];
        let sound = |key: &str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
        if !keys.into_iter().chain(given.session_token()).all(sound) {
            let why = "the answer holds keys that AWS gives to nobody: empty, or with other characters than letters, digits \
                       and signs";
            return Err(Missing::from(why.to_owned()));
        }
        Ok(self)
    }

    /// True when they outlive `now` by `margin`.
    fn outlive(&self, now: Timestamp, margin: Duration) -> bool {
        let end = system_time(now.after(margin));
        self.credentials.expiry().is_none_or(|expiry| expiry > end)
    }
}

impl Cached {
    pub(super) fn put(&self, given: Option<Given>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = given;
    }

    fn get(&self) -> Option<Given> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// When they end, if they do.
    pub(super) fn end(&self) -> Option<Timestamp> {
        let expiry = self.get()?.credentials.expiry()?;
        let since = expiry.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        i64::try_from(since.as_millis()).ok().map(Timestamp)
    }

    /// New ones could not be had, and there is time: they are not asked for at every call until the end is near.
    pub(super) fn be_patient(&self, now: Timestamp) {
        if let Some(given) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            given.early = given.early.min(EARLY);
            given.stale_at = Some(now);
        }
    }

    /// True when there are some that still serve.
    pub(super) fn serve(&self, now: Timestamp) -> bool {
        self.get().is_some_and(|given| given.outlive(now, Duration::ZERO))
    }

    /// True when there is no need to ask for new ones.
    pub(super) fn fresh(&self, now: Timestamp) -> bool {
        self.get().is_some_and(|given| given.outlive(now, given.early) || given.waits(now))
    }
}

impl Cached {
    /// What nobody else may know of those that sign now.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let Some(Given { credentials, .. }) = self.get() else { return Vec::new() };
        let token = credentials.session_token();
        [Some(credentials.secret_access_key()), token]
            .into_iter()
            .flatten()
            .map(Secret::from)
            .collect()
    }
}

impl ProvideCredentials for Cached {
    fn provide_credentials<'a>(&'a self) -> Ready<'a>
    where
        Self: 'a,
    {
        let given = self.get().map(|given| given.credentials);
        Ready::ready(
            given.ok_or_else(|| CredentialsError::not_loaded("credentials were not prepared")),
        )
    }
}

/// Why there are none: what was asked, and what it said, without any secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) class: FailureClass,
    pub(super) text: String,
}

impl From<String> for Missing {
    fn from(text: String) -> Missing {
        Missing { class: FailureClass::NotSent, text }
    }
}

impl From<Failure> for Missing {
    fn from(Failure { class, text }: Failure) -> Missing {
        // What became of a token that we never saw is nobody's matter: the call that needed it was not sent.
        let class = if class == FailureClass::Unknown { FailureClass::NotSent } else { class };
        Missing { class, text }
    }
}

/// Asks `source`.
///
/// # Errors
/// What was asked and why it gave none.
pub(super) async fn ask(inner: &Inner, source: &Source) -> Result<Given, Missing> {
    let given = match source {
        Source::LicenseToken { token, role_arn } => {
            let refresh =
                anywhere::Refresh::File { path: token.clone(), role_arn: role_arn.clone() };
            anywhere::ask(inner, &refresh).await
        }
        Source::SandboxAnywhere { address, path } => {
            let refresh = anywhere::Refresh::Sandbox { address: *address, path: path.clone() };
            anywhere::ask(inner, &refresh).await
        }
        source => of_platform_anew(inner, source).await.map_err(Missing::from),
    };
    // On a machine of one's own they are what somebody has meant to be used.
    let there = &inner.there;
    let hint = match source {
        Source::Instance if there.static_keys || there.profile => {
            "; static keys or a profile are there, and mpguard never signs with them: give the task or pod a role"
        }
        _ => "",
    };
    given.and_then(Given::sound).map_err(|missing| Missing {
        text: format!("no credentials of {}: {}{hint}", source.describe(), missing.text),
        ..missing
    })
}

/// Asks a source that gives the role of a task, pod or instance, and once more when that role has ended already.
///
/// What has ended by our clock is used all the same when there is nothing newer: the clock may be wrong, and
/// AWS says so in its answer; and it lets an instance live on old credentials while its metadata has trouble.
async fn of_platform_anew(inner: &Inner, source: &Source) -> Result<Given, String> {
    let given = Given::from(of_platform(inner, source).await?);
    if given.outlive((inner.now)(), Duration::ZERO) {
        return Ok(given);
    }
    tokio::time::sleep(BETWEEN).await;
    let given = Given::from(of_platform(inner, source).await?);
    let now = (inner.now)();
    let stale_at = (!given.outlive(now, Duration::ZERO)).then_some(now);
    Ok(Given { stale_at, ..given })
}

/// Asks a source that gives the role of a task, pod or instance.
async fn of_platform(inner: &Inner, source: &Source) -> Result<Credentials, String> {
    match source {
        Source::Sandbox { address, path, or_instance } => {
            match of_container(*address, path, &[]).await {
                Err(why) if *or_instance => of_instance(&inner.instance).await.map_err(|_| why),
                answer => answer,
            }
        }
        Source::SandboxPod { address, path } => {
            let Projected { token, role_arn } = projected(*address, path).await?;
            web_identity::of_pod(inner, &token, &role_arn).await
        }
        Source::EcsTask { path } => of_container(inner.link_local.ecs, path, &[]).await,
        Source::PodIdentity { address, path, token } => {
            let token = token_file::read(token).await?;
            of_container(*address, path, &[("authorization", &token)]).await
        }
        Source::WebIdentity { token, role_arn } => {
            web_identity::of_pod(inner, &token_file::read(token).await?, role_arn).await
        }
        Source::Instance => of_instance(&inner.instance).await,
        Source::LicenseToken { .. } | Source::SandboxAnywhere { .. } => {
            Err("a license token is not the platform's".to_owned())
        }
    }
}

/// What a sandbox's kubelet projects into a pod.
#[derive(Deserialize)]
struct Projected {
    token: Secret,
    role_arn: String,
}

async fn projected(address: SocketAddr, path: &str) -> Result<Projected, String> {
    let ask = plain::Ask { method: Method::POST, ..plain::Ask::get(path, WITHIN) };
    let answer = plain::ask(address, &ask).await?;
    serde_json::from_slice(&answer.body)
        .map_err(|_| format!("no projected token (status {})", answer.status.as_u16()))
}

/// The JSON form that ECS, EKS Pod Identity and EC2 share.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    expiration: Option<String>,
}

impl Answer {
    fn read(body: &[u8]) -> Result<Credentials, String> {
        let answer: Answer = serde_json::from_slice(body)
            .map_err(|_| "the answer holds no AccessKeyId and SecretAccessKey".to_owned())?;
        let Answer { access_key_id, secret_access_key, token, expiration } = answer;
        // From here on they are wiped when they are dropped, also where the answer is refused.
        let mut credentials =
            Credentials::new(access_key_id, secret_access_key, token, None, "mpguard");
        if let Some(text) = expiration {
            // What stands there instead may be any part of the answer.
            let end = dates::read(&text).ok_or("the answer holds an Expiration that is no date")?;
            *credentials.expiry_mut() = Some(system_time(end));
        }
        Ok(credentials)
    }
}

async fn of_container(
    address: SocketAddr,
    path: &str,
    headers: &[(&'static str, &str)],
) -> Result<Credentials, String> {
    let ask = plain::Ask { headers, ..plain::Ask::get(path, WITHIN) };
    let answer = link_local::ask(address, &ask).await?;
    if answer.status.as_u16() != 200 {
        return Err(format!(
            "status {} of {address}; does the task or pod have a role?",
            answer.status.as_u16()
        ));
    }
    Answer::read(&answer.body)
}

/// Name of the instance's role. Source: IAM API reference, characters of a role's name.
pub(super) async fn role_of_instance(metadata: &Instance) -> Result<String, String> {
    let role = metadata.get("/latest/meta-data/iam/security-credentials/").await?;
    let role = role.lines().next().unwrap_or_default().trim();
    if role.is_empty()
        || role.len() > 64
        || !role.bytes().all(|b| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b))
    {
        return Err(
            "the instance has no role; give it one, or give the task or pod a role".to_owned()
        );
    }
    Ok(role.to_owned())
}

async fn of_instance(metadata: &Instance) -> Result<Credentials, String> {
    let role = role_of_instance(metadata).await?;
    let path = format!("/latest/meta-data/iam/security-credentials/{role}");
    let body = Secret::from(metadata.get(&path).await?);
    Answer::read(body.as_bytes())
}

fn system_time(time: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(time.0).unwrap_or(0))
}

#[cfg(test)]
mod agent_tests;
#[cfg(test)]
mod tests;
