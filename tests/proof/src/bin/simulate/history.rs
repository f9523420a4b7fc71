//! Runs histories, one a seed, until one of them breaks an invariant.

use std::{
    fmt,
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

/// Lines of a trace.
const TRACE: usize = 60;

/// One seed's world, from its beginning to its end.
pub(crate) trait History {
    /// Counts of what happened.
    type Figures: Clone + Default + fmt::Display + Send;

    fn new(seed: u64, days: u64, trace: Trace) -> Self;

    /// Lives the whole history; gives what was broken.
    fn run(&mut self) -> Option<String>;

    fn add_to(&self, sum: &mut Self::Figures);

    fn trace(&self) -> &Trace;
}

/// What the command line says.
pub(crate) struct Arguments {
    pub(crate) seeds: u64,
    pub(crate) days: u64,
    pub(crate) start: u64,
    pub(crate) jobs: u64,
    /// Most seconds; histories that do not fit into them are a failure.
    pub(crate) limit: u64,
}

/// The last lines of what happened, kept when somebody will read them.
#[derive(Default)]
pub(crate) struct Trace(Option<std::collections::VecDeque<String>>);

impl Trace {
    pub(crate) fn on() -> Trace {
        Trace(Some(std::collections::VecDeque::new()))
    }

    pub(crate) fn note(&mut self, now: i64, text: impl FnOnce() -> String) {
        let Some(lines) = &mut self.0 else { return };
        if lines.len() == TRACE {
            lines.pop_front();
        }
        let at = mpguard_handless::model::time::Timestamp(now);
        let mut line = format!("{at} {}", text());
        line.truncate(line.char_indices().nth(400).map_or(line.len(), |(n, _)| n));
        lines.push_back(line);
    }

    fn lines(&self) -> impl Iterator<Item = &String> {
        self.0.iter().flatten()
    }
}

/// All histories of these seeds; the line that closes them says `violations 0`, or what was broken.
pub(crate) fn run<H: History>(arguments: &Arguments) -> ExitCode {
    let begin = Instant::now();
    let (figures, broken) = live::<H>(arguments, begin);
    if let Some((seed, text)) = broken {
        // The same history once more, now with its trace.
        let mut history = H::new(seed, arguments.days, Trace::on());
        history.run();
        println!("seed {seed}: {text}");
        for line in history.trace().lines() {
            println!("  {line}");
        }
        println!("{figures}, {} s, violations 1", begin.elapsed().as_secs());
        return ExitCode::FAILURE;
    }
    if begin.elapsed().as_secs() >= arguments.limit {
        println!("not all histories fit into {} s; {figures}", arguments.limit);
        return ExitCode::FAILURE;
    }
    println!("{figures}, {} s, violations 0", begin.elapsed().as_secs());
    ExitCode::SUCCESS
}

type Broken = Option<(u64, String)>;

fn live<H: History>(arguments: &Arguments, begin: Instant) -> (H::Figures, Broken) {
    let next = AtomicU64::new(arguments.start);
    let stop = AtomicBool::new(false);
    let sum: Mutex<(H::Figures, Broken)> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let over = begin.elapsed().as_secs() >= arguments.limit;
                    if over || seed >= arguments.start + arguments.seeds {
                        return;
                    }
                    let mut history = H::new(seed, arguments.days, Trace::default());
                    let broken = history.run();
                    let mut sum = sum.lock().expect("no job panics with the lock");
                    history.add_to(&mut sum.0);
                    if let Some(text) = broken {
                        stop.store(true, Ordering::Relaxed);
                        sum.1 = Some((seed, text));
                    }
                }
            });
        }
    });
    sum.into_inner().expect("no job panics with the lock")
}
