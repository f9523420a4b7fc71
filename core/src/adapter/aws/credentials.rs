//! Credentials of the task or pod, and of nobody else.
//!
//! AWS meters whoever signs: the identity of a usage record *is* the credential. So metering takes the ECS
//! task role or an IAM role for service accounts, as AWS demands, and never static keys, profiles, node
//! roles or EKS Pod Identity. Source: MeterUsage model, note on credentials; [AC §1.1, §6.5]. Contracts take
//! those that the platform gives, and outside AWS the role that comes with a license token (`anywhere`).

pub(super) mod anywhere;
mod web_identity;

use super::{Inner, dates, identity::Found, link_local::LinkLocal, plain};
use crate::{
    adapter::surroundings::Surroundings,
    model::{
        ids::Platform,
        outcome::{Failure, FailureClass},
        time::Timestamp,
    },
};
use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, error::CredentialsError, future::ProvideCredentials as Ready},
};
use hyper::Method;
use serde::Deserialize;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

/// Refreshed this long before they expire.
const EARLY: Duration = Duration::from_secs(5 * 60);
/// One attempt at a link-local server.
const WITHIN: Duration = Duration::from_secs(2);

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
    PodIdentity { path: String, token: PathBuf },
    /// A license token and the role that it stands for, for contracts only.
    LicenseToken { token: PathBuf, role_arn: String },
    /// The role of the EC2 instance, for contracts only.
    Instance,
}

impl Source {
    /// Decides by what the platform has set; the first that fits.
    ///
    /// # Errors
    /// What was looked for, what was found instead, and what to do.
    pub(super) fn find(
        there: &Surroundings,
        sandbox: Option<(SocketAddr, String, Found)>,
        metering: bool,
        link_local: &LinkLocal,
    ) -> Result<Source, String> {
        if let Some((address, task, found)) = sandbox {
            let name = task.rsplit('/').next().unwrap_or_default();
            if found.anywhere {
                let path = format!("/_sandbox/tasks/{name}/license_token");
                let anywhere = Source::SandboxAnywhere { address, path };
                return if metering { Err(LICENSE_METERS.to_owned()) } else { Ok(anywhere) };
            }
            if found.platform == Platform::Eks {
                let path = format!("/_sandbox/tasks/{name}/web_identity_token");
                return Ok(Source::SandboxPod { address, path });
            }
            let path = format!("{task}/credentials");
            return Ok(Source::Sandbox { address, path, or_instance: !metering });
        }
        if let Some(path) = &there.ecs_credentials {
            // The address is ours; only a path may come from the variable.
            return if path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic()) {
                Ok(Source::EcsTask { path: path.clone() })
            } else {
                Err("cannot use AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: it is not a path; unset it, ECS sets it itself"
                    .to_owned())
            };
        }
        if let (Some(token), Some(role_arn)) = (&there.web_identity_token, &there.role_arn) {
            return Ok(Source::WebIdentity { token: token.clone(), role_arn: role_arn.clone() });
        }
        if metering {
            return Err(refusal(there));
        }
        if let (Some(url), Some(token)) = (&there.pod_identity, &there.pod_identity_token) {
            let path = link_local.pod_identity_path(url).ok_or_else(|| {
                "cannot use AWS_CONTAINER_CREDENTIALS_FULL_URI: it is not the address of EKS Pod Identity; unset it, EKS \
                 sets it itself"
                    .to_owned()
            })?;
            return Ok(Source::PodIdentity { path, token: token.clone() });
        }
        // Last of what somebody has given, as in AWS's samples: where AWS gives a role, that one counts. But before
        // the role of a machine, which on a cluster of one's own is for other things. [AC §5.1, §5.2]
        if let Some(token) = &there.license_token {
            let role_arn = there.role_arn.clone().ok_or_else(|| {
                format!(
                    "cannot use license token `{}`: there is no AWS_ROLE_ARN; set it to the role that goes with the token, key \
                     `iam_role` of the secret",
                    token.display()
                )
            })?;
            return Ok(Source::LicenseToken { token: token.clone(), role_arn });
        }
        if there.instance_metadata_disabled {
            return Err("no credentials: looked for an ECS task role, an IAM role for service accounts, EKS Pod Identity and a \
                        license token, and instance metadata is disabled by AWS_EC2_METADATA_DISABLED; give the task or pod a \
                        role, or outside AWS a license token (AWS_WEB_IDENTITY_REFRESH_TOKEN_FILE with AWS_ROLE_ARN)"
                .to_owned());
        }
        Ok(Source::Instance)
    }

    fn describe(&self) -> &'static str {
        match self {
            Source::Sandbox { .. } | Source::SandboxPod { .. } | Source::SandboxAnywhere { .. } => {
                "the sandbox"
            }
            Source::EcsTask { .. } => "the ECS task role",
            Source::WebIdentity { .. } => "the IAM role for service accounts",
            Source::PodIdentity { .. } => "EKS Pod Identity",
            Source::LicenseToken { .. } => "the license token",
            Source::Instance => "the role of the EC2 instance",
        }
    }
}

/// Source: Seller Guide, container product requirements: outside AWS there is contract pricing only. [AC §5]
const LICENSE_METERS: &str = "no credentials for metering: found a license token, and AWS meters no container outside AWS; \
                              run as an ECS task with a task role or as an EKS pod with an IAM role for its service \
                              account, or buy the product with contract pricing";

/// Why metering has no credentials here.
fn refusal(there: &Surroundings) -> String {
    let looked = "no credentials for metering: looked for an ECS task role (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI) and an \
                  IAM role for service accounts (AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN)";
    let next = if there.license_token.is_some() {
        return LICENSE_METERS.to_owned();
    } else if there.pod_identity.is_some() {
        "found EKS Pod Identity, which AWS does not accept for metering; give the pod's service account an IAM role \
         (IRSA) instead"
    } else if there.static_keys || there.profile {
        "found static keys or a profile, which AWS does not accept for metering; give the task a role, or the pod's \
         service account an IAM role (IRSA)"
    } else if there.kubernetes {
        "a node's role is not accepted; annotate the pod's service account with an IAM role (IRSA)"
    } else {
        // Its execution role comes from a metadata service like EC2's, which is never asked for metering; no
        // variable tells it from other places. It counts by other rules: records of one hour add up, so what is
        // sent once a task and hour elsewhere would bill twice there. Source: MeterUsage model; [AC §1.7].
        "run as an ECS task with a task role or as an EKS pod with an IAM role for its service account; the execution \
         role of Amazon Bedrock AgentCore Runtime is not used, because its metering has other rules: give AgentCore an \
         image of its own, without mpguard"
    };
    format!("{looked}; {next}")
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
}

impl From<Credentials> for Given {
    fn from(credentials: Credentials) -> Given {
        Given { credentials, early: EARLY }
    }
}

impl Given {
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

    /// New ones could not be had, and there is time: they are not asked for at every call until the end is near.
    pub(super) fn be_patient(&self) {
        if let Some(given) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            given.early = given.early.min(EARLY);
        }
    }

    /// True when there are some that still serve.
    pub(super) fn serve(&self, now: Timestamp) -> bool {
        self.get().is_some_and(|given| given.outlive(now, Duration::ZERO))
    }

    /// True when there is no need to ask for new ones.
    pub(super) fn fresh(&self, now: Timestamp) -> bool {
        self.get().is_some_and(|given| given.outlive(now, given.early))
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
        source => of_platform(inner, source).await.map(Given::from).map_err(Missing::from),
    };
    given.map_err(|missing| Missing {
        text: format!("no credentials of {}: {}", source.describe(), missing.text),
        ..missing
    })
}

/// Asks a source that gives the role of a task, pod or instance.
async fn of_platform(inner: &Inner, source: &Source) -> Result<Credentials, String> {
    let link_local = &inner.link_local;
    match source {
        Source::Sandbox { address, path, or_instance } => {
            match of_container(*address, path, &[]).await {
                Err(why) if *or_instance => of_instance(link_local).await.map_err(|_| why),
                answer => answer,
            }
        }
        Source::SandboxPod { address, path } => {
            let Projected { token, role_arn } = projected(*address, path).await?;
            web_identity::of_pod(inner, &token, &role_arn).await
        }
        Source::EcsTask { path } => of_container(link_local.ecs, path, &[]).await,
        Source::PodIdentity { path, token } => {
            let token = read_token(token)?;
            of_container(link_local.pod_identity, path, &[("authorization", &token)]).await
        }
        Source::WebIdentity { token, role_arn } => {
            web_identity::of_pod(inner, &read_token(token)?, role_arn).await
        }
        Source::Instance => of_instance(link_local).await,
        Source::LicenseToken { .. } | Source::SandboxAnywhere { .. } => {
            Err("a license token is not the platform's".to_owned())
        }
    }
}

/// A projected token, read anew each time: the kubelet rotates it.
pub(super) fn read_token(path: &Path) -> Result<String, String> {
    let token = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read the token file `{}`: {error}", path.display()))?;
    let token = token.trim();
    if token.is_empty() {
        return Err(format!("the token file `{}` is empty", path.display()));
    }
    Ok(token.to_owned())
}

/// What a sandbox's kubelet projects into a pod.
#[derive(Deserialize)]
struct Projected {
    token: String,
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
        let expiry = match answer.expiration.as_deref() {
            None => None,
            Some(text) => Some(system_time(
                dates::read(text).ok_or_else(|| format!("its Expiration `{text}` is no date"))?,
            )),
        };
        Ok(Credentials::new(
            answer.access_key_id,
            answer.secret_access_key,
            answer.token,
            expiry,
            "mpguard",
        ))
    }
}

async fn of_container(
    address: SocketAddr,
    path: &str,
    headers: &[(&'static str, &str)],
) -> Result<Credentials, String> {
    let ask = plain::Ask { headers, ..plain::Ask::get(path, WITHIN) };
    let answer = plain::ask(address, &ask).await?;
    if answer.status.as_u16() != 200 {
        return Err(format!(
            "status {} of {address}; does the task or pod have a role?",
            answer.status.as_u16()
        ));
    }
    Answer::read(&answer.body)
}

async fn of_instance(link_local: &LinkLocal) -> Result<Credentials, String> {
    let metadata = link_local.instance_session().await?;
    let role = metadata.get("/latest/meta-data/iam/security-credentials/").await?;
    let role = role.lines().next().unwrap_or_default().trim();
    if role.is_empty()
        || !role.bytes().all(|b| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b))
    {
        return Err(
            "the instance has no role; give it one, or give the task or pod a role".to_owned()
        );
    }
    let body = metadata.get(&format!("/latest/meta-data/iam/security-credentials/{role}")).await?;
    Answer::read(body.as_bytes())
}

fn system_time(time: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(time.0).unwrap_or(0))
}

#[cfg(test)]
mod tests;
