//! Planted bugs. Each is one change of a copy of the core; a simulator that finds none of it proves nothing.
//!
//! The copy has a workspace of its own below the build folder, so that only two crates are built for each bug.

use crate::{
    place,
    run::{Done, cargo, program, quiet},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// One planted bug.
struct Mutant {
    name: &'static str,
    /// Below `core/src`.
    file: &'static str,
    /// What is there, exactly once.
    find: &'static str,
    /// What is put there.
    replace: &'static str,
}

/// Of usage, which the world of metering finds.
const USAGE: &[Mutant] = &[
    Mutant {
        name: "drop the begin mark",
        file: "machine/metering/send.rs",
        find: "self.enter(Entry::Begun(id), step);",
        replace: "",
    },
    Mutant {
        name: "resend with a new quantity",
        file: "machine/metering/send.rs",
        find: "let (record, begun) = (kept.record.clone(), kept.begun);",
        replace: "let (mut record, begun) = (kept.record.clone(), kept.begun);
            record.units.scaled += u64::from(kept.attempts > 0);",
    },
    Mutant {
        name: "carry after an unknown send",
        file: "machine/metering/send.rs",
        find: "let fate = if kept.in_doubt {",
        replace: "let fate = if false {",
    },
    Mutant {
        name: "forget the doubt of a dead process",
        file: "machine/metering.rs",
        find: "kept.in_doubt |= kept.begun;",
        replace: "",
    },
    Mutant {
        name: "an answer that proves nothing clears the doubt",
        file: "machine/metering/send.rs",
        find: "let in_doubt = doubted || failure.class == FailureClass::Unknown;",
        replace: "let in_doubt = !doubted && failure.class == FailureClass::Unknown;",
    },
    Mutant {
        name: "hold what is in doubt",
        file: "machine/metering/send.rs",
        find: "Sent::Refused(refusal) if in_doubt =>",
        replace: "Sent::Refused(refusal) if false =>",
    },
    Mutant {
        name: "reopen an hour",
        file: "model/books.rs",
        find: "self.used.insert((record.dimension.clone(), record.hour));",
        replace: "",
    },
    Mutant {
        name: "freeze a running hour",
        file: "machine/metering/freeze.rs",
        find: "let over = *hour < now.hour() ||",
        replace: "let over = *hour <= now.hour() ||",
    },
    Mutant {
        name: "freeze before the time is known",
        file: "machine/metering/freeze.rs",
        find: "if !self.time_known {",
        replace: "if false {",
    },
    Mutant {
        name: "count a slab twice",
        file: "model/books.rs",
        find: "if *sequence <= self.captured {",
        replace: "if false {",
    },
    Mutant {
        name: "carry a level",
        file: "machine/metering.rs",
        find: "self.spec(name).is_some_and(|spec| spec.kind.is_level())",
        replace: "self.spec(name).is_some_and(|_| false)",
    },
    Mutant {
        name: "lose lots that are relabelled onto others",
        file: "model/books.rs",
        find: "*lots.entry(Lot { hour: to, ..lot }).or_default() += raw;",
        replace: "lots.insert(Lot { hour: to, ..lot }, raw);",
    },
    Mutant {
        name: "take a duplicate for a delivery",
        file: "machine/metering/send.rs",
        find: "let why = format!(\"another record holds the hour: {text}\");
                self.settle(id, Fate::Carried { why }, &mut step);",
        replace: "let fate = Fate::Recorded { record_id: text, request_id: None };
                self.settle(id, fate, &mut step);",
    },
    Mutant {
        name: "carry what is out of bounds after an unknown send",
        file: "machine/metering/send.rs",
        find: "Sent::OutOfBounds(text) if in_doubt =>",
        replace: "Sent::OutOfBounds(text) if false =>",
    },
    Mutant {
        name: "lose the counts of a carried record",
        file: "model/books.rs",
        find: "for (lot, raw) in parts {
                    self.wait_as(dimension.clone(), lot, raw);
                }",
        replace: "drop((parts, dimension));",
    },
    Mutant {
        name: "change the books and write nothing down",
        file: "machine/metering.rs",
        find: "step.commands.push(Command::Commit(vec![entry]));",
        replace: "if !matches!(entry, Entry::SetAside { .. }) {
            step.commands.push(Command::Commit(vec![entry]));
        }",
    },
];

/// Of contracts, which the world of licenses finds.
const CONTRACTS: &[Mutant] = &[
    Mutant {
        name: "poll with a counted check out",
        file: "machine/recheck.rs",
        find: "if askable.is_empty() {
            return self.read_on(look, now, draw);",
        replace: "if askable.is_empty() {
            return self.prove(look, 0, now, draw);",
    },
    Mutant {
        name: "extend twice within the hour",
        file: "machine/lease.rs",
        find: "if extended.is_some_and(|extended| now.since(extended) < EXTENSION_EVERY) {",
        replace: "if extended.is_some_and(|_| false) {",
    },
    Mutant {
        name: "forget the old token of seats that are replaced",
        file: "machine/lease.rs",
        find: "Step::changed(None).leaving(old).with(Came::Given { license_arn })",
        replace: "Step::changed(None).leaving(old.filter(|_| false)).with(Came::Given { license_arn })",
    },
    Mutant {
        name: "check out before the token is kept",
        file: "machine/lease.rs",
        find: "Step::changed(Some(Command::CheckOut { lease: self.id, want, token }))",
        replace: "Step::call(Command::CheckOut { lease: self.id, want, token })",
    },
    Mutant {
        name: "check in before that is kept",
        file: "machine/lease.rs",
        find: "self.state = State::Returning { given, back };
                Step::changed(Some(call))",
        replace: "self.state = State::Returning { given, back };
                Step::call(call)",
    },
    Mutant {
        name: "ignore what a dead process held",
        file: "machine/seats.rs",
        find: "for KeptLease { entitlement, unit, count, asking, given } in kept {",
        replace: "for KeptLease { entitlement, unit, count, asking, given } in kept.into_iter().take(0) {",
    },
    Mutant {
        name: "give seats to a host that are on their way back",
        file: "machine/seats.rs",
        find: "if returning {
                        self.send_back(id, None, &mut turn);",
        replace: "if returning && false {
                        self.send_back(id, None, &mut turn);",
    },
    Mutant {
        name: "draw anew what is in doubt",
        file: "machine/drawdown/in_hand.rs",
        find: "!self.kept.in_doubt && matches!(self.phase, Phase::Writing | Phase::Again(_))",
        replace: "matches!(self.phase, Phase::Writing | Phase::Again(_))",
    },
    Mutant {
        name: "drop a dispute",
        file: "machine/drawdown/pool.rs",
        find: "self.disputes.push(dispute);",
        replace: "drop(dispute);",
    },
    Mutant {
        name: "work on units that are not written down",
        file: "machine/drawdown.rs",
        find: "self.unwritten &= outcome.is_err();",
        replace: "let outcome = &Ok::<(), String>(());
        self.unwritten &= outcome.is_err();",
    },
    Mutant {
        name: "absorb the same holdings twice",
        file: "machine/engine/contract.rs",
        find: "if !self.absorbed.insert(id) {",
        replace: "if id.is_empty() {",
    },
    Mutant {
        name: "deny on a time-out",
        file: "machine/recheck.rs",
        find: "self.failure = Some(failure);
        self.no_seat = None;",
        replace: "self.known = Some(Finding::Nothing(failure.text.clone()));
        self.failure = Some(failure);
        self.no_seat = None;",
    },
    Mutant {
        name: "begin grace anew at each start",
        file: "machine/recheck/memory.rs",
        find: "self.confirmed = Some(confirmed);",
        replace: "self.confirmed = Some(self.since.max(confirmed));",
    },
    Mutant {
        name: "grace past the end of the license",
        file: "machine/recheck/part.rs",
        find: "if let Some(end) = contract.expires.filter(|end| *end <= now && self.looked_at >= *end) {
            return ended(end);
        }",
        replace: "let contract = &Contract { expires: None, ..contract.clone() };",
    },
];

/// What the simulator needs of the core.
const ROOMS: &[&str] = &["error", "event", "machine", "model", "port"];
/// Seeds of the copy without a bug, which must be clean.
const CONTROL: u64 = 60;

/// Seeds of a planted bug of contracts, and days of each.
const CONTRACT_SEEDS: u64 = 100;
const CONTRACT_DAYS: u64 = 4;

pub(crate) fn run(seeds: u64, days: u64) -> Done {
    let copy = Copy::make()?;
    let usage = World { name: None, seeds, days };
    let contracts =
        World { name: Some("contracts"), seeds: CONTRACT_SEEDS.min(seeds), days: CONTRACT_DAYS };
    let mut missed = copy.find(USAGE, &usage)?;
    missed.extend(copy.find(CONTRACTS, &contracts)?);
    let all = USAGE.len() + CONTRACTS.len();
    println!("mutants: {} of {all} found", all - missed.len());
    if missed.is_empty() { Ok(()) } else { Err(format!("not found: {}", missed.join(", "))) }
}

/// A world of the simulator, and how much of it is looked at.
struct World {
    name: Option<&'static str>,
    seeds: u64,
    days: u64,
}

fn short(line: &str) -> String {
    line.chars().take(110).collect()
}

/// A copy of the core and the simulator, in a workspace of its own.
struct Copy(PathBuf);

impl Copy {
    fn make() -> Done<Copy> {
        let copy = Copy(place::target().join("mutants"));
        for room in ROOMS {
            for name in [(*room).to_owned(), format!("{room}.rs")] {
                let from = place::root().join("core/src").join(&name);
                if from.exists() {
                    clone(&from, &copy.0.join("core/src").join(&name))?;
                }
            }
        }
        let simulator = "tests/proof/src/bin/simulate";
        clone(&place::root().join(simulator), &copy.0.join(simulator))?;
        let rooms: String = ROOMS.iter().map(|room| format!("pub mod {room};\n")).collect();
        copy.write("lib.rs", &rooms)?;
        put(&copy.0.join("Cargo.toml"), &manifest()?)?;
        clone(&place::root().join("Cargo.lock"), &copy.0.join("Cargo.lock"))?;
        Ok(copy)
    }

    fn write(&self, file: &str, text: &str) -> Done {
        put(&self.0.join("core/src").join(file), text)
    }

    /// Plants a bug; gives the healthy text.
    fn plant(&self, mutant: &Mutant) -> Done<String> {
        let healthy = read(&self.0.join("core/src").join(mutant.file))?;
        self.write(mutant.file, &mutant.planted(&healthy)?)?;
        Ok(healthy)
    }

    /// Plants each of these bugs; gives those that were not found.
    fn find(&self, mutants: &[Mutant], world: &World) -> Done<Vec<&'static str>> {
        let control = World { seeds: CONTROL.min(world.seeds), ..*world };
        if let Some(line) = self.broken(&control)? {
            return Err(format!("the core without a planted bug is broken: {line}"));
        }
        let mut missed = Vec::new();
        for mutant in mutants {
            let healthy = self.plant(mutant)?;
            let found = self.broken(world);
            self.write(mutant.file, &healthy)?;
            match found? {
                Some(line) => println!("{:<52} {}", mutant.name, short(&line)),
                None => {
                    let World { seeds, days, .. } = world;
                    println!("{:<52} NOT FOUND in {seeds} histories of {days} days", mutant.name);
                    missed.push(mutant.name);
                }
            }
        }
        Ok(missed)
    }

    /// Builds and runs; the line that says what was broken, if anything was.
    fn broken(&self, world: &World) -> Done<Option<String>> {
        let target = self.0.join("target");
        let mut build = cargo();
        build.args(["build", "--quiet", "--bin", "simulate"]).current_dir(&self.0);
        quiet(build.env("CARGO_TARGET_DIR", &target))?;
        let mut simulate = program(target.join("debug/simulate"));
        simulate.args(world.name);
        simulate.args(["--seeds", &world.seeds.to_string(), "--days", &world.days.to_string()]);
        let output = simulate.output().map_err(|e| format!("cannot start the simulator: {e}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.lines().last().unwrap_or_default();
        match (output.status.success(), last.ends_with("violations 0"), text.lines().next()) {
            (true, true, _) => Ok(None),
            (false, false, Some(first)) if last.ends_with("violations 1") => {
                Ok(Some(first.to_owned()))
            }
            _ => Err(format!(
                "the simulator ended with {} and said: {last}\n{}",
                output.status,
                String::from_utf8_lossy(&output.stderr)
            )),
        }
    }
}

impl Mutant {
    fn planted(&self, healthy: &str) -> Done<String> {
        match healthy.matches(self.find).count() {
            1 => Ok(healthy.replacen(self.find, self.replace, 1)),
            n => Err(format!(
                "`{}` is {n} times in core/src/{}, where the bug `{}` is planted once; repair the table of bugs",
                self.find, self.file, self.name
            )),
        }
    }
}

/// The manifest of the copy: the versions are those of the house.
fn manifest() -> Done<String> {
    let house = read(&place::root().join("Cargo.toml"))?;
    let section = "[workspace.dependencies]";
    let versions = house.split_once(section).map_or("", |(_, rest)| rest);
    let versions = versions.split("\n[").next().unwrap_or_default();
    Ok(format!(
        "[workspace]\n\n{section}{versions}\n
[package]
name = \"mpguard-mutant\"
version = \"0.0.0\"
edition = \"2024\"
publish = false

[lib]
name = \"mpguard_handless\"
path = \"core/src/lib.rs\"

[[bin]]
name = \"simulate\"
path = \"tests/proof/src/bin/simulate/main.rs\"

[dependencies]
rand_chacha.workspace = true
serde.workspace = true
serde_json.workspace = true
tokio.workspace = true

[profile.dev]
opt-level = 1
debug = false
"
    ))
}

fn clone(from: &Path, to: &Path) -> Done {
    if !from.is_dir() {
        return put(to, &read(from)?);
    }
    let entries = fs::read_dir(from).map_err(|e| format!("cannot list {}: {e}", from.display()))?;
    for entry in entries.flatten() {
        clone(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn read(path: &Path) -> Done<String> {
    fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))
}

/// Writes when there is a difference, so that cargo sees only what has changed.
fn put(path: &Path, text: &str) -> Done {
    if read(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(path);
    let done = fs::create_dir_all(folder).and_then(|()| fs::write(path, text));
    done.map_err(|e| format!("cannot write {}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bug_can_be_planted() {
        assert!(USAGE.len() >= 10 && CONTRACTS.len() >= 10);
        for mutant in USAGE.iter().chain(CONTRACTS) {
            let healthy = read(&place::root().join("core/src").join(mutant.file)).expect("a file");
            let planted = mutant.planted(&healthy).expect("once");
            assert_ne!(planted, healthy, "{}", mutant.name);
        }
    }

    #[test]
    fn a_bug_whose_place_is_gone_is_told() {
        let told = USAGE[0].planted("fn nothing() {}").expect_err("it is not there");
        assert!(told.contains("0 times"), "{told}");
    }
}
