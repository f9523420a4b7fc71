//! AWS's exceptions, turned into the few outcomes that decisions need.
//!
//! The only file that knows the names of exceptions. An answer is read by its code first and by its status
//! only when it has none; what is not an explicit answer of AWS decides nothing. Sources: the service
//! models, their "common errors" pages, and the SDK's own lists of codes; [AC §1.5, §2.3, §3.5, §3.6, §4.7].

mod answer;
mod licensing;
mod permission;
mod tokens;

use super::region::Region;
use crate::model::outcome::{
    Failure, FailureClass, Permitted, Refusal, RefusalReason, Registered, Sent,
};
pub(super) use answer::{Reading, SdkFailure, read};
pub(super) use licensing::{
    checked_in, checked_out, consumption, details, drawn, extended, redirect, tiers,
};
pub(crate) use permission::Permission;
pub(super) use permission::{caller, licensing_permission, register_permission};
use std::time::Duration;
pub(super) use tokens::{
    Trusted, access_token, class_of_web_identity, is_issuer_silent, is_token_refused, web_identity,
};

/// What was asked, for texts.
pub(super) struct Asked {
    /// `MeterUsage` and its kin.
    pub(super) operation: &'static str,
    /// What it was asked about: "product `abc`".
    pub(super) about: String,
    /// Where the last try went.
    pub(super) region: Region,
}

impl Asked {
    /// The IAM action, and a managed policy that has it. Source: [AC §9].
    fn permission(&self) -> (String, &'static str) {
        match self.operation {
            "RegisterUsage" => (
                format!("aws-marketplace:{}", self.operation),
                ", for example with the policy `AWSMarketplaceMeteringRegisterUsage`",
            ),
            "MeterUsage" => (
                format!("aws-marketplace:{}", self.operation),
                ", for example with the policy `AWSMarketplaceMeteringFullAccess`",
            ),
            // `AWSLicenseManagerConsumptionPolicy` has neither.
            "ListReceivedLicenses" | "GetLicenseUsage" => {
                (format!("license-manager:{}", self.operation), "")
            }
            _ => (
                format!("license-manager:{}", self.operation),
                ", for example with the policy `AWSLicenseManagerConsumptionPolicy`",
            ),
        }
    }

    fn failure(&self, class: FailureClass, why: &str) -> Failure {
        Failure { class, text: format!("{} for {} failed: {why}", self.operation, self.about) }
    }

    fn refusal(&self, reason: RefusalReason, why: &str, said: &str) -> Refusal {
        Refusal {
            reason,
            text: format!("{} for {} was refused: {why}{said}", self.operation, self.about),
        }
    }

    /// A failure that needs no answer: nothing left this process.
    pub(super) fn not_sent(&self, why: &str) -> Failure {
        self.failure(FailureClass::NotSent, why)
    }

    /// An answer of status 200 without what makes it one.
    pub(super) fn incomplete(&self, what: &str) -> Failure {
        self.failure(
            FailureClass::Unknown,
            &format!("the answer has no {what}; it will be asked again"),
        )
    }
}

/// Codes that say "wait". License Manager's own is in no list of the SDK. [AC §3.6]
const THROTTLED: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottledException",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "RequestThrottled",
    "SlowDown",
    "PriorRequestNotComplete",
    "EC2ThrottledException",
    "RateLimitExceededException",
];

/// Codes after which nobody knows what was done. [AC §3.5]
const INTERNAL: &[&str] = &[
    "InternalServiceErrorException",
    "InternalServiceError",
    "InternalFailure",
    "InternalServerError",
    "ServerInternalException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "RequestTimeout",
    "RequestTimeoutException",
    "RequestAbortedException",
];

/// Codes of credentials that AWS does not know, or no longer. Nothing was done.
const STALE: &[&str] = &[
    "ExpiredToken",
    "ExpiredTokenException",
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidToken",
];

/// Codes of a signature that AWS does not take, for which a wrong clock is the usual cause. Nothing was done.
const UNSIGNED: &[&str] = &[
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "AuthFailure",
    "RequestTimeTooSkewed",
    "RequestExpired",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
];

/// Codes of a missing permission. Nothing was done.
const DENIED: &[&str] = &[
    "AccessDeniedException",
    "AccessDenied",
    "AuthorizationException",
    "UnauthorizedException",
    "UnauthorizedOperation",
    "NotAuthorized",
    "OptInRequired",
];

/// True when the same request may succeed at once with fresh credentials, or signed by AWS's own clock.
///
/// AWS checks both before it does anything, so asking again cannot do a thing twice.
pub(super) fn is_worth_another(reading: &Reading) -> bool {
    reading.code().is_some_and(|code| STALE.contains(&code) || UNSIGNED.contains(&code))
}

/// How long nobody is to ask again, whoever decides when that is: AWS's own wish, and never long.
///
/// Source: the call policy: honoured up to 5 s.
pub(super) fn pause(reading: &Reading) -> Option<Duration> {
    let Reading::Answered(answer) = reading else { return None };
    let passing = reading.code().is_none_or(|c| THROTTLED.contains(&c) || INTERNAL.contains(&c));
    let wish = answer.retry_after.filter(|_| passing || answer.status >= 500);
    wish.map(|wish| wish.min(Duration::from_secs(5)))
}

/// What is common to all operations: everything but an answer that is their own.
fn common(asked: &Asked, reading: &Reading) -> Result<Failure, Said> {
    match reading {
        Reading::NotSent(why) => {
            Ok(asked.not_sent(&format!("no connection to AWS in Region {}: {why}", asked.region)))
        }
        Reading::Lost(why) => Ok(asked.failure(
            FailureClass::Unknown,
            &format!("no answer from AWS in Region {}: {why}", asked.region),
        )),
        Reading::Answered(answer) => {
            let said = answer.quoted();
            let fail = |class, why: &str| Ok(asked.failure(class, &format!("{why}{said}")));
            let Some(code) = answer.code.as_deref() else {
                return match answer.status {
                    429 => fail(FailureClass::Throttled, "AWS asked to wait (status 429)"),
                    status => fail(
                        FailureClass::Unknown,
                        &format!(
                            "what came back (status {status}) is not AWS's answer; a proxy or a captive portal may stand in between"
                        ),
                    ),
                };
            };
            if THROTTLED.contains(&code) {
                fail(FailureClass::Throttled, "AWS asked to wait")
            } else if INTERNAL.contains(&code) || answer.status >= 500 {
                fail(FailureClass::Unknown, "AWS had an internal error")
            } else if STALE.contains(&code) {
                fail(
                    FailureClass::AccessDenied,
                    "AWS does not accept the credentials of the task or pod, fresh ones included; check its role",
                )
            } else if UNSIGNED.contains(&code) {
                fail(
                    FailureClass::AccessDenied,
                    "AWS does not accept the signature; check the clock of the host",
                )
            } else {
                Err(Said { code: code.to_owned(), said })
            }
        }
    }
}

/// An explicit answer of AWS that the operation itself must judge.
struct Said {
    code: String,
    /// AWS's words, ready to be appended.
    said: String,
}

fn denied(asked: &Asked) -> String {
    let (action, policy) = asked.permission();
    format!("the role of the task or pod may not call `{action}`; allow it{policy}")
}

/// Refusals that both metering operations share.
fn metering(asked: &Asked, said: &Said) -> Refusal {
    use RefusalReason::{
        AccessDenied, InvalidProduct, InvalidRegion, NotEntitled, PlatformNotSupported,
    };
    let refuse = |reason, why: &str| asked.refusal(reason, why, &said.said);
    match said.code.as_str() {
        // The guide's prose and an old table spell them differently. [AC Q10, Q11]
        "CustomerNotEntitledException"
        | "CustomerNotEntitiledException"
        | "CustomerNotSubscribedException" => refuse(
            NotEntitled,
            "this AWS account has no valid subscription; subscribe in AWS Marketplace, then start again",
        ),
        "PlatformNotSupportedException" => refuse(
            PlatformNotSupported,
            "AWS takes this only from an ECS task with a task role or an EKS pod whose service account has an IAM role \
             (IRSA); EKS Pod Identity, node roles and static keys are not accepted",
        ),
        "InvalidRegionException" | "InvalidEndpointRegionException" => refuse(
            InvalidRegion,
            &format!(
                "the call went to Region {}, and the task or pod is in another one; remove AWS_REGION and \
                 AWS_DEFAULT_REGION from its definition, or set them to the cluster's Region",
                asked.region
            ),
        ),
        "DisabledApiException" => refuse(
            InvalidRegion,
            &format!("AWS does not offer this in Region {}; run in another Region", asked.region),
        ),
        "InvalidProductCodeException" => refuse(
            InvalidProduct,
            "AWS does not know this product code; the seller must correct it",
        ),
        "InvalidPublicKeyVersionException" | "InvalidPublicKeyException" => refuse(
            InvalidProduct,
            "AWS does not know this version of the product's public key; the seller must give trusted_products the newest \
             version that AWS Marketplace shows for the product, and rebuild the image",
        ),
        "InvalidUsageDimensionException" => {
            refuse(InvalidProduct, "the product has no such dimension; the seller must correct it")
        }
        "InvalidTagException" | "InvalidUsageAllocationsException" => {
            refuse(InvalidProduct, "AWS does not take its tags; the seller must correct them")
        }
        code if DENIED.contains(&code) => refuse(AccessDenied, &denied(asked)),
        // A code that is new to us is still an explicit no, and no retry of the same bytes heals it.
        code => refuse(InvalidProduct, &format!("AWS answered `{code}`; ask the seller")),
    }
}

/// What `RegisterUsage` came to.
pub(super) fn registered(asked: &Asked, reading: &Reading) -> Registered {
    match common(asked, reading) {
        Ok(failure) => Registered::Failed(failure),
        Err(said) => Registered::No(metering(asked, &said)),
    }
}

/// What a dry run of `MeterUsage` came to. AWS's text calls its success an error. [AC §1.10]
pub(super) fn permitted(asked: &Asked, reading: &Reading) -> Permitted {
    match common(asked, reading) {
        Ok(failure) => Permitted::Failed(failure),
        Err(said) if said.code == "DryRunOperation" || said.code == "DryRunOperationException" => {
            Permitted::Yes
        }
        Err(said) => of_zero(asked, &said),
    }
}

/// What a record of zero came to.
pub(super) fn probed(asked: &Asked, reading: &Reading) -> Permitted {
    match common(asked, reading) {
        Ok(failure) => Permitted::Failed(failure),
        Err(said) => of_zero(asked, &said),
    }
}

/// What AWS says of an hour or of a client token, it does not say of the buyer.
fn of_zero(asked: &Asked, said: &Said) -> Permitted {
    let again = |why: &str| {
        Permitted::Failed(asked.failure(FailureClass::Throttled, &format!("{why}{}", said.said)))
    };
    match said.code.as_str() {
        // Somebody of this task or pod has reported this hour, and AWS takes that from the entitled only. [AC §1.5]
        "DuplicateRequestException" => Permitted::Yes,
        // The clock was wrong until this very answer told the time.
        "TimestampOutOfBoundsException" => {
            again("AWS takes no usage of that time; it will be asked again by AWS's clock")
        }
        "IdempotencyConflictException" => {
            again("its client token was used before; it will be asked again with another")
        }
        _ => Permitted::No(metering(asked, said)),
    }
}

/// What one `MeterUsage` came to.
pub(super) fn sent(asked: &Asked, reading: &Reading) -> Sent {
    let said = match common(asked, reading) {
        Ok(failure) => return Sent::Failed(failure),
        Err(said) => said,
    };
    let text = |why: &str| format!("MeterUsage for {}: {why}{}", asked.about, said.said);
    match said.code.as_str() {
        "DuplicateRequestException" => Sent::Duplicate(text(
            "this task or pod has already reported another quantity for the hour; is there a second container or \
             program that meters?",
        )),
        "TimestampOutOfBoundsException" => {
            Sent::OutOfBounds(text("AWS no longer takes usage of this hour"))
        }
        "IdempotencyConflictException" => {
            Sent::TokenConflict(text("its client token was used with other parameters"))
        }
        _ => Sent::Refused(metering(asked, &said)),
    }
}
