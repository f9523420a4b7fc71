//! How a sandbox is started.

use std::path::PathBuf;

/// Whether the clock runs at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockMode {
    /// Real time, rate 1.
    #[default]
    Real,
    /// The clock stands until the control API moves it.
    Frozen,
}

/// What a sandbox is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Loopback port; 0 lets the system choose one.
    pub port: u16,
    /// Whether the clock runs.
    pub clock: ClockMode,
    /// First moment of the virtual clock in epoch milliseconds; absent: now.
    pub start_ms: Option<i64>,
    /// Region of tasks that name none.
    pub region: String,
    /// A JSON file with what to set up first: see `sandbox/README.md`.
    pub seed: Option<PathBuf>,
    /// Stop when standard input ends, so that no sandbox outlives the program that started it.
    pub exit_with_stdin: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            clock: ClockMode::Real,
            start_ms: None,
            region: "us-east-1".to_owned(),
            seed: None,
            exit_with_stdin: false,
        }
    }
}

/// Reads `2026-01-01T10:00:00Z` as epoch milliseconds; meant for command lines.
///
/// # Errors
///
/// Says what is wrong with the text, and what a good one looks like.
pub fn parse_start(text: &str) -> Result<i64, String> {
    crate::wire::time::parse_iso(text)
        .ok_or_else(|| format!("`{text}` is not a UTC moment; write it as `2026-01-01T10:00:00Z`"))
}
