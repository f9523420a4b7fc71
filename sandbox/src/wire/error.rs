//! An error as AWS answers it.

use crate::model::Service;

/// A refusal: code, HTTP status, message.
#[derive(Clone, Debug)]
pub(crate) struct AwsError {
    pub(crate) code: String,
    pub(crate) status: u16,
    pub(crate) message: String,
    /// Only `RedirectException` of License Manager has one.
    pub(crate) location: Option<String>,
}

impl AwsError {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            status: status_of(code),
            message: message.into(),
            location: None,
        }
    }

    /// What this service says to a caller that is too fast.
    pub(crate) fn throttled(service: Service) -> Self {
        match service {
            Service::Metering => Self::new("ThrottlingException", "Rate exceeded"),
            Service::LicenseManager => Self::new("RateLimitExceededException", "Rate exceeded"),
            Service::Sts => Self::new("Throttling", "Rate exceeded"),
        }
    }

    /// Codes that any operation may answer. Source: `CommonErrors` of the API references, and what the
    /// front of awsJson services is seen to answer.
    pub(crate) fn is_common(code: &str) -> bool {
        matches!(
            code,
            "AccessDenied"
                | "AccessDeniedException"
                | "ExpiredTokenException"
                | "IncompleteSignature"
                | "InvalidSignatureException"
                | "MissingAuthenticationTokenException"
                | "SerializationException"
                | "ThrottlingException"
                | "UnrecognizedClientException"
                | "ValidationError"
                | "ValidationException"
        )
    }

    /// What this service says when the trouble is its own.
    pub(crate) fn internal(service: Service) -> Self {
        let message = "We encountered an internal error. Please try again.";
        match service {
            Service::Metering => Self::new("InternalServiceErrorException", message),
            Service::LicenseManager => Self::new("ServerInternalException", message),
            Service::Sts => Self::new("InternalFailure", message),
        }
    }
}

/// HTTP status of a code. Sources: `CommonErrors` and the operation pages of the Metering API reference,
/// the License Manager API reference, and the STS model.
fn status_of(code: &str) -> u16 {
    match code {
        "InternalServiceErrorException" | "ServerInternalException" | "InternalFailure" => 500,
        "ServiceUnavailable" => 503,
        "AccessDenied"
        | "AccessDeniedException"
        | "ExpiredToken"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "InvalidSignatureException"
        | "MissingAuthenticationTokenException"
        | "OptInRequired"
        | "IDPRejectedClaim"
        | "RegionDisabledException"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => 403,
        "NotAuthorized" => 401,
        "UnknownOperationException" => 404,
        "RequestTimeoutException" => 408,
        "RequestEntityTooLargeException" => 413,
        _ => 400,
    }
}
