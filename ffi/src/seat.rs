//! Seats held: `mpguard_seat_t`.

use crate::{
    error::mpguard_error_t,
    fence,
    handle::{self, Kind, Object},
    number::count,
    text,
};
use mpguard_core::Seat;
use std::{
    ffi::{CString, c_char},
    ptr,
};

/// Seats of a floating entitlement that are yours until checked in.
#[allow(non_camel_case_types)]
pub struct mpguard_seat_t {
    _opaque: (),
}

pub(crate) struct SeatObject {
    seat: Seat,
    entitlement: CString,
}

impl SeatObject {
    pub(crate) fn new(seat: Seat) -> Box<SeatObject> {
        Box::new(SeatObject { entitlement: text::owned(seat.entitlement()), seat })
    }
}

impl Object for SeatObject {
    type Opaque = mpguard_seat_t;
    const KIND: Kind = Kind::Seat;
}

fn ask<T>(seat: *const mpguard_seat_t, fallback: T, with: impl FnOnce(&SeatObject) -> T) -> T {
    fence::value(fallback, || Ok(with(&*handle::pin::<SeatObject>(seat)?)))
}

/// Number of the seat in its guard. Events about a seat carry it as `seat` in their details.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 when `seat` is no live seat.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_seat_number(seat: *const mpguard_seat_t) -> i64 {
    ask(seat, -1, |seat| count(seat.seat.number()))
}

/// API name of the entitlement.
///
/// Thread:  any.
/// Owns:    nothing; the text lives as long as the seat.
/// Errors:  NULL when `seat` is no live seat.
/// Source:  AWS License Manager, CheckoutLicense.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_seat_entitlement(seat: *const mpguard_seat_t) -> *const c_char {
    ask(seat, ptr::null(), |seat| seat.entitlement.as_ptr())
}

/// How many seats.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 when `seat` is no live seat.
/// Source:  AWS License Manager, CheckoutLicense.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_seat_count(seat: *const mpguard_seat_t) -> i64 {
    ask(seat, -1, |seat| count(seat.seat.count()))
}

/// True while AWS holds the seats for you; false once lost or checked in.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  false when `seat` is no live seat.
/// Source:  AWS License Manager, ExtendLicenseConsumption.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_seat_held(seat: *const mpguard_seat_t) -> bool {
    ask(seat, false, |seat| seat.seat.held())
}

/// When the seats would return by themselves if nothing extended them, in epoch milliseconds.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 when `seat` is no live seat.
/// Source:  AWS License Manager, CheckoutLicense, member `Expiration`.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_seat_expires_ms(seat: *const mpguard_seat_t) -> i64 {
    ask(seat, -1, |seat| seat.seat.expires_ms())
}

/// Returns the seats. A second call does nothing.
///
/// With `seat_linger_ms` they first stay with this process for that time, so that its next check out needs no
/// call to AWS; with 0 this waits for AWS's answer.
///
/// The handle stays yours; free it afterwards. In a forked child it does nothing for seats of the parent.
///
/// Thread:  any; it waits, so not from an event loop.
/// Owns:    nothing.
/// Errors:  MPGUARD_ERROR_UNAVAILABLE when AWS did not answer: the seats return by themselves at
///          `mpguard_seat_expires_ms`. MPGUARD_ERROR_INVALID_ARGUMENT; MPGUARD_ERROR_STALE_HANDLE.
/// Source:  AWS License Manager, CheckInLicense.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_seat_check_in(
    seat: *const mpguard_seat_t,
    error_out: *mut *mut mpguard_error_t,
) -> i32 {
    fence::status(error_out, || handle::pin::<SeatObject>(seat)?.seat.check_in())
}

/// Frees a seat. Seats not checked in are returned without waiting. NULL is fine.
///
/// Thread:  any.
/// Owns:    takes `seat`.
/// Errors:  MPGUARD_ERROR_STALE_HANDLE when it was freed before or is no seat; nothing happens then.
/// Source:  AWS License Manager, CheckInLicense.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_seat_free(seat: *mut mpguard_seat_t) -> i32 {
    fence::status(ptr::null_mut(), || handle::free::<SeatObject>(seat))
}
