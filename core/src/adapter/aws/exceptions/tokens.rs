//! What STS and `GetAccessToken` answer on the way to credentials.

use super::{Asked, DENIED, Reading, STALE, common};
use crate::model::{
    outcome::{Failure, FailureClass},
    time::Timestamp,
};

/// Whom the trust policy of a role must name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::adapter::aws) enum Trusted {
    /// The OIDC provider of an EKS cluster.
    Cluster,
    /// The issuer of License Manager's access tokens.
    LicenseManager,
}

impl Trusted {
    /// Source: EKS user guide; Seller Guide, Containers Anywhere.
    fn check(self) -> &'static str {
        match self {
            Trusted::Cluster => "the cluster's OIDC provider and this service account",
            Trusted::LicenseManager => {
                "`openid-license-manager.amazonaws.com` and the AWS account that bought the license"
            }
        }
    }
}

/// Why a web identity was not exchanged.
pub(in crate::adapter::aws) fn web_identity(
    role_arn: &str,
    reading: &Reading,
    trusted: Trusted,
) -> String {
    match reading {
        Reading::NotSent(why) => format!("no connection to STS: {why}"),
        Reading::Lost(why) => format!("no answer from STS: {why}"),
        Reading::Answered(answer) => {
            let next = match answer.code.as_deref() {
                Some("AccessDenied" | "IDPRejectedClaim" | "InvalidIdentityToken") => {
                    format!("; check the role's trust policy: it must name {}", trusted.check())
                }
                Some("ExpiredTokenException") => "; the token has expired, try again".to_owned(),
                Some("RegionDisabledException") => "; activate STS in this Region".to_owned(),
                Some("IDPCommunicationError") => {
                    "; STS cannot reach who issued the token, try again".to_owned()
                }
                _ => String::new(),
            };
            format!("STS did not give role `{role_arn}`{next}{}", answer.quoted())
        }
    }
}

/// STS could not reach the issuer of the token, and asks to try again.
pub(in crate::adapter::aws) fn is_issuer_silent(reading: &Reading) -> bool {
    reading.code() == Some("IDPCommunicationError")
}

/// STS does not take the token itself: another one may do.
pub(in crate::adapter::aws) fn is_token_refused(reading: &Reading) -> bool {
    matches!(
        reading.code(),
        Some("ExpiredTokenException" | "InvalidIdentityToken" | "IDPRejectedClaim")
    )
}

/// How a failure to get credentials from STS is to be treated.
pub(in crate::adapter::aws) fn class_of_web_identity(reading: &Reading) -> FailureClass {
    match reading.code() {
        Some(
            "AccessDenied"
            | "IDPRejectedClaim"
            | "InvalidIdentityToken"
            | "RegionDisabledException",
        ) => FailureClass::AccessDenied,
        Some("Throttling" | "ThrottlingException") => FailureClass::Throttled,
        _ => FailureClass::NotSent,
    }
}

/// What `GetAccessToken` came to; `ended` is the refresh token's own end, if that has passed.
pub(in crate::adapter::aws) fn access_token(
    asked: &Asked,
    reading: &Reading,
    ended: Option<Timestamp>,
) -> Failure {
    const NEXT: &str =
        "create a new token for the license in AWS License Manager, and put it in its place";
    let refused = |said: &str| {
        let why = match ended {
            Some(end) => format!("the token ended at {end}"),
            None => "License Manager does not take it; it may be of another license, or deleted"
                .to_owned(),
        };
        asked.failure(FailureClass::AccessDenied, &format!("{why}; {NEXT}{said}"))
    };
    // The call is unsigned, so what has expired or is not recognised is the token in its body.
    if let Reading::Answered(answer) = reading
        && answer.code.as_deref().is_some_and(|code| STALE.contains(&code))
    {
        return refused(&answer.quoted());
    }
    match common(asked, reading) {
        Ok(failure) => failure,
        Err(said)
            if DENIED.contains(&said.code.as_str())
                || matches!(
                    said.code.as_str(),
                    "ValidationException"
                        | "InvalidParameterValueException"
                        | "ResourceNotFoundException"
                ) =>
        {
            refused(&said.said)
        }
        Err(said) => asked
            .failure(FailureClass::Unknown, &format!("AWS answered `{}`{}", said.code, said.said)),
    }
}
