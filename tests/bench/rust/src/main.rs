//! Counts from Rust: `Meter::add`, beside an atomic addition on a mapped page and the counters that sellers use.
//!
//! `MPGUARD_CONFIG`: the configuration as JSON; `BENCH_DIMENSION`: what is counted; `BENCH_TIER`: what was
//! bought. turn.h says what it answers.

mod turns;

use mpguard_core::{Config, Guard, Meter};
use opentelemetry::{KeyValue, metrics::MeterProvider};
use opentelemetry_sdk::metrics::{ManualReader, SdkMeterProvider};
use prometheus::{IntCounterVec, Opts};
use std::{
    env,
    error::Error,
    sync::atomic::{AtomicU64, Ordering},
};
use turns::Row;

fn main() -> Result<(), Box<dyn Error>> {
    let (dimension, tier) = (env::var("BENCH_DIMENSION")?, env::var("BENCH_TIER")?);
    let guard = Guard::init(&Config::from_json(&env::var("MPGUARD_CONFIG")?)?)?;
    let meter = guard.meter(&dimension, &[("Team", "red"), ("Zone", "a")])?;
    let word = mapped()?;
    let labelled = IntCounterVec::new(Opts::new("requests", "Requests."), &["team", "zone"])?;
    let child = labelled.with_label_values(&["red", "a"]);
    // With a reader, as every seller has one; without one the SDK counts nothing.
    let provider = SdkMeterProvider::builder().with_reader(ManualReader::builder().build()).build();
    let instrument = provider.meter("bench").u64_counter("requests").build();
    let attributes = [KeyValue::new("team", "red"), KeyValue::new("zone", "a")];

    let bare = |calls| {
        repeat(calls, || {
            word.fetch_add(1, Ordering::Relaxed);
        })
    };
    let nothing = |calls| repeat(calls, || nothing(&meter, 1));
    let add = |calls| repeat(calls, || add(&meter));
    let add_once = |calls| repeat(calls, || bench_add_once(&meter));
    let has = |calls| repeat(calls, || assert!(guard.has(&tier), "the tier was bought"));
    let prometheus_child = |calls| repeat(calls, || child.inc_by(1));
    let prometheus_labels =
        |calls| repeat(calls, || labelled.with_label_values(&["red", "a"]).inc_by(1));
    let opentelemetry = |calls| repeat(calls, || instrument.add(1, &attributes));
    let bound = instrument.bind(&attributes);
    let opentelemetry_bound = |calls| repeat(calls, || bound.add(1));
    let rows: [Row<'_>; 9] = [
        ("fetch_add", &bare),
        ("nothing", &nothing),
        ("add", &add),
        ("add once", &add_once),
        ("has", &has),
        ("prometheus, child", &prometheus_child),
        ("prometheus, labels", &prometheus_labels),
        ("opentelemetry, bound", &opentelemetry_bound),
        ("opentelemetry, attributes", &opentelemetry),
    ];
    turns::take(&rows, &dimension, || Ok(serde_json::to_value(guard.account()?)?))
}

fn repeat(calls: u64, what: impl Fn()) {
    for _ in 0..calls {
        what();
    }
}

/// The callgrind part of the bench counts the instructions of this function.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn bench_add_once(meter: &Meter) {
    add(meter);
}

#[inline]
fn add(meter: &Meter) {
    meter.add(1).expect("the guard runs");
}

/// A call that does nothing, of the same shape.
#[inline(never)]
fn nothing(meter: &Meter, quantity: u64) {
    std::hint::black_box((meter, quantity));
}

/// A counter on a page of its own, mapped as the counters of a guard are.
fn mapped() -> Result<&'static AtomicU64, Box<dyn Error>> {
    let (how, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
    // SAFETY: a new mapping at a place that the kernel chooses.
    let page = unsafe { libc::mmap(std::ptr::null_mut(), 4096, how, kind, -1, 0) };
    if page == libc::MAP_FAILED {
        return Err(std::io::Error::last_os_error().into());
    }
    // SAFETY: the page is zeroed, aligned, never unmapped, and only this word of it is used.
    Ok(unsafe { AtomicU64::from_ptr(page.cast()) })
}
