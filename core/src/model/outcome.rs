//! What a call to AWS came to, in the few kinds that decisions need.

use super::{
    ids::ConsumptionToken,
    license::{Contract, Entitlement},
    time::Timestamp,
};

/// A call that gave no answer we may decide on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// How to treat it.
    pub class: FailureClass,
    /// What failed, on which thing, and the next step.
    pub text: String,
}

/// Kinds of failure, from least to most doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureClass {
    /// No byte of the request left: names, connections, TLS, credentials, Region.
    NotSent,
    /// AWS said wait; nothing was done.
    Throttled,
    /// AWS refused for want of permission, or of a valid credential; nothing was done.
    AccessDenied,
    /// Something may have been done: time-out, reset, 5xx, an answer that cannot be read.
    Unknown,
}

/// Why AWS said no. Each is an explicit answer of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Which no.
    pub reason: RefusalReason,
    /// What failed, on which thing, and the next step for the buyer or seller.
    pub text: String,
}

/// The explicit refusals that matter to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalReason {
    /// No valid subscription. `CustomerNotEntitledException`.
    NotEntitled,
    /// Role lacks the action. `AccessDeniedException`, `UnauthorizedException`.
    AccessDenied,
    /// Not an ECS task or EKS pod. `PlatformNotSupportedException`.
    PlatformNotSupported,
    /// Endpoint and task are in different Regions. `InvalidRegionException` and its kin.
    InvalidRegion,
    /// Product code, key version or dimension unknown to AWS: the seller must repair it.
    InvalidProduct,
    /// The signed answer does not verify against the product's public key.
    SignatureInvalid,
}

/// Answer to `RegisterUsage`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registered {
    /// The signed answer verified.
    Yes {
        /// When AWS says that the public key version has expired.
        key_rotation: Option<Timestamp>,
        /// The public key is shorter than 2048 bits.
        weak_key: bool,
    },
    /// An explicit no.
    No(Refusal),
    /// No answer to decide on.
    Failed(Failure),
}

/// Answer to the start-up check of custom metering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permitted {
    /// The role may meter, and nothing said that the buyer is not entitled.
    Yes,
    /// An explicit no.
    No(Refusal),
    /// No answer to decide on.
    Failed(Failure),
}

/// Answer to one `MeterUsage` of a frozen record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// 200 with a metering record id.
    Recorded {
        /// The id, for disputes.
        record_id: String,
        /// `x-amzn-requestid`, for support cases.
        request_id: Option<String>,
    },
    /// Another record with another quantity holds the slot; ours was not recorded.
    Duplicate(String),
    /// The timestamp is outside the window.
    OutOfBounds(String),
    /// Cannot heal by retry: dimension, tag, product, entitlement or permission.
    Refused(Refusal),
    /// Our client token was used with other parameters: our own rule is broken.
    TokenConflict(String),
    /// No answer to decide on.
    Failed(Failure),
    /// It was not tried: what it rests on could not be made durable.
    Unwritten(String),
}

/// Answer to an uncounted `CheckoutLicense`, which asks which tiers were bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tiers {
    /// The tiers bought, with the ARN of the license that has them.
    Bought {
        /// Entitlements allowed.
        entitlements: Vec<Entitlement>,
        /// ARN of the license.
        license_arn: Option<String>,
    },
    /// `NoEntitlementsAllowedException`: none of them was bought.
    None(String),
    /// No answer to decide on.
    Failed(Failure),
}

/// Answer to a read of the license itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Details {
    /// The license as AWS has it now.
    Found(Contract),
    /// The account has received no usable license of this product.
    Nothing(String),
    /// No answer to decide on.
    Failed(Failure),
}

/// Answer to a counted `CheckoutLicense` or to `ExtendLicenseConsumption`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckedOut {
    /// The seats are ours until `expires`.
    Held {
        /// Token to extend or check in with; the one in the newest answer counts.
        token: ConsumptionToken,
        /// When they return by themselves.
        expires: Timestamp,
        /// ARN of the license that they are of. An extension does not tell.
        license_arn: Option<String>,
    },
    /// Not bought, or all taken: AWS uses one exception for both.
    NoneAllowed(String),
    /// The token is unknown to AWS: expired or checked in.
    Gone(String),
    /// No answer to decide on.
    Failed(Failure),
}

/// Answer to `CheckInLicense`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckedIn {
    /// Returned, now or before.
    Done,
    /// No answer to decide on; the seat returns by itself when its time ends.
    Failed(Failure),
}

/// Answer to a `PERPETUAL` check out, which takes prepaid units for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drawn {
    /// The units are taken.
    Yes {
        /// ARN of the license that they were taken off.
        license_arn: Option<String>,
    },
    /// Not bought, or not so many left: AWS uses one exception for both. Nothing was taken.
    NoneAllowed(String),
    /// No answer to decide on.
    Failed(Failure),
}

/// Answer to `GetLicenseUsage`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consumption {
    /// What everybody together has taken, by entitlement.
    Read(Vec<Consumed>),
    /// No answer to decide on.
    Failed(Failure),
}

/// How much of one entitlement is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumed {
    /// API name of the entitlement.
    pub name: String,
    /// Units taken by everybody.
    pub consumed: u64,
}
