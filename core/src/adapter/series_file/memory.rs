//! The list of a task without a directory.

use super::{SERIES, full, gate, lock};
use crate::{model::usage::Series, port::counters::SeriesList};
use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

const WAIT_MAX: Duration = Duration::from_secs(5);

/// A list in this process's own memory.
#[derive(Default)]
pub struct MemoryList {
    list: Mutex<Vec<Series>>,
    /// A copy in a forked child: what it appended would have another meaning in each process.
    copied: bool,
}

impl MemoryList {
    /// What a forked child goes on with: the list as it was at the fork, which takes nothing new.
    ///
    /// Empty when a thread of the parent held it at the fork, which the gate prevents for two seconds.
    #[must_use]
    pub fn heir(&self) -> MemoryList {
        let list = lock::turn(&self.list).map(|list| list.clone()).unwrap_or_default();
        MemoryList { list: Mutex::new(list), copied: true }
    }
}

impl SeriesList for MemoryList {
    fn with(&self, change: &mut dyn FnMut(&[Series]) -> Option<Series>) -> Result<(), String> {
        let start = Instant::now();
        loop {
            let busy = gate::busy();
            if let Some(mut list) = lock::turn(&self.list) {
                let Some(series) = change(&list) else { return Ok(()) };
                if self.copied {
                    return Err(format!(
                        "cannot make a new counter of `{}` in a forked process: there is no state directory through \
                         which the others could learn of it; give `state_dir`, or make all meters before the fork",
                        series.dimension
                    ));
                }
                if list.len() >= SERIES {
                    return Err(full(&series));
                }
                list.push(series);
                return Ok(());
            }
            drop(busy);
            if start.elapsed() > WAIT_MAX {
                return Err("cannot use the list of counters: another thread holds it".to_owned());
            }
            std::thread::sleep(lock::NAP);
        }
    }
}
