//! Errors of every operation, in few kinds that each tell the caller what to do.

use std::fmt;

/// What the caller should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Fix the call or the configuration.
    Usage,
    /// Wait and try again.
    Retry,
    /// Show the text to the buyer.
    Entitlement,
    /// Repair the place: threads, storage.
    Environment,
    /// Report a bug in mpguard.
    Internal,
}

impl ErrorKind {
    /// The word used in every language.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorKind::Usage => "usage",
            ErrorKind::Retry => "retry",
            ErrorKind::Entitlement => "entitlement",
            ErrorKind::Environment => "environment",
            ErrorKind::Internal => "internal",
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal, $kind:ident;)+) => {
        /// What went wrong. Numbers are grouped by hundreds, explicit and never reused; 0 is success.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(i32)]
        pub enum Code {
            $($(#[$doc])* $name = $number,)+
        }

        impl Code {
            /// Every code, in the order of numbers.
            pub const ALL: &[Code] = &[$(Code::$name),+];

            /// The word used in Python, Node and logs.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)+ }
            }

            /// What the caller should do.
            #[must_use]
            pub fn kind(self) -> ErrorKind {
                match self { $(Code::$name => ErrorKind::$kind,)+ }
            }
        }
    };
}

codes! {
    // 1xx: fix the call.
    /// A `NULL`, a bad encoding, or a value out of range.
    InvalidArgument = 101, "INVALID_ARGUMENT", Usage;
    /// Unknown key, bad value, or keys that contradict each other.
    InvalidConfig = 102, "INVALID_CONFIG", Usage;
    /// The product has no such dimension.
    UnknownDimension = 103, "UNKNOWN_DIMENSION", Usage;
    /// Tags that AWS would refuse.
    InvalidTag = 104, "INVALID_TAG", Usage;
    /// The configuration names no such entitlement.
    UnknownEntitlement = 105, "UNKNOWN_ENTITLEMENT", Usage;
    /// Negative, or more than a counter can hold. Nothing was counted.
    QuantityOutOfRange = 106, "QUANTITY_OUT_OF_RANGE", Usage;
    /// `add` on a level, or `set` on a sum. Nothing was counted.
    WrongMeterKind = 107, "WRONG_METER_KIND", Usage;
    /// The handle was freed, or never was one.
    StaleHandle = 108, "STALE_HANDLE", Usage;
    /// The guard was shut down.
    ShutDown = 109, "SHUT_DOWN", Usage;

    // 2xx: wait and try again.
    /// AWS has not answered yet.
    Pending = 201, "PENDING", Retry;
    /// The time given to the call is over.
    TimedOut = 202, "TIMED_OUT", Retry;
    /// AWS cannot be reached, or asked to wait.
    Unavailable = 203, "UNAVAILABLE", Retry;
    /// Every seat of the contract is taken.
    NoSeat = 204, "NO_SEAT", Retry;
    /// `shutdown` was called from a listener and completes when the listener returns.
    Deferred = 205, "DEFERRED", Retry;

    // 3xx: show the buyer.
    /// No valid subscription or license.
    NotEntitled = 301, "NOT_ENTITLED", Entitlement;
    /// The role of the task or pod lacks a permission.
    AccessDenied = 302, "ACCESS_DENIED", Entitlement;
    /// Not an ECS task or EKS pod.
    PlatformNotSupported = 303, "PLATFORM_NOT_SUPPORTED", Entitlement;
    /// The call went to another Region than the task's.
    InvalidRegion = 304, "INVALID_REGION", Entitlement;
    /// Product code or key version unknown to AWS.
    InvalidProduct = 305, "INVALID_PRODUCT", Entitlement;
    /// The signed answer does not verify.
    SignatureInvalid = 306, "SIGNATURE_INVALID", Entitlement;
    /// The license has ended, or was suspended.
    LicenseEnded = 307, "LICENSE_ENDED", Entitlement;
    /// The contract's prepaid units are used up.
    Exhausted = 308, "EXHAUSTED", Entitlement;

    // 4xx: repair the place.
    /// The state directory cannot be used.
    Storage = 401, "STORAGE", Environment;
    /// A thread could not be started.
    Thread = 402, "THREAD", Environment;

    // 5xx: report a bug.
    /// A bug in mpguard; the host goes on.
    Internal = 501, "INTERNAL", Internal;
}

/// A failed operation: a code to branch on and a text for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    code: Code,
    text: String,
}

impl Error {
    /// An error of `code` whose text says what failed, on which thing, and the next step.
    #[must_use]
    pub fn new(code: Code, text: impl Into<String>) -> Error {
        Error { code, text: text.into() }
    }

    /// What went wrong.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// What the caller should do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.code.kind()
    }

    /// True when the same call may succeed later.
    #[must_use]
    pub fn retryable(&self) -> bool {
        self.kind() == ErrorKind::Retry
    }

    /// What failed, on which thing, and the next step.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}

/// Result of every operation.
pub type Result<T> = std::result::Result<T, Error>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_stand_in_the_hundred_of_their_kind() {
        let mut last = 0;
        for code in Code::ALL {
            let number = *code as i32;
            assert!(number > last, "{code:?} stands out of order");
            last = number;
            let hundred = match code.kind() {
                ErrorKind::Usage => 1,
                ErrorKind::Retry => 2,
                ErrorKind::Entitlement => 3,
                ErrorKind::Environment => 4,
                ErrorKind::Internal => 5,
            };
            assert_eq!(number / 100, hundred, "{code:?}");
        }
    }
}
