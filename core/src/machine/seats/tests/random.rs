//! Random lives of a house: answers in any order, lost, late and refused; crashes, sleeps, other pods.

use super::*;

/// What may go wrong in a run.
#[derive(Clone, Copy, Debug)]
struct Weather {
    faults: bool,
    crashes: bool,
    /// How long AWS remembers a client token.
    memory: Duration,
    renames: bool,
}

struct Run {
    house: House,
    dice: Draw,
    weather: Weather,
    others: u64,
    /// No crash has been yet.
    whole: bool,
}

#[test]
fn in_good_weather_aws_holds_what_the_hosts_have_and_what_lingers_and_nothing_else() {
    let weather = Weather { faults: false, crashes: false, memory: MINUTE * 10, renames: false };
    for seed in 0..100 {
        Run::new(seed, Weather { renames: seed % 2 == 0, ..weather }).live(200);
    }
}

#[test]
fn no_fault_costs_a_second_seat_while_aws_remembers_client_tokens() {
    let weather = Weather { faults: true, crashes: false, memory: MINUTE * 20, renames: false };
    for seed in 0..100 {
        Run::new(seed, weather).live(200);
    }
}

#[test]
fn no_crash_costs_a_second_seat_while_aws_remembers_client_tokens() {
    let weather = Weather { faults: true, crashes: true, memory: MINUTE * 20, renames: false };
    for seed in 0..100 {
        Run::new(seed, weather).live(200);
    }
}

#[test]
fn without_that_memory_only_what_was_never_answered_is_left_to_its_time() {
    let weather = Weather { faults: true, crashes: true, memory: Duration::ZERO, renames: true };
    for seed in 0..100 {
        Run::new(seed, weather).live(200);
    }
}

impl Run {
    fn new(seed: u8, weather: Weather) -> Run {
        let mut dice = Draw::new([seed ^ 0x5a; 32]);
        let mut aws = Aws::with(3 + dice.below(20));
        aws.bought.insert("Robots".into(), 3);
        aws.life = MINUTE * [5, 60, 180][dice.below(3) as usize];
        (aws.memory, aws.renames) = (weather.memory, weather.renames);
        let linger = [Duration::ZERO, SECOND * 5, MINUTE * 5][dice.below(3) as usize];
        let mut house = House::over(aws, linger, seed);
        house.prompt = false;
        Run { house, dice, weather, others: 0, whole: true }
    }

    fn live(mut self, steps: u32) {
        for _ in 0..steps {
            self.step();
            self.check();
        }
        self.settle();
    }

    fn step(&mut self) {
        match self.dice.below(20) {
            0..=5 => {
                let name = if self.dice.below(4) == 0 { "Robots" } else { "Seats" };
                let count = 1 + self.dice.below(3);
                self.house.want_of(name, count);
            }
            6..=8 => self.release_one(),
            9..=15 => self.answer_one(),
            16 => self.others_move(),
            17 if self.weather.crashes && self.dice.below(8) == 0 => self.crash(),
            _ => {
                // Seconds mostly, sometimes the rest of a life. No call is without an answer for long.
                let most = [5, 30, 30, 4000][self.dice.below(4) as usize];
                if most > 30 {
                    self.answer_all();
                }
                let time = self.dice.up_to(Duration::from_secs(most));
                // What is in doubt is asked for again within AWS's memory: nobody sleeps or fails so long.
                let in_doubt = self.house.seats.kept().iter().any(|kept| kept.asking.is_some());
                if self.dice.below(10) == 0 && !in_doubt {
                    self.house.sleep(time);
                } else {
                    let faults = std::mem::replace(&mut self.weather.faults, most <= 30);
                    self.weather.faults &= faults;
                    self.pass(time);
                    self.weather.faults = faults;
                }
            }
        }
    }

    /// Answers come as long as time passes.
    fn pass(&mut self, time: Duration) {
        let until = self.house.now.after(time);
        while self.house.now < until {
            let left = until.since(self.house.now).min(SECOND * 20);
            self.house.pass(left);
            if left == SECOND * 20 {
                self.answer_all();
            }
        }
    }

    fn answer_all(&mut self) {
        for _ in 0..1000 {
            if self.house.flying.is_empty() {
                return;
            }
            self.answer_one();
        }
        panic!("calls without end: {:?}", self.house.seats);
    }

    fn answer_one(&mut self) {
        if self.house.flying.is_empty() {
            return;
        }
        // In any order.
        let first = self.dice.below(self.house.flying.len() as u64) as usize;
        self.house.flying.rotate_left(first);
        let fault = match self.dice.below(12) {
            0 if self.weather.faults => Fault::Lost,
            1 if self.weather.faults => Fault::Unknown,
            2 if self.weather.faults => Fault::Throttled,
            3 if self.weather.faults => Fault::NotSent,
            _ => Fault::None,
        };
        self.house.answer(fault);
    }

    fn release_one(&mut self) {
        let house = &self.house;
        let seats: Vec<SeatId> = house.held.keys().chain(house.waiting.keys()).copied().collect();
        if !seats.is_empty() {
            let seat = seats[self.dice.below(seats.len() as u64) as usize];
            self.house.release(seat);
        }
    }

    /// Other pods of the buyer take and return seats.
    fn others_move(&mut self) {
        let free = self.house.aws.bought["Seats"].saturating_sub(self.house.aws.in_use("Seats"));
        if self.others > 0 && self.dice.below(2) == 0 {
            self.others -= 1;
            self.house.aws.others_return("Seats", 1);
        } else if free > 0 && self.others < 2 {
            self.others += 1;
            self.house.aws.others_take("Seats", 1);
        }
    }

    fn crash(&mut self) {
        while let Some(command) = self.house.flying.pop_front() {
            let arrives = self.dice.below(2) == 0;
            let fault = if arrives { Fault::Lost } else { Fault::NotSent };
            let _ = self.house.aws.carry_out(&command, fault, self.house.now);
        }
        self.whole = false;
        self.house.crash();
    }

    /// AWS holds nothing that we do not know of: by its token, or by a client token that is asked for again.
    fn check(&self) {
        let kept = self.house.seats.kept();
        let knows = |token: &str, client_token: &str| {
            kept.iter().any(|kept| {
                kept.given.as_ref().is_some_and(|given| given.token.as_str() == token)
                    || kept.asking.as_ref().is_some_and(|a| a.client_token.as_str() == client_token)
            })
        };
        let stray: Vec<&String> = self
            .house
            .aws
            .outs
            .iter()
            .filter(|(token, out)| !knows(token, &out.client_token))
            .map(|(token, _)| token)
            .collect();
        if self.weather.memory > Duration::ZERO {
            assert!(stray.is_empty(), "{stray:?} of {:?}", self.house.seats);
        }
        if !self.weather.faults {
            // And a host's seats are AWS's, but for the moment of a swap.
            for entry in self.house.seats.leases.values() {
                if let (User::Seat(_), Some(token)) = (entry.user, entry.lease.token())
                    && !entry.lease.swapping()
                    && entry.lease.expires() > Some(self.house.now)
                {
                    assert!(self.house.aws.outs.contains_key(token.as_str()) || self.renaming());
                }
            }
        }
        assert_eq!(self.house.aws.wasted, 0, "an extension that the quota was sure to refuse");
    }

    /// An extension that AWS has done under another name is on its way back.
    fn renaming(&self) -> bool {
        self.weather.renames
    }

    /// The weather clears, everybody leaves: nothing is left but what was never answered, until its time ends.
    fn settle(&mut self) {
        self.weather = Weather { faults: false, crashes: false, ..self.weather };
        self.house.prompt = true;
        self.answer_all();
        self.house.aws.others_return("Seats", self.others);
        // Whoever waits is served in the end, when all seats are there for it.
        for _ in 0..400 {
            let held: Vec<SeatId> = self.house.held.keys().copied().collect();
            held.into_iter().for_each(|seat| self.house.release(seat));
            if self.house.waiting.is_empty() {
                break;
            }
            self.house.pass(MINUTE);
        }
        let held: Vec<SeatId> = self.house.held.keys().copied().collect();
        held.into_iter().for_each(|seat| self.house.release(seat));
        self.house.pass(HOUR * 4);
        assert_eq!(self.house.waiting.len(), 0, "a wish is never served: {:?}", self.house.seats);
        assert!(self.house.seats.idle(), "{:?}", self.house.seats);
        assert!(self.house.aws.outs.is_empty());
        assert!(self.house.seats.leases.is_empty());
    }
}
