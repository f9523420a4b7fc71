//! Who signs: the sources of credentials in order, which one is taken, and what is said of the others.

use super::{
    super::{
        identity::{Found, Place},
        link_local::LinkLocal,
    },
    Source,
};
use crate::{
    adapter::surroundings::Surroundings,
    model::{
        finding::{Candidate, Fate},
        ids::Platform,
    },
};
use std::net::SocketAddr;

/// What one place offers.
enum Offer {
    /// Credentials that may sign.
    Source(Source),
    /// Credentials that may not, or a variable that makes no sense; and why.
    Refused(String),
    /// A variable that makes no sense. It is no reason to take the next source: somebody meant something by it.
    Broken(String),
    /// Nothing; and by which sign.
    Silent(String),
    /// Nobody looked, because of this.
    NotAsked(String),
}

/// One place, what it is called, and what it shows of itself without a secret.
struct Weighed {
    source: &'static str,
    value: Option<String>,
    offer: Offer,
}

pub(super) const ECS_TASK: &str = "the ECS task role";
pub(super) const WEB_IDENTITY: &str = "the IAM role for service accounts";
pub(super) const POD_IDENTITY: &str = "EKS Pod Identity";
pub(super) const LICENSE_TOKEN: &str = "the license token";
pub(super) const INSTANCE: &str = "the role of the EC2 instance";
pub(super) const SANDBOX: &str = "the sandbox";
const STATIC_KEYS: &str = "static keys";
const PROFILES: &str = "profiles and credential files";

impl Source {
    /// Decides by what the platform has set; the first that fits.
    ///
    /// # Errors
    /// What was looked for, what was found instead, and what to do.
    pub(in crate::adapter::aws) fn find(
        there: &Surroundings,
        sandbox: Option<(SocketAddr, String, Found)>,
        metering: bool,
        link_local: &LinkLocal,
    ) -> Result<Source, String> {
        if let Some((address, task, found)) = sandbox {
            return of_sandbox(address, &task, &found, metering);
        }
        for weighed in weigh(there, metering, link_local) {
            match weighed.offer {
                Offer::Source(source) => return Ok(source),
                Offer::Broken(why) => return Err(why),
                Offer::Refused(_) | Offer::Silent(_) | Offer::NotAsked(_) => {}
            }
        }
        Err(if metering { refusal(there) } else { nothing() })
    }

    /// Every source, in the order in which they are looked at, and what becomes of it.
    ///
    /// `sandbox` is who we are in a sandbox. In production `place` may say that AWS does not meter there.
    pub(in crate::adapter::aws) fn candidates(
        there: &Surroundings,
        sandbox: Option<(SocketAddr, String, Found)>,
        metering: bool,
        link_local: &LinkLocal,
    ) -> Vec<Candidate> {
        if let Some((address, task, found)) = sandbox {
            let (fate, why) = match of_sandbox(address, &task, &found, metering) {
                Ok(_) => (Fate::Won, "the sandbox plays the platform".to_owned()),
                Err(why) => (Fate::Refused, why),
            };
            return vec![Candidate { source: SANDBOX, value: Some(task), fate, why }];
        }
        // What comes after the one that decides is lost, whatever it is.
        let mut decided: Option<&'static str> = None;
        let candidates = weigh(there, metering, link_local).into_iter().map(|weighed| {
            let Weighed { source, value, offer } = weighed;
            let (fate, why) = match offer {
                Offer::Source(_) | Offer::Broken(_) if decided.is_some() => {
                    (Fate::Lost, format!("{} comes first", decided.unwrap_or_default()))
                }
                Offer::Source(won) => {
                    decided = Some(source);
                    (Fate::Won, won.reason().to_owned())
                }
                Offer::Broken(why) => {
                    decided = Some(source);
                    (Fate::Refused, why)
                }
                Offer::Refused(why) => (Fate::Refused, why),
                Offer::Silent(why) => (Fate::Silent, why),
                Offer::NotAsked(why) => (Fate::NotAsked, why),
            };
            Candidate { source, value, fate, why }
        });
        candidates.collect()
    }

    /// Its name, for texts.
    pub(in crate::adapter::aws) fn describe(&self) -> &'static str {
        match self {
            Source::Sandbox { .. } | Source::SandboxPod { .. } | Source::SandboxAnywhere { .. } => {
                SANDBOX
            }
            Source::EcsTask { .. } => ECS_TASK,
            Source::WebIdentity { .. } => WEB_IDENTITY,
            Source::PodIdentity { .. } => POD_IDENTITY,
            Source::LicenseToken { .. } => LICENSE_TOKEN,
            Source::Instance => INSTANCE,
        }
    }

    /// Why it is taken.
    fn reason(&self) -> &'static str {
        match self {
            Source::Sandbox { .. } | Source::SandboxPod { .. } | Source::SandboxAnywhere { .. } => {
                "the sandbox plays the platform"
            }
            Source::EcsTask { .. } => "ECS gives it to the task, and AWS meters by it",
            Source::WebIdentity { .. } => {
                "the token of the pod's service account stands for it, and AWS meters by it"
            }
            Source::PodIdentity { .. } => "EKS gives it to the pod; it serves contracts",
            Source::LicenseToken { .. } => "no role of AWS is there; it serves contracts",
            Source::Instance => "nobody else gives credentials; it serves contracts",
        }
    }
}

fn of_sandbox(
    address: SocketAddr,
    task: &str,
    found: &Found,
    metering: bool,
) -> Result<Source, String> {
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
    Ok(Source::Sandbox { address, path, or_instance: !metering })
}

/// Looks at all of them, the surest first.
fn weigh(there: &Surroundings, metering: bool, link_local: &LinkLocal) -> [Weighed; 7] {
    [
        ecs_task(there),
        web_identity(there),
        pod_identity(there, metering, link_local),
        license_token(there, metering),
        instance(there, metering),
        static_keys(there),
        profiles(there),
    ]
}

fn unset(name: &str) -> Offer {
    Offer::Silent(format!("{name} is not set"))
}

fn ecs_task(there: &Surroundings) -> Weighed {
    let value = there.ecs_credentials.clone();
    let offer = match &value {
        None => unset("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
        // The address is ours; only a path may come from the variable.
        Some(path) if path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic()) => {
            Offer::Source(Source::EcsTask { path: path.clone() })
        }
        Some(_) => Offer::Broken(
            "cannot use AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: it is not a path; unset it, ECS sets it itself"
                .to_owned(),
        ),
    };
    // Whoever knows the path gets the task's credentials, so it is not shown.
    Weighed { source: ECS_TASK, value: None, offer }
}

fn web_identity(there: &Surroundings) -> Weighed {
    let offer = match (&there.web_identity_token, &there.role_arn) {
        (Some(token), Some(role_arn)) => {
            Offer::Source(Source::WebIdentity { token: token.clone(), role_arn: role_arn.clone() })
        }
        (Some(_), None) => Offer::Refused(HALF_WEB_IDENTITY.to_owned()),
        (None, _) => unset("AWS_WEB_IDENTITY_TOKEN_FILE"),
    };
    let value = there.web_identity_token.as_ref().and(there.role_arn.clone());
    Weighed { source: WEB_IDENTITY, value, offer }
}

fn pod_identity(there: &Surroundings, metering: bool, link_local: &LinkLocal) -> Weighed {
    let value = there.pod_identity.clone();
    let offer = match (&value, &there.pod_identity_token) {
        (None, _) => unset("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        (Some(_), _) if metering => Offer::Refused(
            "AWS does not accept it for metering; give the pod's service account an IAM role (IRSA) instead".to_owned(),
        ),
        (Some(_), None) => unset("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
        (Some(url), Some(token)) => match link_local.pod_identity_at(url) {
            Some((address, path)) => {
                Offer::Source(Source::PodIdentity { address, path, token: token.clone() })
            }
            None => Offer::Broken(
                "cannot use AWS_CONTAINER_CREDENTIALS_FULL_URI: it is not the address of EKS Pod Identity; unset it, EKS \
                 sets it itself"
                    .to_owned(),
            ),
        },
    };
    // A URL may hold a password.
    let known = |url: &String| link_local.pod_identity_at(url).is_some();
    Weighed { source: POD_IDENTITY, value: value.filter(known), offer }
}

/// Last of what somebody has given, as in AWS's samples: where AWS gives a role, that one counts. But before the
/// role of a machine, which on a cluster of one's own is for other things. [AC §5.1, §5.2]
fn license_token(there: &Surroundings, metering: bool) -> Weighed {
    let value = there.license_token.as_ref().map(|path| path.display().to_string());
    let offer = match (&there.license_token, &there.role_arn) {
        (None, _) => unset("AWS_WEB_IDENTITY_REFRESH_TOKEN_FILE"),
        (Some(_), _) if metering => Offer::Refused(
            "AWS meters no container outside AWS; it serves contract pricing only".to_owned(),
        ),
        (Some(token), None) => Offer::Broken(format!(
            "cannot use license token `{}`: there is no AWS_ROLE_ARN; set it to the role that goes with the token, key \
             `iam_role` of the secret",
            token.display()
        )),
        (Some(token), Some(role_arn)) => {
            Offer::Source(Source::LicenseToken { token: token.clone(), role_arn: role_arn.clone() })
        }
    };
    Weighed { source: LICENSE_TOKEN, value, offer }
}

fn instance(there: &Surroundings, metering: bool) -> Weighed {
    let offer = if metering {
        Offer::NotAsked(
            "AWS does not accept a node's or an instance's role for metering, so nobody asks for it".to_owned(),
        )
    } else if there.instance_metadata_disabled {
        Offer::NotAsked("AWS_EC2_METADATA_DISABLED is set".to_owned())
    } else {
        Offer::Source(Source::Instance)
    };
    Weighed { source: INSTANCE, value: None, offer }
}

fn static_keys(there: &Surroundings) -> Weighed {
    let offer = if there.static_keys {
        Offer::Refused(
            "mpguard never signs with static keys, and AWS does not meter by them; unset AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY"
                .to_owned(),
        )
    } else {
        unset("AWS_ACCESS_KEY_ID")
    };
    Weighed { source: STATIC_KEYS, value: None, offer }
}

fn profiles(there: &Surroundings) -> Weighed {
    let files = there.files();
    let named = files.iter().map(|file| file.path.display().to_string()).collect::<Vec<_>>();
    let value = Some(named.join(", ")).filter(|named| !named.is_empty());
    let offer = if there.profile || !files.is_empty() {
        Offer::Refused(
            "mpguard reads no profile, single sign-on or credential process, and AWS does not meter by them".to_owned(),
        )
    } else {
        Offer::Silent("no variable names any, and the home folder has none".to_owned())
    };
    Weighed { source: PROFILES, value, offer }
}

const HALF_WEB_IDENTITY: &str = "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not; annotate the service account \
                                 with `eks.amazonaws.com/role-arn`, and start the pod anew";

/// Source: Seller Guide, container product requirements: outside AWS there is contract pricing only. [AC §5]
const LICENSE_METERS: &str = "no credentials for metering: found a license token, and AWS meters no container outside AWS; \
                              run as an ECS task with a task role or as an EKS pod with an IAM role for its service \
                              account, or buy the product with contract pricing";

/// Why metering has no credentials where AWS meters nobody, if it is such a place. [AC §6.2]
pub(in crate::adapter::aws) fn unmetered(place: Place) -> Option<&'static str> {
    (place == Place::EcsAnywhere).then_some(
        "no credentials for metering: this is a task of ECS Anywhere (its launch type is EXTERNAL), and AWS meters no \
         container outside AWS; run the task on Fargate or on EC2, or buy the product with contract pricing",
    )
}

/// Why metering has no credentials here.
fn refusal(there: &Surroundings) -> String {
    if there.license_token.is_some() {
        return LICENSE_METERS.to_owned();
    }
    let mut found = Vec::new();
    if there.pod_identity.is_some() {
        found.push("EKS Pod Identity");
    }
    if there.static_keys {
        found.push("static keys (AWS_ACCESS_KEY_ID)");
    }
    if there.profile || !there.files().is_empty() {
        found.push("a profile or a credentials file");
    }
    let found = match found.as_slice() {
        [] => String::new(),
        [one] => format!("; found {one}, which AWS does not accept for metering"),
        [most @ .., last] => {
            format!(
                "; found {} and {last}, which AWS does not accept for metering",
                most.join(", ")
            )
        }
    };
    let next = if there.web_identity_token.is_some() {
        HALF_WEB_IDENTITY
    } else if there.kubernetes || there.pod_identity.is_some() {
        "the node's role is not accepted either: annotate the pod's service account with an IAM role (IRSA, \
         `eks.amazonaws.com/role-arn`), and start the pod anew"
    } else if there.ecs_metadata.is_some() {
        "give the task definition a task role (`taskRoleArn`)"
    } else {
        // Its execution role comes from a metadata service like EC2's, which is never asked for metering; no
        // variable tells it from other places. It counts by other rules: records of one hour add up, so what is
        // sent once a task and hour elsewhere would bill twice there. Source: MeterUsage model; [AC §1.7].
        "run as an ECS task with a task role or as an EKS pod with an IAM role for its service account; the execution \
         role of Amazon Bedrock AgentCore Runtime is not used, because its metering has other rules: give AgentCore an \
         image of its own, without mpguard"
    };
    format!(
        "no credentials for metering: looked for an ECS task role (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI) and an IAM role \
         for service accounts (AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN){found}; {next}"
    )
}

/// Why contracts have no credentials here.
fn nothing() -> String {
    "no credentials: looked for an ECS task role, an IAM role for service accounts, EKS Pod Identity and a license token, \
     and instance metadata is disabled by AWS_EC2_METADATA_DISABLED; give the task or pod a role, or outside AWS a \
     license token (AWS_WEB_IDENTITY_REFRESH_TOKEN_FILE with AWS_ROLE_ARN)"
        .to_owned()
}
