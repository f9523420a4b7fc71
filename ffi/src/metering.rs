//! Counters: `mpguard_meter_t`.
//!
//! `mpguard_meter_add` is called once for each piece of the product's work, so it does nothing but look
//! the token up (two loads and compares, no pin) and add in the core. A lookup without a pin is sound
//! because the core's meter is never dropped: each guard makes one for each dimension and tag set, hands
//! it out under as many handles as are asked for, and leaves it behind, some hundred bytes, when it ends.
//! Freeing a handle only ends the token.

use crate::{
    error::mpguard_error_t,
    fence,
    handle::{self, Immortal, Kind, Object},
    number::MPGUARD_OK,
    text,
};
use mpguard_core::{Code, Error, Meter};
use std::{
    ffi::{CString, c_char},
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
    sync::atomic::{AtomicPtr, Ordering},
};

/// A counter of one dimension and tag set, to keep and add to.
#[allow(non_camel_case_types)]
pub struct mpguard_meter_t {
    _opaque: (),
}

pub(crate) struct MeterObject {
    meter: Meter,
    dimension: CString,
    /// The meter that was made before this one, or null.
    before: *mut MeterObject,
}

// SAFETY: `before` is only there to be pointed to; nobody follows it.
unsafe impl Send for MeterObject {}
// SAFETY: as above; the other fields are shareable by themselves.
unsafe impl Sync for MeterObject {}

/// The meter made last; from here every one can be reached, so that a host's leak checker stays calm.
static LAST: AtomicPtr<MeterObject> = AtomicPtr::new(ptr::null_mut());

impl MeterObject {
    /// A meter for the rest of the process's life.
    pub(crate) fn forever(meter: Meter) -> &'static MeterObject {
        let dimension = text::owned(meter.dimension());
        let made =
            Box::into_raw(Box::new(MeterObject { dimension, meter, before: ptr::null_mut() }));
        let mut last = LAST.load(Ordering::Acquire);
        loop {
            // SAFETY: nobody else has `made` yet.
            unsafe { (*made).before = last };
            match LAST.compare_exchange_weak(last, made, Ordering::AcqRel, Ordering::Acquire) {
                // SAFETY: made by a box above, never freed, and from here on only shared.
                Ok(_) => return unsafe { &*made },
                Err(now) => last = now,
            }
        }
    }
}

impl Object for MeterObject {
    type Opaque = mpguard_meter_t;
    const KIND: Kind = Kind::Meter;

    unsafe fn end(_: *mut MeterObject) {}
}

// SAFETY: `end` does nothing.
unsafe impl Immortal for MeterObject {}

/// Adds `quantity` raw counts to the running hour. For dimensions of kind `sum`.
///
/// Takes no lock, makes no system call and allocates nothing. Once it has returned, the amount is
/// counted in memory that every process of the task shares; the record leaves later, once an hour. A
/// refusal counts nothing.
///
/// Thread:  any, also from inside a callback and in a forked child; from a signal handler as long as it
///          is not refused.
/// Owns:    nothing.
/// Errors:  MPGUARD_ERROR_QUANTITY_OUT_OF_RANGE for a negative quantity or more than an hour holds;
///          MPGUARD_ERROR_WRONG_METER_KIND; MPGUARD_ERROR_SHUT_DOWN; MPGUARD_ERROR_INVALID_ARGUMENT;
///          MPGUARD_ERROR_STALE_HANDLE.
/// Source:  AWS Marketplace Metering, MeterUsage.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_meter_add(
    meter: *const mpguard_meter_t,
    quantity: i64,
    error_out: *mut *mut mpguard_error_t,
) -> i32 {
    put(meter, quantity, error_out, Meter::add)
}

/// Says that the level is `quantity` now. For dimensions of kind `max` and `last`.
///
/// Thread:  as `mpguard_meter_add`.
/// Owns:    nothing.
/// Errors:  as `mpguard_meter_add`.
/// Source:  AWS Marketplace Metering, MeterUsage.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_meter_set(
    meter: *const mpguard_meter_t,
    quantity: i64,
    error_out: *mut *mut mpguard_error_t,
) -> i32 {
    put(meter, quantity, error_out, Meter::set)
}

/// API name of the dimension.
///
/// Thread:  any.
/// Owns:    nothing; the text lives as long as the meter.
/// Errors:  NULL when `meter` is no live meter.
/// Source:  AWS Marketplace Metering, MeterUsage, member `UsageDimension`.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_meter_dimension(meter: *const mpguard_meter_t) -> *const c_char {
    fence::value(ptr::null(), || Ok(handle::pin::<MeterObject>(meter)?.dimension.as_ptr()))
}

/// Frees a meter. What was added stays counted. NULL is fine.
///
/// Thread:  any.
/// Owns:    takes `meter`.
/// Errors:  MPGUARD_ERROR_STALE_HANDLE when it was freed before or is no meter; nothing happens then.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_meter_free(meter: *mut mpguard_meter_t) -> i32 {
    fence::status(ptr::null_mut(), || handle::free::<MeterObject>(meter))
}

/// The quick way; everything that is not a success takes the slow one.
#[inline(always)]
fn put(
    meter: *const mpguard_meter_t,
    quantity: i64,
    error_out: *mut *mut mpguard_error_t,
    with: impl FnOnce(&Meter, u64) -> Result<(), Error>,
) -> i32 {
    let counted = catch_unwind(AssertUnwindSafe(|| {
        let (Some(found), Ok(amount)) = (handle::peek::<MeterObject>(meter), quantity.try_into())
        else {
            return fence::fail(error_out, refused(meter, quantity));
        };
        match with(&found.meter, amount) {
            Ok(()) => MPGUARD_OK,
            Err(error) => fence::fail(error_out, error),
        }
    }));
    match counted {
        Ok(status) => status,
        Err(payload) => fence::fail(error_out, fence::internal(payload)),
    }
}

#[cold]
fn refused(meter: *const mpguard_meter_t, quantity: i64) -> Error {
    match handle::peek::<MeterObject>(meter) {
        Some(found) => Error::new(
            Code::QuantityOutOfRange,
            format!(
                "cannot count `{quantity}` on dimension `{}`: a quantity is 0 or more; nothing was counted",
                found.meter.dimension()
            ),
        ),
        None => handle::why_not_live::<MeterObject>(meter),
    }
}
