//! One adder program: started, told to end, looked after.

use super::process::Process;
use crate::run::Done;
use mpguard_tests::{place::Place, player::Language};
use std::{
    fs::{self, File},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// The languages of the adders, one program of each at once.
pub(super) const LANGUAGES: [Language; 3] = [Language::C, Language::Python, Language::Node];

/// Time to come up, and to end after SIGTERM, on a machine where everything else works too. The guard's own
/// deadline for its shutdown is five seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// How an adder begins to say that it counts, and where.
pub(super) const READY: &str = "ready ";

/// Events that tell of lost or second books. Nothing of a run gives a reason for one.
const ALARMS: [&str; 3] = ["storage_quarantined", "ledger_split", "usage_held"];

/// What every program of a run is told.
pub(super) struct Orders {
    pub(super) config: String,
    pub(super) folder: PathBuf,
}

impl Orders {
    pub(super) fn tally(&self) -> PathBuf {
        self.folder.join("tally")
    }

    pub(super) fn pulse(&self) -> PathBuf {
        self.folder.join("pulse")
    }

    /// What `name` printed, on its standard output or error.
    pub(super) fn log(&self, name: &str, error: bool) -> PathBuf {
        self.folder.join("log").join(format!("{name}.{}", if error { "err" } else { "out" }))
    }
}

/// A program, until it and all its children are gone.
pub(super) struct Program {
    pub(super) name: String,
    pub(super) language: Language,
    child: Child,
    since: Instant,
    ready: bool,
    /// Was sent SIGTERM.
    told_to_end: Option<Instant>,
    /// Was sent SIGKILL.
    killed: bool,
    ended: Option<ExitStatus>,
}

/// What a look at a program found.
pub(super) enum Found {
    Runs,
    /// Ended, as it was told to.
    Ended,
    Killed,
    /// Something that must not happen.
    Wrong(String),
}

impl Program {
    pub(super) fn start(
        place: &Place,
        orders: &Orders,
        language: Language,
        number: u64,
        seed: u64,
    ) -> Done<Program> {
        let name = format!("{}-{number}", language.word());
        let file = |error| {
            let path = orders.log(&name, error);
            File::create(&path).map_err(|e| format!("cannot make `{}`: {e}", path.display()))
        };
        let mut command = language.command(place, "tests/torture", "adder")?;
        command
            .env("TORTURE_CONFIG", &orders.config)
            .env("TORTURE_TALLY", orders.tally())
            .env("TORTURE_NAME", &name)
            .env("TORTURE_PULSE", orders.pulse())
            .env("TORTURE_SEED", (seed >> 33).to_string())
            .env("TORTURE_CHILDREN", "2")
            .stdin(Stdio::null())
            .stdout(file(false)?)
            .stderr(file(true)?)
            .process_group(0);
        let child = command.spawn().map_err(|e| format!("cannot start the adder `{name}`: {e}"))?;
        Ok(Program {
            name,
            language,
            child,
            since: Instant::now(),
            ready: false,
            told_to_end: None,
            killed: false,
            ended: None,
        })
    }

    pub(super) fn process(&self) -> Process {
        Process { pid: self.child.id(), group: self.child.id() }
    }

    pub(super) fn runs(&self) -> bool {
        self.ended.is_none()
    }

    /// Runs, and was not told to end.
    pub(super) fn works(&self) -> bool {
        self.runs() && !self.killed && self.told_to_end.is_none()
    }

    pub(super) fn is_ready(&mut self, orders: &Orders) -> bool {
        let says = |text: String| text.lines().any(|line| line.starts_with(READY));
        self.ready =
            self.ready || fs::read_to_string(orders.log(&self.name, false)).is_ok_and(says);
        self.ready
    }

    /// It is about to be killed.
    pub(super) fn is_killed(&mut self) {
        self.killed = true;
    }

    /// It is about to be sent SIGTERM.
    pub(super) fn is_told_to_end(&mut self) {
        self.told_to_end = self.told_to_end.or(Some(Instant::now()));
    }

    /// While it is stopped its patience does not run.
    pub(super) fn was_stopped(&mut self, time: Duration) {
        self.since += time;
        self.told_to_end = self.told_to_end.map(|told| told + time);
    }

    pub(super) fn look(&mut self, orders: &Orders) -> Found {
        if self.ended.is_some() {
            return Found::Runs; // said before
        }
        match self.child.try_wait() {
            Ok(Some(status)) => {
                self.ended = Some(status);
                self.judge(status)
            }
            Ok(None) if self.told_to_end.is_some_and(|told| told.elapsed() > PATIENCE) => {
                Found::Wrong(format!(
                    "`{}` did not end within {PATIENCE:?} after SIGTERM",
                    self.name
                ))
            }
            Ok(None) if !self.is_ready(orders) && self.since.elapsed() > PATIENCE => {
                Found::Wrong(format!("`{}` was not ready within {PATIENCE:?}", self.name))
            }
            Ok(None) => Found::Runs,
            Err(e) => Found::Wrong(format!("`{}` cannot be waited for: {e}", self.name)),
        }
    }

    fn judge(&self, status: ExitStatus) -> Found {
        match (status.success(), status.signal()) {
            (_, Some(libc::SIGKILL)) if self.killed => Found::Killed,
            // Before it has a handler, SIGTERM ends it as it ends any program.
            (_, Some(libc::SIGTERM)) if self.told_to_end.is_some() && !self.ready => Found::Killed,
            (true, _) if self.told_to_end.is_some() => Found::Ended,
            (true, _) => Found::Wrong(format!("`{}` ended by itself", self.name)),
            (false, _) => Found::Wrong(format!("`{}` ended with {status}", self.name)),
        }
    }
}

/// What programs printed that they should not have: anything on stderr, an account that does not balance, an error.
pub(super) fn logs(folder: &Path) -> Done<Vec<String>> {
    let folder = folder.join("log");
    let told = |e: std::io::Error| format!("cannot read `{}`: {e}", folder.display());
    let mut wrong = Vec::new();
    for entry in fs::read_dir(&folder).map_err(told)? {
        let path = entry.map_err(told)?.path();
        let text = String::from_utf8_lossy(&fs::read(&path).map_err(told)?).into_owned();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".err") {
            if is_nodes_own(&text) {
                continue;
            }
            let lines: Vec<&str> = text.lines().take(5).collect();
            wrong.extend((!lines.is_empty()).then(|| format!("{name}: {}", lines.join(" | "))));
            continue;
        }
        // The last line may be torn by a SIGKILL.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        wrong.extend(whole.lines().filter_map(strange).map(|why| format!("{name}: {why}")));
    }
    Ok(wrong)
}

/// A worker of Node's cluster whose primary was killed before it came up dies of that, inside of Node.
fn is_nodes_own(text: &str) -> bool {
    let whose = text.contains("Error: write EPIPE") && text.contains("node:internal/cluster");
    whose && !text.contains("mpguard") && !text.contains("adder")
}

/// Why a line of an adder must not be.
pub(super) fn strange(line: &str) -> Option<String> {
    if line.is_empty() {
        return None;
    }
    if let Some(event) = line.strip_prefix("event: ") {
        let alarm = ALARMS.iter().any(|kind| event.starts_with(&format!("{kind}:")));
        return alarm.then(|| line.to_owned());
    }
    let Some(text) = line.strip_prefix("account: ") else {
        let kept = line.strip_prefix(READY).is_some_and(|storage| storage != "memory");
        return (!kept).then(|| line.to_owned());
    };
    // Two processes may have written at once; a line that is no JSON proves nothing.
    let accounts: serde_json::Value = serde_json::from_str(text).ok()?;
    let accounts = accounts.as_array()?;
    accounts
        .iter()
        .find(|account| !super::compare::balances(account))
        .map(|account| format!("an account does not balance: {account}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_accounts_that_do_not_balance_are_strange() {
        let account = |added| {
            format!(
                r#"account: [{{"dimension":"a","added":{added},"open":1,"pending":2,"delivered":3,"disputed":4,"held":5,"missed":6}}]"#
            )
        };
        assert_eq!(strange("ready durable"), None);
        assert!(strange("ready memory").is_some());
        assert_eq!(strange("event: usage_carried: text"), None);
        assert!(strange("event: storage_quarantined: text").is_some());
        assert_eq!(strange(&account(21)), None);
        assert!(strange(&account(20)).is_some());
        assert!(strange("init: STORAGE: no").is_some());
    }
}
