//! What is wrong with a set-up, and how to mend it: `mpguard_doctor_report_t`.

use crate::{
    config::{ConfigObject, mpguard_config_t},
    error::mpguard_error_t,
    fence,
    handle::{self, Kind, Object},
    text,
};
use mpguard_core::{
    doctor::{self, Style},
    model::finding::Report,
};
use std::{
    ffi::{CString, c_char},
    ptr,
};

/// What `mpguard_doctor` found out.
#[allow(non_camel_case_types)]
pub struct mpguard_doctor_report_t {
    _opaque: (),
}

pub(crate) struct DoctorReportObject {
    exit_code: u8,
    json: CString,
    text: CString,
}

impl DoctorReportObject {
    fn new(report: &Report) -> Box<DoctorReportObject> {
        Box::new(DoctorReportObject {
            exit_code: report.exit_code(),
            json: text::json(&report.to_json()),
            text: text::owned(&report.to_text(Style::PLAIN.colour, Style::PLAIN.width)),
        })
    }
}

impl Object for DoctorReportObject {
    type Opaque = mpguard_doctor_report_t;
    const KIND: Kind = Kind::DoctorReport;
}

/// Looks at everything that a guard made from `config` would need, and says how to mend what is not well.
///
/// Changes nothing: no registration, no usage, no seat, no unit. It needs no guard, and disturbs none.
/// With `config` NULL only the surroundings are looked at. What is wrong with the configuration as a
/// whole is a finding, not an error.
///
/// Thread:  any; it waits, for a minute at most, so not from an event loop. In a callback it holds up
///          later events.
/// Owns:    `*report_out` is yours; end it with `mpguard_doctor_report_free`. `config` stays yours and may
///          be freed or used again.
/// Errors:  MPGUARD_ERROR_INVALID_ARGUMENT; MPGUARD_ERROR_STALE_HANDLE.
/// Source:  docs/DOCTOR.md.
/// Since:   0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mpguard_doctor(
    config: *const mpguard_config_t,
    report_out: *mut *mut mpguard_doctor_report_t,
    error_out: *mut *mut mpguard_error_t,
) -> i32 {
    fence::quiet();
    fence::status(error_out, || {
        let out = text::out(report_out, "report_out")?;
        let report = if config.is_null() {
            doctor::examine(None)
        } else {
            // A copy: whoever frees or changes it meanwhile disturbs nothing.
            let config = handle::pin::<ConfigObject>(config)?.draft().config;
            doctor::examine(Some(&config))
        };
        let handle = handle::issue(DoctorReportObject::new(&report))?;
        // SAFETY: the caller gives a place for a handle.
        unsafe { out.write(handle) };
        Ok(())
    })
}

/// An accessor's look at a report.
fn ask<T>(
    report: *const mpguard_doctor_report_t,
    fallback: T,
    with: impl FnOnce(&DoctorReportObject) -> T,
) -> T {
    fence::value(fallback, || Ok(with(&*handle::pin::<DoctorReportObject>(report)?)))
}

/// For the shell: 0 when all is well, 1 when something should be looked at, 2 when something does not work.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 when `report` is no live report of the doctor.
/// Source:  docs/DOCTOR.md.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_doctor_report_exit_code(report: *const mpguard_doctor_report_t) -> i32 {
    ask(report, -1, |report| i32::from(report.exit_code))
}

/// Every finding in lines of at most 96 letters, for a person; it ends with a newline.
///
/// Thread:  any.
/// Owns:    nothing; the text lives as long as the report.
/// Errors:  NULL when `report` is no live report of the doctor.
/// Source:  docs/DOCTOR.md.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_doctor_report_text(
    report: *const mpguard_doctor_report_t,
) -> *const c_char {
    ask(report, ptr::null(), |report| report.text.as_ptr())
}

/// The whole as a JSON object, in the form that every language shares.
///
/// Its member `findings` has an object for each matter: `id`, `status` (`passed`, `warning`, `failed` or
/// `skipped`), `what`, `why`, `fix` and `docs`.
///
/// Thread:  any.
/// Owns:    nothing; the text lives as long as the report.
/// Errors:  NULL when `report` is no live report of the doctor.
/// Source:  docs/DOCTOR.md.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_doctor_report_json(
    report: *const mpguard_doctor_report_t,
) -> *const c_char {
    ask(report, ptr::null(), |report| report.json.as_ptr())
}

/// Frees a report of the doctor. NULL is fine.
///
/// Thread:  any, once no other thread reads its texts.
/// Owns:    takes `report`.
/// Errors:  MPGUARD_ERROR_STALE_HANDLE when it was freed before or is no report of the doctor; nothing
///          happens then.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_doctor_report_free(report: *mut mpguard_doctor_report_t) -> i32 {
    fence::status(ptr::null_mut(), || handle::free::<DoctorReportObject>(report))
}
