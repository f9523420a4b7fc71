//! `cargo xtask fuzz`: what a fuzzer invents, for everything that reads bytes from outside.
//!
//! With an address sanitizer where a nightly compiler is there, else without. What is new and finds new ways through the
//! code is kept in the build folder and taken up by the next run; `tests/fuzz/corpus` has the seeds.

use crate::{
    place,
    run::{Done, program, run},
    tools,
};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
};

/// The version that builds the targets.
const VERSION: &str = "0.13.2";

/// One for each place where bytes come in; `core/src/outside.rs` says what must hold there.
const TARGETS: &[&str] = &["jwt", "config", "answers", "metadata", "tokens", "ledger", "calls"];

/// An input that takes longer hangs a product.
const SECONDS_EACH: u32 = 20;
/// What an input may take of memory, the sanitizer's own needs included.
const MEGABYTES_MAX: u32 = 2048;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long each target runs
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// The seed of the fuzzer's randomness; 0 takes another one each time
    #[arg(long, default_value_t = 0)]
    seed: u32,
    /// Only these targets: jwt, config, answers, metadata, tokens, ledger, calls
    targets: Vec<String>,
}

pub(crate) fn run_verb(options: &Options) -> Done {
    if let Some(unknown) = options.targets.iter().find(|it| !TARGETS.contains(&it.as_str())) {
        return Err(format!(
            "no target is named `{unknown}`; there are `{}`",
            TARGETS.join("`, `")
        ));
    }
    let wanted: Vec<_> = TARGETS
        .iter()
        .filter(|name| options.targets.is_empty() || options.targets.iter().any(|it| it == *name))
        .collect();
    let sanitizer = if has_nightly() { "address" } else { "none" };
    build(&wanted, sanitizer)?;
    println!("sanitizer: {sanitizer}, {} s each", options.seconds);
    println!(
        "{:<10}{:>11}{:>10}{:>10}{:>12}{:>11}",
        "", "runs", "runs/s", "edges", "new inputs", "findings"
    );
    let mut found = Vec::new();
    for target in wanted {
        let figures = play(target, options)?;
        println!("{target:<10}{figures}");
        found.extend(figures.finding.map(|it| format!("{target}: {it}")));
    }
    if found.is_empty() { Ok(()) } else { Err(found.join("\nxtask: ")) }
}

fn has_nightly() -> bool {
    let listed = program("rustup").args(["toolchain", "list"]).stderr(Stdio::null()).output();
    listed.is_ok_and(|it| String::from_utf8_lossy(&it.stdout).contains("nightly"))
}

fn folder() -> PathBuf {
    place::target().join("fuzz")
}

fn build(targets: &[&&str], sanitizer: &str) -> Done {
    let tool = tools::compiled("cargo-fuzz", VERSION)?;
    for target in targets {
        let mut command = program(&tool);
        command.args(["fuzz", "build", "--fuzz-dir", "tests/fuzz", "--sanitizer", sanitizer]);
        command.arg("--target-dir").arg(folder()).arg(target);
        // The pinned compiler has no sanitizers; cargo's own variables would choose it again.
        if sanitizer != "none" {
            command.env("RUSTUP_TOOLCHAIN", "nightly").env_remove("CARGO").env_remove("RUSTC");
        }
        run(&mut command)?;
    }
    Ok(())
}

/// What a target came to.
#[derive(Default)]
struct Figures {
    runs: u64,
    runs_a_second: u64,
    edges: u64,
    new: u64,
    finding: Option<String>,
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Figures { runs, runs_a_second, edges, new, finding } = self;
        let findings = u32::from(finding.is_some());
        write!(f, "{runs:>11}{runs_a_second:>10}{edges:>10}{new:>12}{findings:>11}")
    }
}

fn play(target: &str, options: &Options) -> Done<Figures> {
    let (known, odd) =
        (folder().join("known").join(target), folder().join("findings").join(target));
    for folder in [&known, &odd] {
        fs::create_dir_all(folder)
            .map_err(|e| format!("cannot make `{}`: {e}", folder.display()))?;
    }
    let mut command = program(binary(target)?);
    command
        .arg(&known)
        .arg(format!("tests/fuzz/corpus/{target}"))
        .arg(format!("-max_total_time={}", options.seconds))
        .arg(format!("-seed={}", options.seed))
        .arg(format!("-timeout={SECONDS_EACH}"))
        .arg(format!("-rss_limit_mb={MEGABYTES_MAX}"))
        .arg(format!("-artifact_prefix={}/", odd.display()))
        .args(["-print_final_stats=1", "-use_value_profile=1"])
        // Libraries that are linked twice, ours and the fuzzer's, are no findings.
        .env("ASAN_OPTIONS", "detect_odr_violation=0")
        .env("RUST_BACKTRACE", "1");
    let dictionary = place::root().join(format!("tests/fuzz/words/{target}"));
    if dictionary.exists() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    listen(&mut command, target)
}

/// Runs the fuzzer and reads its figures from what it prints; a finding is shown as it comes.
fn listen(command: &mut Command, target: &str) -> Done<Figures> {
    let cannot = |e| format!("cannot run the fuzzer of `{target}`: {e}");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(cannot)?;
    let stderr = child.stderr.take().expect("stderr is piped one line above");
    let mut figures = Figures::default();
    let mut said = Vec::new();
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        let after = |mark: &str| -> Option<u64> {
            let rest = line.split_once(mark)?.1.trim_start();
            rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        };
        figures.edges = figures.edges.max(after(" cov: ").unwrap_or(0));
        figures.runs = after("stat::number_of_executed_units:").unwrap_or(figures.runs);
        figures.runs_a_second =
            after("stat::average_exec_per_sec:").unwrap_or(figures.runs_a_second);
        figures.new = after("stat::new_units_added:").unwrap_or(figures.new);
        if let Some((_, path)) = line.split_once("Test unit written to ") {
            figures.finding = Some(format!(
                "a finding in `{path}`; mend what it shows and make it a seed in tests/fuzz/corpus/{target}"
            ));
        }
        if !line.starts_with('#') {
            said.push(line);
        }
    }
    let status = child.wait().map_err(cannot)?;
    if !status.success() {
        let from = said.len().saturating_sub(80);
        eprintln!("{}", said[from..].join("\n"));
        figures.finding.get_or_insert_with(|| format!("the fuzzer ended with {status}"));
    }
    Ok(figures)
}

/// Where cargo-fuzz leaves a target: below the name of this computer's kind.
fn binary(target: &str) -> Done<PathBuf> {
    let kinds = fs::read_dir(folder()).map_err(|e| format!("cannot list target/fuzz: {e}"))?;
    let places = kinds.flatten().map(|kind| kind.path().join("release").join(target));
    places.into_iter().find(|it| it.is_file()).ok_or_else(|| {
        format!(
            "the fuzzer of `{target}` was not found below `{}`; build it again",
            folder().display()
        )
    })
}
