//! What questions come to that the doctor asks to learn whether a role may ask them.
//!
//! AWS looks at who asks before it looks at what is asked. So a refusal of made-up content is a permission.

use super::{Asked, DENIED, Reading, RefusalReason, common, denied, metering};
use crate::model::outcome::{Failure, FailureClass};

/// Whether a role has the permission for an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Permission {
    /// AWS looked at what was asked; with its answer's code, if that was a refusal.
    Given(String),
    /// AWS did not let the role ask, or does not take its credentials.
    Missing(String),
    /// AWS refused for a reason that every other call will meet as well.
    Refused(String),
    /// There is no answer to decide on.
    Unknown(Failure),
}

impl Permission {
    /// Of a call that gave no answer of its own.
    pub(crate) fn of(failure: Failure) -> Permission {
        match failure.class {
            FailureClass::AccessDenied => Permission::Missing(failure.text),
            _ => Permission::Unknown(failure),
        }
    }
}

/// What License Manager said to a question with made-up content.
pub(in crate::adapter::aws) fn licensing_permission(
    asked: &Asked,
    reading: &Reading,
) -> Permission {
    match common(asked, reading) {
        Ok(failure) => Permission::of(failure),
        Err(said) if DENIED.contains(&said.code.as_str()) => {
            let failure = asked.failure(FailureClass::AccessDenied, &denied(asked));
            Permission::Missing(format!("{}{}", failure.text, said.said))
        }
        Err(said) => Permission::Given(said.code),
    }
}

/// What `RegisterUsage` said to a product code that nobody has.
pub(in crate::adapter::aws) fn register_permission(asked: &Asked, reading: &Reading) -> Permission {
    let said = match common(asked, reading) {
        Ok(failure) => return Permission::of(failure),
        Err(said) => said,
    };
    let refusal = metering(asked, &said);
    match refusal.reason {
        RefusalReason::AccessDenied => Permission::Missing(refusal.text),
        // True of any product, this one included.
        RefusalReason::PlatformNotSupported | RefusalReason::InvalidRegion => {
            Permission::Refused(refusal.text)
        }
        // True of the made-up one.
        RefusalReason::NotEntitled
        | RefusalReason::InvalidProduct
        | RefusalReason::SignatureInvalid => Permission::Given(said.code),
    }
}

/// Why nobody knows who signs.
pub(in crate::adapter::aws) fn caller(asked: &Asked, reading: &Reading) -> String {
    match common(asked, reading) {
        Ok(failure) => failure.text,
        Err(said) => {
            asked
                .failure(
                    FailureClass::Unknown,
                    &format!("AWS answered `{}`{}", said.code, said.said),
                )
                .text
        }
    }
}
