//! Timing whole processes, in turn.

use crate::run::Done;
use serde_json::{Value, json};
use std::{
    process::{Command, Stdio},
    time::Instant,
};

/// Times of one program.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) median_ms: f64,
    pub(super) least_ms: f64,
    pub(super) most_ms: f64,
}

impl Row {
    pub(super) fn json(&self) -> Value {
        json!({"name": self.name, "median_ms": self.median_ms, "least_ms": self.least_ms, "most_ms": self.most_ms})
    }
}

/// Runs all programs in turn, once to warm up and then `rounds` times.
pub(super) fn interleaved(
    programs: &[(&str, impl Fn() -> Command)],
    rounds: usize,
) -> Done<Vec<Row>> {
    let mut times = vec![Vec::new(); programs.len()];
    for round in 0..=rounds {
        for ((name, make), times) in programs.iter().zip(&mut times) {
            let mut command = make();
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
            let start = Instant::now();
            let output = command.output().map_err(|e| format!("cannot start `{name}`: {e}"))?;
            let time = start.elapsed().as_secs_f64() * 1000.0;
            if !output.status.success() {
                return Err(format!(
                    "`{name}` failed: {}",
                    String::from_utf8_lossy(&output.stderr)
                ));
            }
            if round > 0 {
                times.push(time);
            }
        }
    }
    let row = |((name, _), mut times): (&(&str, _), Vec<f64>)| Row {
        median_ms: median(&mut times),
        least_ms: times.iter().copied().fold(f64::INFINITY, f64::min),
        most_ms: times.iter().copied().fold(0.0, f64::max),
        name: (*name).to_owned(),
    };
    Ok(programs.iter().zip(times).map(row).collect())
}

/// The middle of these.
pub(super) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
