//! What long operations tell: `mpguard_report_t`, `mpguard_account_t`, `mpguard_stats_t`.

use crate::{
    fence,
    handle::{self, Kind, Object},
    number::count,
    text,
};
use mpguard_core::{Account, Error, FlushReport, ShutdownReport, Stats};
use std::{
    ffi::{CString, c_char},
    ptr,
};

/// What `mpguard_shutdown` or `mpguard_flush` came to. Raw counts, summed over dimensions.
#[allow(non_camel_case_types)]
pub struct mpguard_report_t {
    _opaque: (),
}

/// Where every raw count is, one entry a dimension, and every prepaid unit, one entry a drawdown entitlement.
///
/// In each entry `added = open + pending + delivered + disputed + held + missed`.
#[allow(non_camel_case_types)]
pub struct mpguard_account_t {
    _opaque: (),
}

/// Counts of calls, failures and events since `mpguard_init`.
#[allow(non_camel_case_types)]
pub struct mpguard_stats_t {
    _opaque: (),
}

pub(crate) struct ReportObject {
    recorded: u64,
    pending: u64,
    disputed: u64,
    seats_returned: u64,
    may_be_lost: bool,
    accounts: Vec<Account>,
    json: CString,
}

impl ReportObject {
    pub(crate) fn of_shutdown(report: ShutdownReport) -> Box<ReportObject> {
        Box::new(ReportObject {
            json: text::json(&report),
            recorded: report.recorded,
            pending: report.pending,
            disputed: report.disputed,
            seats_returned: report.seats_returned,
            may_be_lost: report.may_be_lost,
            accounts: report.accounts,
        })
    }

    pub(crate) fn of_flush(report: &FlushReport) -> Box<ReportObject> {
        Box::new(ReportObject {
            json: text::json(report),
            recorded: report.recorded,
            pending: report.pending,
            disputed: 0,
            seats_returned: 0,
            may_be_lost: false,
            accounts: Vec::new(),
        })
    }
}

impl Object for ReportObject {
    type Opaque = mpguard_report_t;
    const KIND: Kind = Kind::Report;
}

pub(crate) struct AccountObject {
    entries: Vec<(CString, Account)>,
    json: CString,
}

impl AccountObject {
    pub(crate) fn new(accounts: Vec<Account>) -> Box<AccountObject> {
        let json = text::json(&accounts);
        let entries = accounts
            .into_iter()
            .map(|account| (text::owned(&account.dimension), account))
            .collect();
        Box::new(AccountObject { entries, json })
    }

    fn entry(&self, index: usize, field: impl FnOnce(&Account) -> u64) -> i64 {
        self.entries.get(index).map_or(-1, |(_, entry)| count(field(entry)))
    }
}

impl Object for AccountObject {
    type Opaque = mpguard_account_t;
    const KIND: Kind = Kind::Account;
}

pub(crate) struct StatsObject {
    stats: Stats,
    storage: CString,
    json: CString,
}

impl StatsObject {
    pub(crate) fn new(stats: Stats) -> Box<StatsObject> {
        Box::new(StatsObject {
            storage: text::owned(stats.storage),
            json: text::json(&stats),
            stats,
        })
    }
}

impl Object for StatsObject {
    type Opaque = mpguard_stats_t;
    const KIND: Kind = Kind::Stats;
}

/// An accessor's look at an object.
fn ask<O: Object, T>(
    handle: *const O::Opaque,
    fallback: T,
    with: impl FnOnce(&O) -> Result<T, Error>,
) -> T {
    fence::value(fallback, || with(&*handle::pin::<O>(handle)?))
}

/// Raw counts that AWS recorded during the operation.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 when `report` is no live report.
/// Source:  AWS Marketplace Metering, MeterUsage.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_report_recorded(report: *const mpguard_report_t) -> i64 {
    ask(report, -1, |report: &ReportObject| Ok(count(report.recorded)))
}

/// Raw counts not recorded yet; after a flush only those of ended hours.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 when `report` is no live report.
/// Source:  AWS Marketplace Metering, MeterUsage.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_report_pending(report: *const mpguard_report_t) -> i64 {
    ask(report, -1, |report: &ReportObject| Ok(count(report.pending)))
}

/// Raw counts whose fate is unknown; 0 after a flush.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 when `report` is no live report.
/// Source:  AWS Marketplace Metering, MeterUsage.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_report_disputed(report: *const mpguard_report_t) -> i64 {
    ask(report, -1, |report: &ReportObject| Ok(count(report.disputed)))
}

/// Seats that were checked in; 0 after a flush.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 when `report` is no live report.
/// Source:  AWS License Manager, CheckInLicense.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_report_seats_returned(report: *const mpguard_report_t) -> i64 {
    ask(report, -1, |report: &ReportObject| Ok(count(report.seats_returned)))
}

/// True when some pending usage lives in a place that ends with this process.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  true when `report` is no live report.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_report_may_be_lost(report: *const mpguard_report_t) -> bool {
    ask(report, true, |report: &ReportObject| Ok(report.may_be_lost))
}

/// The whole as a JSON object, in the form that every language shares.
///
/// Thread:  any.
/// Owns:    nothing; the text lives as long as the report.
/// Errors:  NULL when `report` is no live report.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_report_json(report: *const mpguard_report_t) -> *const c_char {
    ask(report, ptr::null(), |report: &ReportObject| Ok(report.json.as_ptr()))
}

/// Where every raw count is after a shutdown; empty after a flush.
///
/// Thread:  any.
/// Owns:    the result is yours; end it with `mpguard_account_free`.
/// Errors:  NULL when `report` is no live report.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_report_account(
    report: *const mpguard_report_t,
) -> *mut mpguard_account_t {
    ask(report, ptr::null_mut(), |report: &ReportObject| {
        handle::issue(AccountObject::new(report.accounts.clone()))
    })
}

/// Frees a report. NULL is fine.
///
/// Thread:  any, once no other thread reads its texts.
/// Owns:    takes `report`.
/// Errors:  MPGUARD_ERROR_STALE_HANDLE when it was freed before or is no report; nothing happens then.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_report_free(report: *mut mpguard_report_t) -> i32 {
    fence::status(ptr::null_mut(), || handle::free::<ReportObject>(report))
}

/// Number of entries: the configured dimensions.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  0 when `account` is no live account.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_account_count(account: *const mpguard_account_t) -> usize {
    ask(account, 0, |account: &AccountObject| Ok(account.entries.len()))
}

/// API name of the dimension of entry `index`, counted from 0.
///
/// Thread:  any.
/// Owns:    nothing; the text lives as long as the account.
/// Errors:  NULL past the last one and when `account` is no live account.
/// Source:  AWS Marketplace Metering, MeterUsage.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_account_dimension(
    account: *const mpguard_account_t,
    index: usize,
) -> *const c_char {
    ask(account, ptr::null(), |account: &AccountObject| {
        Ok(text::pointer(account.entries.get(index).map(|entry| &entry.0)))
    })
}

/// Everything that was added with success: raw counts of entry `index`.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 past the last one and when `account` is no live account.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_account_added(account: *const mpguard_account_t, index: usize) -> i64 {
    ask(account, -1, |account: &AccountObject| Ok(account.entry(index, |entry| entry.added)))
}

/// In the running hour: raw counts of entry `index`.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 past the last one and when `account` is no live account.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_account_open(account: *const mpguard_account_t, index: usize) -> i64 {
    ask(account, -1, |account: &AccountObject| Ok(account.entry(index, |entry| entry.open)))
}

/// Of an ended hour, frozen or carried, not yet answered for: raw counts of entry `index`.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 past the last one and when `account` is no live account.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_account_pending(account: *const mpguard_account_t, index: usize) -> i64 {
    ask(account, -1, |account: &AccountObject| Ok(account.entry(index, |entry| entry.pending)))
}

/// Recorded by AWS: raw counts of entry `index`.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 past the last one and when `account` is no live account.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_account_delivered(
    account: *const mpguard_account_t,
    index: usize,
) -> i64 {
    ask(account, -1, |account: &AccountObject| Ok(account.entry(index, |entry| entry.delivered)))
}

/// Fate unknown when the window closed: neither resent nor forgotten: raw counts of entry `index`.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 past the last one and when `account` is no live account.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_account_disputed(account: *const mpguard_account_t, index: usize) -> i64 {
    ask(account, -1, |account: &AccountObject| Ok(account.entry(index, |entry| entry.disputed)))
}

/// Refused by AWS until somebody repairs the set-up: raw counts of entry `index`.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 past the last one and when `account` is no live account.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_account_held(account: *const mpguard_account_t, index: usize) -> i64 {
    ask(account, -1, |account: &AccountObject| Ok(account.entry(index, |entry| entry.held)))
}

/// Levels whose hour can no longer be reported: raw counts of entry `index`.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 past the last one and when `account` is no live account.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_account_missed(account: *const mpguard_account_t, index: usize) -> i64 {
    ask(account, -1, |account: &AccountObject| Ok(account.entry(index, |entry| entry.missed)))
}

/// The whole as a JSON array, in the form that every language shares.
///
/// Thread:  any.
/// Owns:    nothing; the text lives as long as the account.
/// Errors:  NULL when `account` is no live account.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_account_json(account: *const mpguard_account_t) -> *const c_char {
    ask(account, ptr::null(), |account: &AccountObject| Ok(account.json.as_ptr()))
}

/// Frees an account. NULL is fine.
///
/// Thread:  any, once no other thread reads its texts.
/// Owns:    takes `account`.
/// Errors:  MPGUARD_ERROR_STALE_HANDLE when it was freed before or is no account; nothing happens then.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_account_free(account: *mut mpguard_account_t) -> i32 {
    fence::status(ptr::null_mut(), || handle::free::<AccountObject>(account))
}

/// Calls to AWS.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 when `stats` is no live stats object.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_stats_calls(stats: *const mpguard_stats_t) -> i64 {
    ask(stats, -1, |stats: &StatsObject| Ok(count(stats.stats.calls)))
}

/// Calls to AWS that gave no answer to decide on.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 when `stats` is no live stats object.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_stats_calls_failed(stats: *const mpguard_stats_t) -> i64 {
    ask(stats, -1, |stats: &StatsObject| Ok(count(stats.stats.calls_failed)))
}

/// Events announced.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 when `stats` is no live stats object.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_stats_events(stats: *const mpguard_stats_t) -> i64 {
    ask(stats, -1, |stats: &StatsObject| Ok(count(stats.stats.events)))
}

/// Events replaced by a newer one of their topic before a callback took them.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 when `stats` is no live stats object.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_stats_events_replaced(stats: *const mpguard_stats_t) -> i64 {
    ask(stats, -1, |stats: &StatsObject| Ok(count(stats.stats.events_replaced)))
}

/// Callbacks that failed; see `mpguard_event_callback_failed`.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  -1 when `stats` is no live stats object.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_stats_listener_failures(stats: *const mpguard_stats_t) -> i64 {
    ask(stats, -1, |stats: &StatsObject| Ok(count(stats.stats.listener_failures)))
}

/// Where usage is kept: `durable`, `container` or `memory`.
///
/// Thread:  any.
/// Owns:    nothing; the text lives as long as the stats.
/// Errors:  NULL when `stats` is no live stats object.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_stats_storage(stats: *const mpguard_stats_t) -> *const c_char {
    ask(stats, ptr::null(), |stats: &StatsObject| Ok(stats.storage.as_ptr()))
}

/// True when they come from a sandbox and say nothing of AWS.
///
/// Thread:  any.
/// Owns:    nothing.
/// Errors:  true when `stats` is no live stats object.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_stats_sandbox(stats: *const mpguard_stats_t) -> bool {
    ask(stats, true, |stats: &StatsObject| Ok(stats.stats.sandbox))
}

/// The whole as a JSON object, in the form that every language shares.
///
/// Thread:  any.
/// Owns:    nothing; the text lives as long as the stats.
/// Errors:  NULL when `stats` is no live stats object.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_stats_json(stats: *const mpguard_stats_t) -> *const c_char {
    ask(stats, ptr::null(), |stats: &StatsObject| Ok(stats.json.as_ptr()))
}

/// Frees a stats object. NULL is fine.
///
/// Thread:  any, once no other thread reads its texts.
/// Owns:    takes `stats`.
/// Errors:  MPGUARD_ERROR_STALE_HANDLE when it was freed before or is no stats object; nothing happens then.
/// Source:  mpguard.
/// Since:   0.1
#[unsafe(no_mangle)]
pub extern "C" fn mpguard_stats_free(stats: *mut mpguard_stats_t) -> i32 {
    fence::status(ptr::null_mut(), || handle::free::<StatsObject>(stats))
}
