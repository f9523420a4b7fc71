//! Snapshots of the license: `mpguard_license_t`.

use crate::{
    fence,
    handle::{self, Kind, Object},
    number, text,
};
use mpguard_core::License;
use std::{
    ffi::{CString, c_char},
    ptr,
    sync::{Arc, OnceLock},
};

/// Verdict, reason and entitlements at one moment. It never changes.
#[allow(non_camel_case_types)]
pub struct mpguard_license_t {
    _opaque: (),
}

pub(crate) struct LicenseObject {
    license: Arc<License>,
    reason: CString,
    text: CString,
    arn: Option<CString>,
    version: Option<CString>,
    entitlements: Vec<Entitlement>,
    json: OnceLock<CString>,
}

struct Entitlement {
    name: CString,
    unit: CString,
    value: Option<CString>,
    max_count: Option<u64>,
    consumed: Option<u64>,
}

impl LicenseObject {
    pub(crate) fn new(license: Arc<License>) -> Box<LicenseObject> {
        let entitlements = license.entitlements.iter().map(|entitlement| Entitlement {
            name: text::owned(&entitlement.name),
            unit: text::owned(&entitlement.unit),
            value: entitlement.value.as_deref().map(text::owned),
            max_count: entitlement.max_count,
            consumed: entitlement.consumed,
        });
        Box::new(LicenseObject {
            reason: text::owned(license.reason.as_str()),
            text: text::owned(&license.text),
            arn: license.license_arn.as_deref().map(text::owned),
            version: license.license_version.as_deref().map(text::owned),
            entitlements: entitlements.collect(),
            json: OnceLock::new(),
            license,
        })
    }
}

impl Object for LicenseObject {
    type Opaque = mpguard_license_t;
    const KIND: Kind = Kind::License;
}

fn ask<T>(
    license: *const mpguard_license_t,
    fallback: T,
    with: impl FnOnce(&LicenseObject) -> T,
) -> T {
    fence::value(fallback, || Ok(with(&*handle::pin::<LicenseObject>(license)?)))
}

/// May the product run? One of `MPGUARD_VERDICT_*`.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  0, which is no verdict, when `license` is no live license.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_license_verdict(license: *const mpguard_license_t) -> i32 {
    ask(license, 0, |license| number::verdict(license.license.verdict))
}

/// Why, as a word to compare, such as `entitled` or `not_entitled`.
///
/// Thread:  any.
/// Owns:    nothing; the text lives as long as the license.
/// Errors:  NULL when `license` is no live license.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_license_reason(license: *const mpguard_license_t) -> *const c_char {
    ask(license, ptr::null(), |license| license.reason.as_ptr())
}

/// What to tell a person: what failed, on which thing, and the next step.
///
/// Thread:  any.
/// Owns:    nothing; the text lives as long as the license.
/// Errors:  NULL when `license` is no live license.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_license_text(license: *const mpguard_license_t) -> *const c_char {
    ask(license, ptr::null(), |license| license.text.as_ptr())
}

/// When the verdict took this value, in epoch milliseconds.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 when `license` is no live license.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_license_since_ms(license: *const mpguard_license_t) -> i64 {
    ask(license, -1, |license| license.license.since.0)
}

/// Until when it holds if AWS says nothing more, in epoch milliseconds; -1 when there is no end.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 when `license` is no live license.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_license_until_ms(license: *const mpguard_license_t) -> i64 {
    ask(license, -1, |license| license.license.until.map_or(-1, |until| until.0))
}

/// True when it comes from a sandbox and proves nothing.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  true when `license` is no live license.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_license_sandbox(license: *const mpguard_license_t) -> bool {
    ask(license, true, |license| license.license.sandbox)
}

/// ARN of the contract's license; NULL when there is none.
///
/// Thread:  any.
/// Owns:    nothing; the text lives as long as the license.
/// Errors:  NULL when `license` is no live license.
/// Source:  AWS License Manager, CheckoutLicense.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_license_arn(license: *const mpguard_license_t) -> *const c_char {
    ask(license, ptr::null(), |license| text::pointer(license.arn.as_ref()))
}

/// Version of the contract's license; renewals and upgrades make a new one. NULL when there is none.
///
/// Thread:  any.
/// Owns:    nothing; the text lives as long as the license.
/// Errors:  NULL when `license` is no live license.
/// Source:  AWS License Manager, GetLicense.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_license_version(license: *const mpguard_license_t) -> *const c_char {
    ask(license, ptr::null(), |license| text::pointer(license.version.as_ref()))
}

/// Number of entitlements of the contract.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  0 when `license` is no live license.
/// Source:  AWS License Manager, CheckoutLicense.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_license_entitlement_count(license: *const mpguard_license_t) -> usize {
    ask(license, 0, |license| license.entitlements.len())
}

/// API name of entitlement `index`, counted from 0.
///
/// Thread:  any.
/// Owns:    nothing; the text lives as long as the license.
/// Errors:  NULL past the last one and when `license` is no live license.
/// Source:  AWS License Manager, CheckoutLicense.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_license_entitlement_name(
    license: *const mpguard_license_t,
    index: usize,
) -> *const c_char {
    ask(license, ptr::null(), |license| {
        text::pointer(license.entitlements.get(index).map(|e| &e.name))
    })
}

/// AWS's unit word of entitlement `index`: `None` for a tier, `Count` for seats.
///
/// Thread:  any.
/// Owns:    nothing; the text lives as long as the license.
/// Errors:  NULL past the last one and when `license` is no live license.
/// Source:  AWS License Manager, EntitlementUnit.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_license_entitlement_unit(
    license: *const mpguard_license_t,
    index: usize,
) -> *const c_char {
    ask(license, ptr::null(), |license| {
        text::pointer(license.entitlements.get(index).map(|e| &e.unit))
    })
}

/// Value of entitlement `index` when the license gives one, else NULL.
///
/// Thread:  any.
/// Owns:    nothing; the text lives as long as the license.
/// Errors:  NULL past the last one and when `license` is no live license.
/// Source:  AWS License Manager, CheckoutLicense.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_license_entitlement_value(
    license: *const mpguard_license_t,
    index: usize,
) -> *const c_char {
    ask(license, ptr::null(), |license| {
        text::pointer(license.entitlements.get(index).and_then(|e| e.value.as_ref()))
    })
}

/// Purchased amount of entitlement `index` when it is known, else -1.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 past the last one and when `license` is no live license.
/// Source:  AWS License Manager, GetLicense.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_license_entitlement_max_count(
    license: *const mpguard_license_t,
    index: usize,
) -> i64 {
    ask(license, -1, |license| {
        license.entitlements.get(index).and_then(|e| e.max_count).map_or(-1, number::count)
    })
}

/// How much of entitlement `index` everybody together has taken, when AWS tells, else -1.
///
/// AWS tells roles that have `license-manager:GetLicenseUsage`, at each look at the contract.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 past the last one and when `license` is no live license.
/// Source:  AWS License Manager, GetLicenseUsage.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_license_entitlement_consumed(
    license: *const mpguard_license_t,
    index: usize,
) -> i64 {
    ask(license, -1, |license| {
        license.entitlements.get(index).and_then(|e| e.consumed).map_or(-1, number::count)
    })
}

/// True when the product may run and the contract has the entitlement `feature`.
///
/// Thread:  any.
/// Owns:    nothing; the text is copied.
/// Errors:  false when `license` is no live license or `feature` no UTF-8 text.
/// Source:  AWS License Manager, CheckoutLicense.
/// Since:   0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpguard_license_has(
    license: *const mpguard_license_t,
    feature: *const c_char,
) -> bool {
    fence::value(false, || {
        let license = handle::pin::<LicenseObject>(license)?;
        // SAFETY: the caller gives a string.
        Ok(license.license.has(unsafe { text::read(feature, "feature")? }))
    })
}

/// The whole as a JSON object, in the form that every language shares.
///
/// Thread:  any.
/// Owns:    nothing; the text lives as long as the license.
/// Errors:  NULL when `license` is no live license.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_license_json(license: *const mpguard_license_t) -> *const c_char {
    ask(license, ptr::null(), |license| {
        text::once(&license.json, || text::json(&license.license.to_json()))
    })
}

/// Frees a license. NULL is fine.
///
/// Thread:  any, once no other thread reads its texts.
/// Owns:    takes `license`.
/// Errors:  MPGUARD_ERROR_STALE_HANDLE when it was freed before or is no license; nothing happens then.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_license_free(license: *mut mpguard_license_t) -> i32 {
    fence::status(ptr::null_mut(), || handle::free::<LicenseObject>(license))
}
