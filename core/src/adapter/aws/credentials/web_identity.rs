//! `AssumeRoleWithWebIdentity`: a token for the credentials of a role.
//!
//! Through our own client: the SDK's provider would build one from the environment, `AWS_ENDPOINT_URL_STS`
//! included. The call is unsigned.

use super::{
    super::exceptions::{self, Reading},
    Inner, dates, system_time,
};
use aws_credential_types::Credentials;
use std::time::Duration;

/// Tries while STS cannot reach who issued the token. Source: STS API reference, `IDPCommunicationError`: try
/// again.
const TRIES: u32 = 3;
const BETWEEN: Duration = Duration::from_millis(500);

/// Why there are no credentials.
pub(super) enum Refused {
    /// STS answered, or did not.
    Said(Reading),
    /// We could not even ask, or cannot read the answer.
    Why(String),
}

/// The role of a pod's service account.
pub(super) async fn of_pod(
    inner: &Inner,
    token: &str,
    role_arn: &str,
) -> Result<Credentials, String> {
    let reading = match assume(inner, token, role_arn, &our_session(inner)).await {
        Ok(credentials) => return Ok(credentials),
        Err(Refused::Why(why)) => return Err(why),
        Err(Refused::Said(reading)) => reading,
    };
    let mut why = exceptions::web_identity(role_arn, &reading, exceptions::Trusted::Cluster);
    // EKS leaves a variable alone that somebody has set, so the two roles get mixed up. [AC §5.2]
    if inner.there.license_token.is_some() && reading.is_answer() {
        why.push_str(
            "; a license token is there too: if AWS_ROLE_ARN is its role, unset that on EKS",
        );
    }
    Err(why)
}

/// Asks STS, and again while it cannot reach the issuer.
pub(super) async fn assume(
    inner: &Inner,
    token: &str,
    role_arn: &str,
    session: &str,
) -> Result<Credentials, Refused> {
    let region = inner.found().await.map_err(Refused::Why)?.region;
    let client = inner.clients().and_then(|c| c.tokens(&region)).map_err(Refused::Why)?;
    let mut tries = 1;
    let answer = loop {
        let call = client.assume_role_with_web_identity().role_arn(role_arn);
        let answer = call.role_session_name(session).web_identity_token(token).send().await;
        match answer.map_err(|error| exceptions::read(&error)) {
            Ok(answer) => break answer,
            Err(reading) if tries < TRIES && exceptions::is_issuer_silent(&reading) => {
                tokio::time::sleep(BETWEEN * tries).await;
                tries += 1;
            }
            Err(reading) => return Err(Refused::Said(reading)),
        }
    };
    // Taken out and not copied: `Credentials` wipes them when it is dropped.
    let given = answer
        .credentials
        .ok_or_else(|| Refused::Why("STS answered without credentials; try again".to_owned()))?;
    Ok(Credentials::new(
        given.access_key_id,
        given.secret_access_key,
        Some(given.session_token),
        dates::of(given.expiration).map(system_time),
        "mpguard",
    ))
}

/// A session name that tells who and when.
pub(super) fn our_session(inner: &Inner) -> String {
    format!("mpguard-{}", (inner.now)().epoch_seconds())
}
