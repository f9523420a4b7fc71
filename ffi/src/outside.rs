//! Sequences of calls that no sane host makes: stale, foreign and NULL handles, odd texts, any order.
//!
//! `tests/fuzz` feeds it what a fuzzer invents, the test below its seed corpus. Compiled for these two alone. A call is four
//! bytes: what, on which handle, and two more for what it takes. Whatever the calls are: no panic stops at the fence, a
//! handle that is none is refused, an output is written on success alone, and each error explains itself.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "no part of the library"
)]

use crate::*;
use std::{
    ffi::{CStr, c_char, c_void},
    ptr,
    sync::atomic::{AtomicUsize, Ordering},
};

/// More guards than this in one sequence and it is slow, which is no finding.
const GUARDS_MAX: usize = 2;

/// Makes the calls that `bytes` say.
pub fn calls(bytes: &[u8]) {
    let mut host = Host::default();
    for call in bytes.chunks_exact(4).take(64) {
        host.call(call[0], call[1], call[2], call[3]);
    }
    host.end();
}

/// What handles are of. The border's own list is private to it, and would be the same mistake twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Config,
    Guard,
    Meter,
    Seat,
    License,
    Event,
    Error,
    Report,
    Account,
    Stats,
}

const KINDS: [Kind; 10] = [
    Kind::Config,
    Kind::Guard,
    Kind::Meter,
    Kind::Seat,
    Kind::License,
    Kind::Event,
    Kind::Error,
    Kind::Report,
    Kind::Account,
    Kind::Stats,
];

/// A handle that the library gave.
struct Given {
    handle: usize,
    kind: Kind,
    live: bool,
}

#[derive(Default)]
struct Host {
    given: Vec<Given>,
    guards: usize,
}

const TEXTS: &[&CStr] = &[
    c"",
    c"requests",
    c"users",
    c"seats",
    c"Tokens",
    c"Basic",
    c"pricing",
    c"usage",
    c"usage+contract",
    c"hourly",
    c"dimensions",
    c"product_code",
    c"grace_ms",
    c"-1",
    c"[]",
    c"[{\"name\":\"requests\"},{\"name\":\"users\",\"kind\":\"max\"}]",
    c"{\"pricing\":\"usage\",\"product_code\":\"3xmpl\",\"dimensions\":[{\"name\":\"requests\"},{\"name\":\"users\",\"kind\":\"last\"}]}",
    c"{\"pricing\":\"contract\",\"product_code\":\"3xmpl\",\"trusted_products\":[{\"code\":\"3xmpl\",\"sku\":\"p\"}],\"entitlements\":[{\"name\":\"seats\",\"kind\":\"floating\"},{\"name\":\"Tokens\",\"kind\":\"drawdown\"},{\"name\":\"Basic\"}]}",
    c"{\"startup_pending\":\"fail\"}",
    c"{\"a\":",
    c"\xff\xfe",
    c"\xf0\x9f\x98\x80",
    c"aws:tag",
];

/// Nobody listens there. What else is set must not harm the computer that tests, or make it wait.
const NOBODY: &CStr = c"{\"sandbox\":\"http://127.0.0.1:1/t/app\",\"state_dir\":null,\"enforcement\":\"report\",\"startup_timeout_ms\":1}";

const NUMBERS: [i64; 8] = [0, 1, 3, -1, i64::MIN, i64::MAX, 1 << 32, 4097];

/// What a host hands over to be called with, and what it got back.
static HANDED: AtomicUsize = AtomicUsize::new(0);
static RETURNED: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" fn on_event(event: *const mpguard_event_t, user_data: *mut c_void) {
    assert!(!user_data.is_null(), "a callback without what was handed over");
    assert!(mpguard_event_kind(event) > 0, "a callback with an event that is none");
    shown(mpguard_event_json(event)).expect("an event has a text");
    let mut copy = ptr::null_mut();
    // SAFETY: a place for a handle.
    assert_eq!(unsafe { mpguard_event_clone(event, &raw mut copy, ptr::null_mut()) }, MPGUARD_OK);
    assert_eq!(mpguard_event_free(copy), MPGUARD_OK);
}

unsafe extern "C" fn returned(user_data: *mut c_void) {
    assert!(!user_data.is_null(), "something else came back than was handed over");
    RETURNED.fetch_add(1, Ordering::SeqCst);
}

/// A text of the library, read to its end.
fn shown(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the library gave it, and what it is of still lives.
    let text = unsafe { CStr::from_ptr(text) };
    Some(text.to_str().expect("UTF-8").to_owned())
}

impl Host {
    fn call(&mut self, what: u8, on: u8, a: u8, b: u8) {
        let handle = self.pick(on);
        match what % 9 {
            0 => {
                let config = mpguard_config_new();
                assert!(!config.is_null(), "no configuration");
                self.take(config, Kind::Config);
            }
            1 => self.configure(handle, a, b),
            2 => self.init(handle),
            3 => self.ask_guard(handle, a, b),
            4 => self.count(handle, a, b),
            5 => self.look(handle, KINDS[usize::from(a) % KINDS.len()], b),
            6 => self.free(handle, KINDS[usize::from(a) % KINDS.len()]),
            7 => self.of_event(handle, a),
            _ => {
                self.status(handle, Kind::Seat, |error| {
                    mpguard_seat_check_in(ptr::without_provenance(handle), error)
                });
                let name = shown(mpguard_status_name(i32::from(a) * 4 + i32::from(b % 4)));
                assert!(name.is_none_or(|name| !name.is_empty()));
                shown(mpguard_version()).expect("a version");
            }
        }
    }

    /// A handle that may be one: any that was given, dead ones too, or what was never one.
    fn pick(&self, on: u8) -> usize {
        match on {
            255 => 0,
            254 => 0xdead_beef,
            253 => (&raw const *self).addr(),
            252 => usize::MAX,
            251 => self.given.last().map_or(1, |last| last.handle ^ (1 << 32)),
            250 => self.given.last().map_or(1, |last| last.handle ^ (1 << 60)),
            on if self.given.is_empty() => usize::from(on),
            on => self.given[usize::from(on) % self.given.len()].handle,
        }
    }

    fn take<T>(&mut self, handle: *mut T, kind: Kind) {
        let handle = handle.addr();
        assert!(handle != 0, "a {kind:?} that is NULL");
        assert!(!self.given.iter().any(|it| it.live && it.handle == handle), "given twice");
        self.given.push(Given { handle, kind, live: true });
    }

    fn is(&self, handle: usize, kind: Kind) -> bool {
        self.given.iter().any(|it| it.live && it.handle == handle && it.kind == kind)
    }

    /// Makes a call that has a receiver, and looks at how it ended.
    fn status(
        &mut self,
        receiver: usize,
        kind: Kind,
        call: impl FnOnce(*mut *mut mpguard_error_t) -> i32,
    ) -> i32 {
        let mut error = ptr::null_mut();
        let status = call(&raw mut error);
        assert_ne!(status, MPGUARD_ERROR_INTERNAL, "{:?}", shown(mpguard_error_text(error)));
        assert!(!mpguard_status_name(status).is_null(), "status {status} has no name");
        assert_eq!(status == MPGUARD_OK, error.is_null(), "status {status} and its error");
        if !self.is(receiver, kind) {
            let refused = if receiver == 0 {
                MPGUARD_ERROR_INVALID_ARGUMENT
            } else {
                MPGUARD_ERROR_STALE_HANDLE
            };
            assert_eq!(status, refused, "{receiver:#x} is no {kind:?}");
        }
        if !error.is_null() {
            assert_eq!(mpguard_error_code(error), status);
            let text = shown(mpguard_error_text(error)).expect("an error has a text");
            assert!((1..1 << 16).contains(&text.len()), "a text of {} bytes", text.len());
            self.take(error, Kind::Error);
        }
        status
    }

    fn configure(&mut self, config: usize, a: u8, b: u8) {
        let handle = ptr::without_provenance_mut(config);
        let (one, other) = (text(a), text(b));
        match b % 4 {
            // SAFETY: texts, and a place for an error.
            0 => drop(self.status(config, Kind::Config, |error| unsafe {
                mpguard_config_set_json(handle, one, error)
            })),
            1 => drop(self.status(config, Kind::Config, |error| {
                mpguard_config_check(handle.cast_const(), error)
            })),
            2 => {
                let data = ptr::without_provenance_mut(HANDED.fetch_add(1, Ordering::SeqCst) + 1);
                // SAFETY: callbacks of our own.
                let status = unsafe {
                    mpguard_config_on_event(handle, Some(on_event), data, Some(returned))
                };
                assert_eq!(status == MPGUARD_OK, self.is(config, Kind::Config));
                if status != MPGUARD_OK {
                    HANDED.fetch_sub(1, Ordering::SeqCst);
                }
            }
            // SAFETY: texts, and a place for an error.
            _ => drop(self.status(config, Kind::Config, |error| unsafe {
                mpguard_config_set(handle, one, other, error)
            })),
        }
    }

    fn init(&mut self, config: usize) {
        let handle = ptr::without_provenance_mut(config);
        if self.guards == GUARDS_MAX {
            return;
        }
        // SAFETY: a text, and a place for an error.
        let safe = unsafe { mpguard_config_set_json(handle, NOBODY.as_ptr(), ptr::null_mut()) };
        assert_eq!(safe == MPGUARD_OK, self.is(config, Kind::Config));
        let mut guard = ptr::null_mut();
        let place = &raw mut guard;
        // SAFETY: places for a handle and an error.
        let status = self
            .status(config, Kind::Config, |error| unsafe { mpguard_init(handle, place, error) });
        assert_eq!(status == MPGUARD_OK, !guard.is_null());
        if status == MPGUARD_OK {
            self.guards += 1;
            self.take(guard, Kind::Guard);
        }
    }

    fn ask_guard(&mut self, guard: usize, a: u8, b: u8) {
        let handle = ptr::without_provenance(guard);
        let (word, number) = (text(b), NUMBERS[usize::from(b) % NUMBERS.len()]);
        let wait = i64::from(b % 3);
        /// Makes a call that gives a handle.
        macro_rules! gives {
            ($kind:expr, |$out:ident, $error:ident| $call:expr) => {{
                let mut made = ptr::null_mut();
                let $out = &raw mut made;
                // SAFETY: places for a handle and an error, and texts that end.
                let status = self.status(guard, Kind::Guard, |$error| unsafe { $call });
                assert_eq!(status == MPGUARD_OK, !made.is_null(), "status {status}");
                if status == MPGUARD_OK {
                    self.take(made, $kind);
                }
            }};
        }
        let mut verdict = 77;
        match a % 14 {
            0 => {
                let out = &raw mut verdict;
                // SAFETY: a place for a number.
                let status = self.status(guard, Kind::Guard, |error| unsafe {
                    mpguard_verdict(handle, out, error)
                });
                let possible = [MPGUARD_VERDICT_PENDING, MPGUARD_VERDICT_DENIED];
                let told = if status == MPGUARD_OK { &possible[..] } else { &[77] };
                assert!(told.contains(&verdict), "verdict {verdict} where nobody has said yes");
            }
            1 => gives!(Kind::License, |out, error| mpguard_license(handle, out, error)),
            2 => {
                // SAFETY: a handle, and a place for an error.
                let status = self
                    .status(guard, Kind::Guard, |error| unsafe { mpguard_require(handle, error) });
                assert_ne!(status, MPGUARD_OK, "licensed where nobody has said yes");
            }
            3 => {
                let mut has = false;
                let out = &raw mut has;
                // SAFETY: a text, and a place for a bool.
                self.status(guard, Kind::Guard, |error| unsafe {
                    mpguard_has(handle, word, out, error)
                });
                assert!(!has, "a feature where nobody has said yes");
            }
            4 => {
                let tags = [text(b / 16), text(b % 16)];
                let count = usize::from(b % 2);
                gives!(Kind::Meter, |out, error| mpguard_meter(
                    handle,
                    word,
                    tags.as_ptr(),
                    count,
                    out,
                    error
                ));
            }
            5 => gives!(Kind::Seat, |out, error| mpguard_check_out(
                handle, word, number, wait, out, error
            )),
            // SAFETY: a text, and a place for an error.
            6 => drop(self.status(guard, Kind::Guard, |error| unsafe {
                mpguard_draw_down(handle, word, number, wait, error)
            })),
            7 => self.subscribe(guard, number),
            8 => gives!(Kind::Event, |out, error| mpguard_next_event(handle, wait, out, error)),
            9 => {
                let mut fd = -1;
                let out = &raw mut fd;
                // SAFETY: a place for a number.
                self.status(guard, Kind::Guard, |error| unsafe {
                    mpguard_event_fd(handle, out, error)
                });
            }
            10 => gives!(Kind::Account, |out, error| mpguard_account(handle, out, error)),
            11 => gives!(Kind::Stats, |out, error| mpguard_stats(handle, out, error)),
            12 => gives!(Kind::Report, |out, error| mpguard_flush(handle, wait, out, error)),
            _ => gives!(Kind::Report, |out, error| mpguard_shutdown(handle, wait, out, error)),
        }
    }

    fn subscribe(&mut self, guard: usize, number: i64) {
        let handle = ptr::without_provenance(guard);
        let mut subscription = u64::MAX;
        let (out, data) = (&raw mut subscription, ptr::without_provenance_mut(1));
        HANDED.fetch_add(1, Ordering::SeqCst);
        // SAFETY: callbacks of our own, and a place for a number.
        let status = self.status(guard, Kind::Guard, |error| unsafe {
            mpguard_subscribe(handle, Some(on_event), data, Some(returned), out, error)
        });
        if status != MPGUARD_OK {
            HANDED.fetch_sub(1, Ordering::SeqCst);
        }
        let gone = if number % 2 == 0 { subscription } else { number.cast_unsigned() };
        // SAFETY: a place for an error.
        self.status(guard, Kind::Guard, |error| unsafe {
            mpguard_unsubscribe(handle, gone, error)
        });
    }

    fn count(&mut self, meter: usize, a: u8, b: u8) {
        let handle = ptr::without_provenance(meter);
        let number = NUMBERS[usize::from(b) % NUMBERS.len()];
        let status = if a.is_multiple_of(2) {
            self.status(meter, Kind::Meter, |error| mpguard_meter_add(handle, number, error))
        } else {
            self.status(meter, Kind::Meter, |error| mpguard_meter_set(handle, number, error))
        };
        assert!(number >= 0 || status != MPGUARD_OK, "{number} was counted");
        // Without a place for the error it is the same.
        if number < 0 {
            assert_eq!(mpguard_meter_add(handle, number, ptr::null_mut()), status);
        }
    }

    /// Asks everything that there is to ask about a thing of `kind`, whatever `handle` is.
    fn look(&mut self, handle: usize, kind: Kind, b: u8) {
        let at = usize::from(b);
        /// Reads texts, numbers and flags; true when there was a first text.
        macro_rules! read {
            ($type:ty: $first:ident $(, $text:ident)*; $($number:ident)*; $($indexed:ident)*; $($part:ident)*) => {{
                let handle: *const $type = ptr::without_provenance(handle);
                $(let _ = shown($text(handle));)*
                $(let _ = $number(handle);)*
                $(let _ = $indexed(handle, at);)*
                $(let _ = shown($part(handle, at));)*
                shown($first(handle)).is_some()
            }};
        }
        let there = match kind {
            Kind::Config | Kind::Guard => return,
            Kind::Meter => read!(mpguard_meter_t: mpguard_meter_dimension;;;),
            Kind::Seat => read!(mpguard_seat_t: mpguard_seat_entitlement;
                mpguard_seat_number mpguard_seat_count mpguard_seat_held mpguard_seat_expires_ms;;),
            Kind::License => read!(mpguard_license_t:
                mpguard_license_json, mpguard_license_reason, mpguard_license_text, mpguard_license_arn,
                mpguard_license_version;
                mpguard_license_verdict mpguard_license_since_ms mpguard_license_until_ms
                mpguard_license_sandbox mpguard_license_entitlement_count;
                mpguard_license_entitlement_max_count mpguard_license_entitlement_consumed;
                mpguard_license_entitlement_name mpguard_license_entitlement_unit
                mpguard_license_entitlement_value),
            Kind::Event => read!(mpguard_event_t:
                mpguard_event_json, mpguard_event_kind_name, mpguard_event_topic, mpguard_event_text,
                mpguard_event_details_json;
                mpguard_event_kind mpguard_event_time_ms mpguard_event_sequence;;),
            Kind::Error => read!(mpguard_error_t:
                mpguard_error_text, mpguard_error_name, mpguard_error_kind;
                mpguard_error_code mpguard_error_retryable;;),
            Kind::Report => read!(mpguard_report_t: mpguard_report_json;
                mpguard_report_recorded mpguard_report_pending mpguard_report_disputed
                mpguard_report_seats_returned mpguard_report_may_be_lost;;),
            Kind::Account => read!(mpguard_account_t: mpguard_account_json; mpguard_account_count;
                mpguard_account_added mpguard_account_open mpguard_account_pending mpguard_account_delivered
                mpguard_account_disputed mpguard_account_held mpguard_account_missed;
                mpguard_account_dimension),
            Kind::Stats => read!(mpguard_stats_t: mpguard_stats_json, mpguard_stats_storage;
                mpguard_stats_calls mpguard_stats_calls_failed mpguard_stats_events
                mpguard_stats_events_replaced mpguard_stats_listener_failures;;),
        };
        assert_eq!(there, self.is(handle, kind), "{handle:#x} as a {kind:?}");
        if kind == Kind::License && there {
            let license = ptr::without_provenance(handle);
            assert!(mpguard_license_sandbox(license), "a license of nobody that is not marked");
            // SAFETY: a text.
            assert!(!unsafe { mpguard_license_has(license, text(b)) }, "a feature of nobody");
        }
        if kind == Kind::Report && there {
            let account = mpguard_report_account(ptr::without_provenance(handle));
            if !account.is_null() {
                self.take(account, Kind::Account);
            }
        }
    }

    fn of_event(&mut self, event: usize, a: u8) {
        let handle = ptr::without_provenance(event);
        let there = self.is(event, Kind::Event);
        match a % 4 {
            0 => {
                let mut copy = ptr::null_mut();
                let out = &raw mut copy;
                // SAFETY: places for a handle and an error.
                let status = self.status(event, Kind::Event, |error| unsafe {
                    mpguard_event_clone(handle, out, error)
                });
                if status == MPGUARD_OK {
                    self.take(copy, Kind::Event);
                }
            }
            1 => assert_eq!(mpguard_event_callback_failed(handle) == MPGUARD_OK, there),
            old => {
                let license = if old == 2 {
                    mpguard_event_license(handle)
                } else {
                    mpguard_event_old_license(handle)
                };
                assert_eq!(!license.is_null(), there);
                if there {
                    self.take(license, Kind::License);
                }
            }
        }
    }

    fn free(&mut self, handle: usize, kind: Kind) {
        let there = self.is(handle, kind);
        let status = match kind {
            Kind::Config => mpguard_config_free(ptr::without_provenance_mut(handle)),
            Kind::Guard => {
                // Freed without a shutdown it would wait for an answer of nobody.
                let guard = ptr::without_provenance(handle);
                // SAFETY: no places.
                unsafe { mpguard_shutdown(guard, 0, ptr::null_mut(), ptr::null_mut()) };
                mpguard_free(ptr::without_provenance_mut(handle))
            }
            Kind::Meter => mpguard_meter_free(ptr::without_provenance_mut(handle)),
            Kind::Seat => mpguard_seat_free(ptr::without_provenance_mut(handle)),
            Kind::License => mpguard_license_free(ptr::without_provenance_mut(handle)),
            Kind::Event => mpguard_event_free(ptr::without_provenance_mut(handle)),
            Kind::Error => mpguard_error_free(ptr::without_provenance_mut(handle)),
            Kind::Report => mpguard_report_free(ptr::without_provenance_mut(handle)),
            Kind::Account => mpguard_account_free(ptr::without_provenance_mut(handle)),
            Kind::Stats => mpguard_stats_free(ptr::without_provenance_mut(handle)),
        };
        let expected = if there || handle == 0 { MPGUARD_OK } else { MPGUARD_ERROR_STALE_HANDLE };
        assert_eq!(status, expected, "{handle:#x} freed as a {kind:?}");
        for it in self.given.iter_mut().filter(|it| it.handle == handle && it.kind == kind) {
            it.live = false;
        }
    }

    /// Frees what is left; then everything that was handed over has come back.
    fn end(mut self) {
        let left: Vec<_> =
            self.given.iter().filter(|it| it.live).map(|it| (it.handle, it.kind)).collect();
        for (handle, kind) in left {
            self.free(handle, kind);
        }
        for Given { handle, kind, .. } in &self.given {
            assert!(!self.is(*handle, *kind), "{handle:#x} is left");
        }
        let (handed, returned) = (HANDED.load(Ordering::SeqCst), RETURNED.load(Ordering::SeqCst));
        assert!(returned <= handed, "{returned} came back of {handed}");
    }
}

fn text(byte: u8) -> *const c_char {
    let known = TEXTS.get(usize::from(byte) % (TEXTS.len() + 1));
    known.map_or(ptr::null(), |text| text.as_ptr())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sequence_of_calls_gets_past_the_border() {
        let folder =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus/calls");
        let entries = std::fs::read_dir(&folder).expect("seeds");
        let mut seeds: Vec<_> = entries.map(|entry| entry.expect("listed").path()).collect();
        seeds.sort();
        assert!(seeds.len() > 4, "only {} seeds", seeds.len());
        for path in &seeds {
            let seed = std::fs::read(path).expect("read");
            for turn in 0..24_usize {
                let mut bytes = seed.clone();
                // The same each time: one byte is another one, further on in each turn.
                let at = turn * 7 % bytes.len().max(1);
                if let Some(byte) = bytes.get_mut(at).filter(|_| turn > 0) {
                    *byte = byte.wrapping_mul(31).wrapping_add(turn as u8);
                }
                let done = std::panic::catch_unwind(|| calls(&bytes));
                assert!(
                    done.is_ok(),
                    "`{}` of `{}` is a finding",
                    bytes.escape_ascii(),
                    path.display()
                );
            }
        }
    }
}
