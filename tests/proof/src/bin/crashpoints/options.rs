//! What a person asks for.

use std::time::{Duration, Instant};

pub(crate) struct Options {
    /// Only scenarios with this in their name.
    only: Option<String>,
    /// Every so manieth step is tried; which of them, the seed says.
    every: u64,
    /// Every so manieth step of a recovery crashes too; 0 for none.
    second: u64,
    /// What is torn where, and which requests arrive.
    pub(crate) seed: u64,
    pub(crate) jobs: usize,
    pub(crate) until: Instant,
    /// Syncs do nothing: shows that violations are found.
    pub(crate) lie: bool,
}

const USAGE: &str =
    "there are --every K, --second K, --seed N, --jobs N, --seconds S, --only NAME, --lie";

impl Options {
    pub(crate) fn read(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
        let mut options = Options {
            only: None,
            every: 1,
            second: 1,
            seed: 0,
            jobs: 2,
            until: Instant::now() + Duration::from_secs(1800),
            lie: false,
        };
        while let Some(arg) = args.next() {
            let mut number = || {
                let value = args.next().and_then(|value| value.parse::<u64>().ok());
                value.ok_or(format!("{arg} needs a whole number"))
            };
            match arg.as_str() {
                "--every" => options.every = number()?.max(1),
                "--second" => options.second = number()?,
                "--seed" => options.seed = number()?,
                "--jobs" => options.jobs = usize::try_from(number()?).unwrap_or(1).clamp(1, 64),
                "--seconds" => {
                    options.until = Instant::now() + Duration::from_secs(number()?.min(86_400))
                }
                "--only" => options.only = Some(args.next().ok_or("--only needs a name")?),
                "--lie" => options.lie = true,
                _ => return Err(format!("unknown option `{arg}`; {USAGE}")),
            }
        }
        Ok(options)
    }

    pub(crate) fn wants(&self, scenario: &str) -> bool {
        self.only.as_ref().is_none_or(|only| scenario.contains(only.as_str()))
    }

    pub(crate) fn crashes_again(&self, number: u64) -> bool {
        self.second > 0 && number.wrapping_add(self.seed).is_multiple_of(self.second)
    }

    pub(crate) fn takes(&self, number: u64) -> bool {
        number.wrapping_add(self.seed).is_multiple_of(self.every)
    }
}
