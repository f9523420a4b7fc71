//! Who calls, and whether IAM lets them.

use crate::model::Service;
use crate::sigv4::{Authorization, Signed};
use crate::store::World;
use crate::store::credentials::Source;
use crate::store::switches::CredentialsClock;
use crate::store::tasks::{Platform, is_region};
use crate::wire::error::AwsError;
use crate::wire::time::parse_amz_date;

use super::Incoming;

/// Whoever signed the request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The identity that metering bills and that seats are listed under.
    pub(crate) task: String,
    pub(crate) account: String,
    pub(crate) platform: Platform,
    pub(crate) source: Source,
    /// ARN of the session, of credentials from STS.
    pub(crate) session_arn: Option<String>,
    /// Region of the task or pod.
    pub(crate) region: String,
    /// Region of the endpoint: on one port, the only trace of it is the scope of the signature.
    pub(crate) endpoint_region: String,
}

/// Operations that AWS takes without a signature. Sources: `authtype: none` in the STS model; the guide
/// for Containers Anywhere calls `GetAccessToken` with anonymous credentials.
fn may_be_unsigned(operation: &str) -> bool {
    matches!(operation, "GetAccessToken" | "AssumeRoleWithWebIdentity")
}

pub(super) fn missing_token() -> AwsError {
    AwsError::new("MissingAuthenticationTokenException", "Missing Authentication Token")
}

/// Verifies the signature and says whose it is.
pub(super) fn authenticate(
    world: &World,
    incoming: &Incoming<'_>,
) -> Result<Option<Caller>, AwsError> {
    let header = |name: &str| incoming.headers.get(name).and_then(|value| value.to_str().ok());
    let authorization = match header("authorization") {
        None if may_be_unsigned(incoming.operation) => return Ok(None),
        None => return Err(missing_token()),
        Some(text) => Authorization::parse(text)
            .map_err(|error| AwsError::new("IncompleteSignature", error))?,
    };
    let amz_date = header("x-amz-date").unwrap_or_default();
    check_scope(incoming.service, &authorization, amz_date)?;

    let now_ms = world.clock.now_ms();
    let state = world.state();
    let unrecognized = || {
        AwsError::new(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        )
    };
    let credential =
        state.credentials.by_access_key(&authorization.access_key_id).ok_or_else(unrecognized)?;
    if credential.session_token.as_deref() != header("x-amz-security-token") {
        return Err(unrecognized());
    }
    let signed = Signed {
        method: incoming.method,
        uri: incoming.uri,
        headers: incoming.headers,
        body: incoming.body,
    };
    if !authorization.matches(&credential.secret_access_key, &signed, amz_date) {
        let message = "The request signature we calculated does not match the signature you provided. Check your \
                       AWS Secret Access Key and signing method. Consult the service documentation for details.";
        return Err(AwsError::new("InvalidSignatureException", message));
    }
    check_signing_time(state.switches.signature_skew_ms, amz_date, now_ms)?;
    if state.switches.credentials_clock == CredentialsClock::Virtual
        && credential.expires_ms <= now_ms
    {
        let message = "The security token included in the request is expired";
        return Err(AwsError::new("ExpiredTokenException", message));
    }
    let task = state.tasks.get(&credential.task).ok_or_else(unrecognized)?;
    Ok(Some(Caller {
        task: task.name.clone(),
        account: task.account.clone(),
        platform: task.platform,
        source: credential.source,
        session_arn: credential.session_arn.clone(),
        region: task.region.clone(),
        endpoint_region: authorization.region,
    }))
}

fn check_scope(
    service: Service,
    authorization: &Authorization,
    amz_date: &str,
) -> Result<(), AwsError> {
    let invalid = |message: String| Err(AwsError::new("InvalidSignatureException", message));
    let expected = service.signing_name();
    if authorization.service != expected {
        return invalid(format!("Credential should be scoped to correct service: '{expected}'. "));
    }
    if !is_region(&authorization.region) {
        return invalid("Credential should be scoped to a valid Region. ".to_owned());
    }
    if parse_amz_date(amz_date).is_none() || !amz_date.starts_with(&authorization.date) {
        return invalid(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date"
                .to_owned(),
        );
    }
    if !authorization.covers("host") {
        return invalid("'Host' must be a 'SignedHeader' in the AWS Authorization.".to_owned());
    }
    Ok(())
}

fn check_signing_time(limit_ms: Option<i64>, amz_date: &str, now_ms: i64) -> Result<(), AwsError> {
    let signed_ms = parse_amz_date(amz_date).unwrap_or_default();
    match limit_ms {
        Some(limit_ms) if (now_ms - signed_ms).abs() > limit_ms => {
            let side = if signed_ms < now_ms { "expired" } else { "not yet current" };
            let message =
                format!("Signature {side}: {amz_date} is more than {} s off", limit_ms / 1000);
            Err(AwsError::new("InvalidSignatureException", message))
        }
        _ => Ok(()),
    }
}

/// Answers for the IAM policy of the caller's role, and for the trust policy of a role to assume.
pub(super) fn authorize(
    world: &World,
    incoming: &Incoming<'_>,
    caller: Option<&Caller>,
) -> Result<(), AwsError> {
    let Incoming { service, operation, .. } = *incoming;
    let state = world.state();
    // Source: GetCallerIdentity API reference: no policy can deny it.
    if operation == "GetCallerIdentity" || !state.switches.denies(service.iam_prefix(), operation) {
        return Ok(());
    }
    let action = format!("{}:{operation}", service.iam_prefix());
    if service == Service::Sts {
        return Err(AwsError::new("AccessDenied", format!("Not authorized to perform {action}")));
    }
    let task = caller.and_then(|caller| state.tasks.get(&caller.task));
    let user = task.map_or_else(|| "anonymous".to_owned(), |task| task.role_arn());
    let message = format!(
        "User: {user} is not authorized to perform: {action} because no identity-based policy allows the {action} \
         action"
    );
    Err(AwsError::new("AccessDeniedException", message))
}
