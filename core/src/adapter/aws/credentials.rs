//! Credentials of the task or pod, and of nobody else.
//!
//! AWS meters whoever signs: the identity of a usage record *is* the credential. So metering takes the ECS
//! task role or an IAM role for service accounts, as AWS demands, and never static keys, profiles, node
//! roles or EKS Pod Identity. Source: MeterUsage model, note on credentials; [AC §1.1, §6.5].

use super::{Now, dates, link_local::LinkLocal, plain};
use crate::{
    adapter::surroundings::Surroundings,
    model::{ids::Platform, time::Timestamp},
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
    /// The ECS task role.
    EcsTask { path: String },
    /// An IAM role for service accounts: a projected token, exchanged at STS.
    WebIdentity { token: PathBuf, role_arn: String },
    /// EKS Pod Identity, for contracts only.
    PodIdentity { path: String, token: PathBuf },
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
        sandbox: Option<(SocketAddr, String, Platform)>,
        metering: bool,
        link_local: &LinkLocal,
    ) -> Result<Source, String> {
        if let Some((address, task, platform)) = sandbox {
            if platform == Platform::Eks {
                let name = task.rsplit('/').next().unwrap_or_default();
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
        if there.instance_metadata_disabled {
            return Err("no credentials: looked for an ECS task role, an IAM role for service accounts and EKS Pod Identity, \
                        and instance metadata is disabled by AWS_EC2_METADATA_DISABLED; give the task or pod a role"
                .to_owned());
        }
        Ok(Source::Instance)
    }

    fn describe(&self) -> &'static str {
        match self {
            Source::Sandbox { .. } | Source::SandboxPod { .. } => "the sandbox",
            Source::EcsTask { .. } => "the ECS task role",
            Source::WebIdentity { .. } => "the IAM role for service accounts",
            Source::PodIdentity { .. } => "EKS Pod Identity",
            Source::Instance => "the role of the EC2 instance",
        }
    }
}

/// Why metering has no credentials here.
fn refusal(there: &Surroundings) -> String {
    let looked = "no credentials for metering: looked for an ECS task role (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI) and an \
                  IAM role for service accounts (AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN)";
    let next = if there.pod_identity.is_some() {
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
pub(super) struct Cached(Arc<Mutex<Option<Credentials>>>);

impl Cached {
    pub(super) fn put(&self, credentials: Option<Credentials>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = credentials;
    }

    fn get(&self) -> Option<Credentials> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// True when there are some that outlive `now` by `margin`.
    pub(super) fn outlive(&self, now: Timestamp, margin: Duration) -> bool {
        let end = system_time(now.after(margin));
        self.get().is_some_and(|c| c.expiry().is_none_or(|expiry| expiry > end))
    }

    /// True when there is no need to ask for new ones.
    pub(super) fn fresh(&self, now: Timestamp) -> bool {
        self.outlive(now, EARLY)
    }
}

impl ProvideCredentials for Cached {
    fn provide_credentials<'a>(&'a self) -> Ready<'a>
    where
        Self: 'a,
    {
        Ready::ready(
            self.get().ok_or_else(|| CredentialsError::not_loaded("credentials were not prepared")),
        )
    }
}

/// Asks `source`; `tokens` is needed for a web identity only.
///
/// # Errors
/// What was asked and why it gave none, without any secret.
pub(super) async fn ask(
    source: &Source,
    link_local: &LinkLocal,
    now: &Now,
    tokens: impl AsyncFnOnce() -> Result<aws_sdk_sts::Client, String>,
) -> Result<Credentials, String> {
    let answer = match source {
        Source::Sandbox { address, path, or_instance } => {
            match of_container(*address, path, &[]).await {
                Err(why) if *or_instance => of_instance(link_local).await.map_err(|_| why),
                answer => answer,
            }
        }
        Source::SandboxPod { address, path } => match projected(*address, path).await {
            Ok(Projected { token, role_arn }) => {
                of_web_identity(token, &role_arn, now, tokens).await
            }
            Err(error) => Err(error),
        },
        Source::EcsTask { path } => of_container(link_local.ecs, path, &[]).await,
        Source::PodIdentity { path, token } => match read_token(token) {
            Ok(token) => {
                of_container(link_local.pod_identity, path, &[("authorization", &token)]).await
            }
            Err(error) => Err(error),
        },
        Source::WebIdentity { token, role_arn } => match read_token(token) {
            Ok(token) => of_web_identity(token, role_arn, now, tokens).await,
            Err(error) => Err(error),
        },
        Source::Instance => of_instance(link_local).await,
    };
    answer.map_err(|why| format!("no credentials of {}: {why}", source.describe()))
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

/// `AssumeRoleWithWebIdentity`, through our own client: the SDK's provider would build one from the
/// environment, `AWS_ENDPOINT_URL_STS` included. The call is unsigned.
async fn of_web_identity(
    token: String,
    role_arn: &str,
    now: &Now,
    tokens: impl AsyncFnOnce() -> Result<aws_sdk_sts::Client, String>,
) -> Result<Credentials, String> {
    let client = tokens().await?;
    let answer = client
        .assume_role_with_web_identity()
        .role_arn(role_arn)
        .role_session_name(format!("mpguard-{}", now().epoch_seconds()))
        .web_identity_token(token)
        .send()
        .await
        .map_err(|error| super::exceptions::web_identity(role_arn, &error))?;
    let given = answer
        .credentials()
        .ok_or_else(|| "STS answered without credentials; try again".to_owned())?;
    let expiry = dates::of(*given.expiration()).map(system_time);
    Ok(Credentials::new(
        given.access_key_id(),
        given.secret_access_key(),
        Some(given.session_token().to_owned()),
        expiry,
        "mpguard",
    ))
}

fn system_time(time: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(time.0).unwrap_or(0))
}

#[cfg(test)]
mod tests;
