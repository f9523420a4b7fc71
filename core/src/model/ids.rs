//! Names that AWS gives to things, and the few that we give.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, sync::Arc};

/// A name that may be shown.
macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        text!($(#[$doc])* #[derive(Debug)] $type);

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// A token: whoever has it can act on what it stands for, so no text, log or panic shows it.
macro_rules! token {
    ($(#[$doc:meta])* $type:ident) => {
        text!($(#[$doc])* $type);

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($type), "(***)"))
            }
        }
    };
}

macro_rules! text {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(pub Arc<str>);

        impl $type {
            /// The name as AWS spells it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $type {
            fn from(text: &str) -> Self {
                $type(text.into())
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from).map(|text| $type(text.into()))
            }
        }
    };
}

name!(
    /// Product code of a listing, sent with `RegisterUsage` and `MeterUsage`.
    ProductCode
);
name!(
    /// Product SKU, also called Product ID, sent with `CheckoutLicense`.
    ProductSku
);
name!(
    /// API name of a pricing dimension.
    Dimension
);
name!(
    /// API name of a contract dimension, the `Name` of a license entitlement.
    EntitlementName
);
token!(
    /// Idempotency token of a request, fixed before the request is first sent.
    ClientToken
);
token!(
    /// License consumption token of a check out.
    ConsumptionToken
);

/// What AWS meters: the ECS task or EKS pod whose credentials sign the calls.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Where the name comes from: `ecs`, `eks`, `ec2` or `generated`.
    pub platform: Platform,
    /// Task ARN, pod uid, instance id or a random id.
    pub name: String,
    /// Region of the task or pod.
    pub region: String,
}

/// Kind of place in which the container runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Platform {
    /// An ECS task, on Fargate or EC2.
    Ecs,
    /// An EKS pod.
    Eks,
    /// An EC2 instance outside ECS and EKS.
    Ec2,
    /// None of the known ones; contracts still work here.
    Elsewhere,
}

/// One wish of the host for seats, and the seats themselves, by our own count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeatId(pub u64);

/// One wish of the host for prepaid units, by our own count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DrawId(pub u64);

/// One check out at AWS, by our own count. A seat may change its lease, and a lease its seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(pub u64);

/// One usage record, by our own count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub u64);

/// One counter: a dimension and a tag set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(pub u32);
