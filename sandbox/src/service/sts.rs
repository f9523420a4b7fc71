//! AWS STS: a token for credentials.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::store::World;
use crate::store::credentials::Source;
use crate::store::switches::CredentialsClock;
use crate::store::tasks::Platform;
use crate::store::tokens::{Bearer, Holder, Rejected};
use crate::wire::answer::Outcome;
use crate::wire::error::AwsError;

use super::Caller;

/// One hour unless said otherwise. Source: AssumeRoleWithWebIdentity API reference.
const DURATION_SECONDS_DEFAULT: i64 = 3600;

/// For clients that compare with another clock than ours.
const FAR_MS: i64 = 3_650 * 86_400_000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumeRole {
    role_arn: String,
    role_session_name: String,
    web_identity_token: String,
    duration_seconds: Option<i64>,
}

pub(super) fn assume_role_with_web_identity(world: &World, input: &Value) -> Outcome {
    let request = AssumeRole::deserialize(input)
        .map_err(|error| AwsError::new("ValidationError", error.to_string()))?;
    let role = role_name(&request.role_arn)
        .ok_or_else(|| AwsError::new("ValidationError", "Request ARN is invalid"))?
        .to_owned();
    let now_ms = world.clock.now_ms();
    let mut guard = world.state();
    let state = &mut *guard;
    let bearer = state
        .tokens
        .web_identity(&request.web_identity_token, now_ms)
        .cloned()
        .map_err(rejection)?;
    let (task, source, subject) = match bearer {
        Bearer::Pod(task) => {
            (task, Source::WebIdentity, "system:serviceaccount:default:sandbox".to_owned())
        }
        Bearer::License(Holder { license_id, task }) => {
            // The container runs anywhere. If its token is not of a task, all that is known of it is the session
            // name it chose.
            let task = task.unwrap_or_else(|| task_name(&request.role_session_name));
            state.tasks.touch(&task, Platform::Anywhere, &world.region);
            let arn =
                state.licenses.get(&license_id).map(|license| license.arn()).unwrap_or_default();
            (task, Source::LicenseToken, arn)
        }
    };
    let ttl_ms = request.duration_seconds.unwrap_or(DURATION_SECONDS_DEFAULT) * 1000;
    let credential = state.credentials.issue(&task, source, now_ms, ttl_ms);
    let expires_ms = match state.switches.credentials_clock {
        CredentialsClock::Virtual => credential.expires_ms,
        CredentialsClock::Never => now_ms.max(crate::clock::real_now_ms()) + FAR_MS,
    };
    let session = &request.role_session_name;
    let role_arn = request.role_arn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/");
    let session_arn = format!("{role_arn}/{session}");
    state.credentials.name_session(&credential.access_key_id, &session_arn);
    let id = Uuid::new_v4().simple().to_string().to_uppercase();
    Ok(json!({
        "Credentials": {
            "AccessKeyId": credential.access_key_id,
            "SecretAccessKey": credential.secret_access_key,
            "SessionToken": credential.session_token,
            "Expiration": expires_ms / 1000,
        },
        "SubjectFromWebIdentityToken": subject,
        "AssumedRoleUser": {
            "AssumedRoleId": format!("AROA{}:{session}", &id[..16]),
            "Arn": session_arn,
        },
        "Provider": format!("sandbox/{role}"),
        "Audience": "sts.amazonaws.com",
    }))
}

/// Who signed. Needs no permission. Source: GetCallerIdentity API reference.
pub(super) fn get_caller_identity(world: &World, caller: &Caller) -> Outcome {
    let state = world.state();
    let task = state.tasks.get(&caller.task);
    let role = task.map(|task| task.role_arn()).unwrap_or_default();
    let as_session = || {
        let role = role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/");
        format!("{role}/{}", caller.task)
    };
    let arn = match (&caller.session_arn, caller.source) {
        (Some(arn), _) => arn.clone(),
        (None, Source::LongTerm) => role.replace(":role/", ":user/"),
        (None, _) => as_session(),
    };
    // Keys of a user have `AIDA…`; those of a session `AROA…:<session name>`.
    let user_id = match (caller.source, arn.rsplit_once('/')) {
        (Source::LongTerm, _) | (_, None) => "AIDASANDBOX00000USER".to_owned(),
        (_, Some((_, session))) => format!("AROASANDBOX00000ROLE:{session}"),
    };
    Ok(json!({"UserId": user_id, "Account": caller.account, "Arn": arn}))
}

fn rejection(rejected: Rejected) -> AwsError {
    match rejected {
        Rejected::Unknown => {
            let message =
                "The web identity token that was passed could not be validated by the sandbox.";
            AwsError::new("InvalidIdentityToken", message)
        }
        Rejected::Expired => AwsError::new("ExpiredTokenException", "Token expired"),
    }
}

/// `arn:aws:iam::<account>:role/<name>`.
fn role_name(arn: &str) -> Option<&str> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, _, "iam", "", account, resource] = parts[..] else {
        return None;
    };
    let is_account = account.len() == 12 && account.chars().all(|digit| digit.is_ascii_digit());
    resource.strip_prefix("role/").filter(|name| is_account && !name.is_empty())
}

/// A session name has letters that a task name has not.
fn task_name(session: &str) -> String {
    let allowed =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '-');
    session.chars().map(|letter| if allowed(letter) { letter } else { '_' }).collect()
}
