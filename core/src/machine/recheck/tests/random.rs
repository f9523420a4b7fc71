//! Looks with chaotic answers, restarts and clocks, under many seeds.

use super::*;

/// What the account really has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Truth {
    Usable,
    Suspended,
    Nothing,
}

struct Chaos {
    bench: Bench,
    draw: Draw,
    truth: Truth,
    down: bool,
    /// AWS's time. The process may see another one.
    skew_ms: i64,
    trusted: bool,
    end: Timestamp,
    /// When a whole look last heard yes, by AWS's time.
    yes: Option<Timestamp>,
    /// Running time since then.
    ran: Duration,
    /// Some answer since then was an explicit no.
    no: bool,
    /// AWS's no was believed, and no yes came since.
    over: bool,
    seen: [u32; 4],
}

impl Chaos {
    fn new(seed: u8) -> Chaos {
        let mut draw = Draw::new([seed ^ 0x77; 32]);
        let end = Timestamp(0).after(DAY + draw.up_to(30 * DAY));
        Chaos {
            bench: Bench::new(),
            truth: Truth::Usable,
            down: false,
            skew_ms: 0,
            trusted: true,
            end,
            yes: None,
            ran: Duration::ZERO,
            no: false,
            over: false,
            seen: [0; 4],
            draw,
        }
    }

    fn license(&self) -> Contract {
        let standing = match self.truth {
            Truth::Usable if self.aws_now() < self.end => Standing::Usable,
            Truth::Usable => Standing::Expired,
            _ => Standing::Suspended,
        };
        Contract { standing, expires: Some(self.end), ..contract("Basic", 10, "1") }
    }

    fn aws_now(&self) -> Timestamp {
        self.bench.now.shifted(-self.skew_ms)
    }

    fn fails(&mut self) -> Option<Failure> {
        let class = match self.draw.below(if self.down { 4 } else { 24 }) {
            0 => FailureClass::Throttled,
            1 => FailureClass::NotSent,
            _ if !self.down => return None,
            _ => FailureClass::Unknown,
        };
        Some(failure(class, "chaos"))
    }

    /// Answers a look. It was a yes when tiers and license both were.
    fn answer(&mut self, mut questions: Vec<Question>) {
        let (mut tiers, mut read) = (false, false);
        while let Some(question) = questions.pop() {
            let fails = self.fails();
            let (now, license) = (self.bench.now, self.license());
            let usable = license.standing == Standing::Usable;
            let (recheck, draw) = (&mut self.bench.recheck, &mut self.bench.draw);
            let step = match (question, fails) {
                (Question::Tiers(..), Some(failure)) => {
                    recheck.tiers(Tiers::Failed(failure), now, draw)
                }
                (Question::Tiers(..), None) if usable => {
                    tiers = true;
                    recheck.tiers(bought("Basic"), now, draw)
                }
                (Question::Tiers(..), None) => recheck.tiers(Tiers::None("none".into()), now, draw),
                (Question::Details(_), Some(failure)) => {
                    recheck.details(Details::Failed(failure), now, draw)
                }
                (Question::Details(_), None) if self.truth == Truth::Nothing => {
                    self.no = true;
                    recheck.details(Details::Nothing("gone".into()), now, draw)
                }
                (Question::Details(_), None) => {
                    self.no |= !usable;
                    read |= usable;
                    recheck.details(Details::Found(license), now, draw)
                }
                (Question::Consumption(_), _) => Step::default(),
                (Question::Prove(_), _) => panic!("the license can be read"),
            };
            self.bench.told.extend(step.news);
            questions.extend(step.questions);
        }
        let mut next = self.bench.tick();
        if tiers && read {
            self.yes = Some(self.aws_now());
            (self.ran, self.no, self.over) = (Duration::ZERO, false, false);
            // The answers brought AWS's time.
            self.bench.recheck.shift(-self.skew_ms);
            self.bench.now = self.bench.now.shifted(-self.skew_ms);
            self.bench.recheck.trust();
            (self.skew_ms, self.trusted) = (0, true);
            next.extend(self.bench.tick());
        }
        if tiers && !read && self.yes.is_some() {
            // A check out that AWS allows is a yes too; only the license's details are older.
            (self.yes, self.ran) = (Some(self.aws_now()), Duration::ZERO);
        }
        if !next.is_empty() {
            self.answer(next);
        }
    }

    fn check(&mut self) {
        let part = self.bench.recheck.part(self.bench.now);
        self.seen[part.verdict as usize] += 1;
        let age = self.yes.map(|yes| self.aws_now().since(yes));
        let slack = Duration::from_millis(2);
        match part.verdict {
            Verdict::Pending => {}
            Verdict::Licensed | Verdict::Grace => {
                let age = age.expect("no verdict without a yes");
                let ran = self.ran;
                // Running time is paid from the first failure on, which comes an interval after the yes at most.
                let unpaid = Duration::from_millis(17 * MINUTE);
                assert!(ran <= DAY + unpaid, "{ran:?} of running time on one yes: {part:?}");
                if self.trusted {
                    assert!(age <= DAY + slack, "{age:?} old: {part:?}");
                    let looked = self.bench.recheck.looked_at < self.end;
                    assert!(
                        self.aws_now() < self.end || looked,
                        "past the license's end: {part:?}"
                    );
                }
                assert!(!self.over, "revived: {part:?}");
                if part.verdict == Verdict::Licensed {
                    assert!(ran <= HOUR, "licensed on a yes of {ran:?} ago");
                }
            }
            Verdict::Denied if part.reason == Reason::Stale => {
                // A wrong clock may end it early, and a start pays a minute.
                let full = age.is_some_and(|age| age + HOUR >= DAY) || self.ran + 4 * HOUR >= DAY;
                assert!(full || !self.trusted || self.bench.recheck.memory.base > HOUR, "{part:?}");
            }
            Verdict::Denied => {
                let ended = self.bench.now >= self.end;
                assert!(self.no || ended, "without an explicit answer: {part:?}");
                let by_date = self.bench.recheck.contract();
                self.over |= by_date.is_none_or(|c| c.standing != Standing::Usable);
            }
        }
    }

    fn run(&mut self, time: Duration) {
        let end = self.aws_now().after(time);
        let mut still = 0;
        while self.aws_now() < end {
            let due = [self.bench.recheck.due(), self.bench.recheck.turns_at(self.bench.now)];
            let due = due.into_iter().flatten().min().expect("it looks again");
            let to = due.max(self.bench.now).min(end.shifted(self.skew_ms));
            still = if to > self.bench.now { 0 } else { still + 1 };
            assert!(still < 100, "it spins at {to}: {:?}", self.bench.recheck);
            self.ran += to.since(self.bench.now);
            self.bench.now = to;
            self.check();
            let questions = self.bench.tick();
            self.answer(questions);
            self.check();
        }
    }

    fn restart(&mut self) {
        let off = self.draw.up_to(2 * HOUR);
        let now = self.aws_now().after(off);
        self.trusted = self.draw.below(2) == 0;
        self.skew_ms = match (self.trusted, self.draw.below(3)) {
            (true, _) | (_, 0) => 0,
            (_, 1) => -86_400_000 * 2,
            _ => 3_600_000 * 5,
        };
        let written = self.bench.written.last().cloned();
        let mut next = Bench::at(plan(), now.shifted(self.skew_ms));
        next.recheck.memory.trusted = self.trusted;
        next.written.extend(written.clone());
        self.bench = next;
        let (early, now) = (self.draw.below(2) == 0, self.bench.now);
        if let Some(remembered) = written {
            if !early {
                self.run(Duration::from_secs(5));
            }
            self.bench.recheck.remembered(remembered, now);
        }
    }

    fn step(&mut self) {
        match self.draw.below(12) {
            0 => self.restart(),
            1 => self.down = !self.down,
            2 => {
                self.truth = match self.draw.below(6) {
                    0 => Truth::Suspended,
                    1 => Truth::Nothing,
                    _ => Truth::Usable,
                };
            }
            3 => {
                let most = [HOUR, 6 * HOUR, 2 * DAY][self.draw.below(3) as usize];
                let time = self.draw.up_to(most);
                self.run(time);
            }
            4 if self.aws_now() >= self.end => {
                let now = self.aws_now();
                self.end = now.after(DAY + self.draw.up_to(30 * DAY));
            }
            _ => {
                let time = self.draw.up_to(HOUR);
                self.run(time);
            }
        }
    }
}

/// No denial without an explicit answer, but after the whole grace; no grace past its end or the license's; across
/// restarts, outages, and clocks that are wrong until AWS answers. T52, T53
#[test]
fn no_run_of_answers_and_restarts_breaks_the_rules_of_grace() {
    let mut seen = [0; 4];
    for seed in 0..24 {
        let mut chaos = Chaos::new(seed);
        for _ in 0..60 {
            chaos.step();
        }
        for (sum, n) in seen.iter_mut().zip(chaos.seen) {
            *sum += n;
        }
    }
    assert!(seen.iter().all(|n| *n > 1_000), "every verdict was there: {seen:?}");
}
