//! T26: a fleet of tasks shares the account's few calls a second.

use super::*;

const TASKS: usize = 500;
/// Source: Metering API reference, service quotas: MeterUsage, calls a second of one account.
const CALLS_A_SECOND: usize = 10;

struct Task {
    engine: Engine,
    due: Option<Timestamp>,
    /// What it asks of AWS in this second.
    asks: Vec<Input>,
    delivered: bool,
}

struct Fleet {
    tasks: Vec<Task>,
    now: Timestamp,
    throttled: usize,
}

impl Fleet {
    fn new() -> Fleet {
        let now = START.start();
        let tasks = (0..TASKS)
            .map(|n| {
                let mut seed = [7; 32];
                seed[..8].copy_from_slice(&n.to_le_bytes());
                let engine = Engine::new(metered(StartupCheck::DryRun), seed, now);
                Task { engine, due: None, asks: Vec::new(), delivered: false }
            })
            .collect();
        let mut fleet = Fleet { tasks, now, throttled: 0 };
        for n in 0..TASKS {
            let identity = Identity { name: format!("arn:aws:ecs:task/{n}"), ..identity() };
            fleet.hear(n, Input::Start { inherited: None });
            fleet.hear(n, Input::Identified(Ok(identity)));
            fleet.hear(n, Input::Opened { entitled: false, leading: true });
            fleet.hear(n, Input::Led { books: Box::default(), hour: START });
            fleet.hear(n, Input::TimeKnown { behind_ms: 0, guess_behind_ms: 0 });
            fleet.hear(n, Input::Series(series()));
        }
        fleet
    }

    fn hear(&mut self, n: usize, input: Input) {
        let now = self.now;
        let task = &mut self.tasks[n];
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for command in task.engine.step(input, now) {
                match command {
                    Command::CheckUsage => task.asks.push(Input::Permitted(Permitted::Yes)),
                    Command::Send(record) => {
                        task.asks.push(Input::Sent { record: record.id, outcome: recorded() });
                    }
                    Command::Rotate { next, .. } => {
                        let values = [(SeriesId(0), 3)].into();
                        let slab = Closed { sequence: 1, hour: START, provisional: false, values };
                        inputs.push(Input::Captured { slab, next });
                    }
                    _ => {}
                }
            }
        }
        task.due = task.engine.due(now);
    }

    /// One second: the first calls get through, the others are told to wait.
    fn second(&mut self) {
        let mut left = CALLS_A_SECOND;
        for n in 0..TASKS {
            for answer in std::mem::take(&mut self.tasks[n].asks) {
                let answer = if left > 0 {
                    left -= 1;
                    self.tasks[n].delivered |= matches!(answer, Input::Sent { .. });
                    answer
                } else {
                    self.throttled += 1;
                    throttle(answer)
                };
                self.hear(n, answer);
            }
        }
        self.now = self.now.after(Duration::from_secs(1));
        for n in 0..TASKS {
            if self.tasks[n].due.is_some_and(|due| due <= self.now) {
                self.hear(n, Input::Tick);
            }
        }
    }

    fn licensed(&self) -> usize {
        self.tasks.iter().filter(|t| t.engine.license().verdict == Verdict::Licensed).count()
    }
}

fn throttle(answer: Input) -> Input {
    let failure = failure(FailureClass::Throttled);
    match answer {
        Input::Sent { record, .. } => Input::Sent { record, outcome: Sent::Failed(failure) },
        _ => Input::Permitted(Permitted::Failed(failure)),
    }
}

#[test]
fn five_hundred_tasks_that_start_together_are_all_licensed_within_minutes() {
    // T26
    let mut fleet = Fleet::new();
    let mut seconds = 0;
    while fleet.licensed() < TASKS {
        fleet.second();
        seconds += 1;
        let denied = |task: &Task| task.engine.license().verdict == Verdict::Denied;
        assert!(!fleet.tasks.iter().any(denied), "throttling denies nobody");
        assert!(seconds < 300, "{} of {TASKS} after five minutes", fleet.licensed());
    }
    assert!(fleet.throttled > TASKS, "the account was throttled: {}", fleet.throttled);
}

#[test]
fn the_records_of_a_fleet_are_spread_over_the_hour_and_all_arrive() {
    // T26
    let mut fleet = Fleet::new();
    while fleet.licensed() < TASKS {
        fleet.second();
    }
    fleet.now = START.end();
    fleet.throttled = 0;
    for n in 0..TASKS {
        fleet.hear(n, Input::Tick);
    }
    let mut seconds = 0;
    while !fleet.tasks.iter().all(|task| task.delivered) {
        fleet.second();
        seconds += 1;
        assert!(seconds < 20 * 60, "every record leaves in the first twenty minutes");
    }
    assert!(fleet.throttled < TASKS / 10, "hardly any is throttled: {}", fleet.throttled);
    let delivered: u64 = fleet.tasks.iter().map(|t| t.engine.accounts()[0].delivered).sum();
    assert_eq!(delivered, 3 * TASKS as u64);
}
