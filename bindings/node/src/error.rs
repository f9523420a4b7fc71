//! Errors of the core as `MpguardError`.

use crate::room::Instance;
use mpguard_core::{Code, Error};
use napi::{
    Env, Unknown,
    bindgen_prelude::{FnArgs, FunctionRef},
};
use napi_derive::napi;

/// Code and text, what an `MpguardError` is made from.
pub(crate) type Parts = FnArgs<(String, String)>;

/// The JavaScript function that makes one.
pub(crate) type MakeError = FunctionRef<Parts, Unknown<'static>>;

/// One code of the core's table.
#[napi(object)]
pub struct ErrorCode {
    /// The word, such as `NOT_ENTITLED`.
    pub code: String,
    /// The number, the same in every language.
    pub number: i32,
    /// What the caller should do: `usage`, `retry`, `entitlement`, `environment` or `internal`.
    pub kind: String,
    /// True when the same call may succeed later.
    pub retryable: bool,
}

/// Every error code of the core.
#[napi(catch_unwind)]
pub fn error_codes() -> Vec<ErrorCode> {
    let describe = |code: &Code| {
        let error = Error::new(*code, "");
        ErrorCode {
            code: code.as_str().into(),
            number: *code as i32,
            kind: error.kind().as_str().into(),
            retryable: error.retryable(),
        }
    };
    Code::ALL.iter().map(describe).collect()
}

/// `error` as the `MpguardError` that JavaScript throws or rejects with.
pub(crate) fn to_js(env: &Env, error: &Error) -> napi::Error {
    make(env, error).unwrap_or_else(|why| why)
}

fn make(env: &Env, error: &Error) -> napi::Result<napi::Error> {
    let instance = env.get_instance_data::<Instance>()?;
    let instance = instance.ok_or_else(|| napi::Error::from_reason(error.text()))?;
    let parts = (error.code().as_str().to_owned(), error.text().to_owned());
    let value = instance.make_error.borrow_back(env)?.call(parts.into())?;
    Ok(napi::Error::from_unknown_without_coercion(value))
}
