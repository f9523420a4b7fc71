//! `mpguard doctor` of a product in a sandbox, and where nobody is asked.

use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

const MPGUARD: &str = env!("CARGO_BIN_EXE_mpguard");

/// Exit status, standard output, standard error.
fn run(mut command: Command, stdin: &[u8]) -> (i32, String, String) {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    // It may have ended without reading.
    let _ = child.stdin.take().expect("piped").write_all(stdin);
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("it ends by itself"), text(output.stdout), text(output.stderr))
}

fn doctor(arguments: &[&str], stdin: &str) -> (i32, String, String) {
    let mut command = Command::new(MPGUARD);
    command.arg("doctor").args(arguments).env("TERM", "xterm-256color");
    run(command, stdin.as_bytes())
}

/// In a network of its own, which leads nowhere: without a sandbox the doctor looks for AWS.
fn alone(arguments: &[&str], stdin: &[u8]) -> (i32, String, String) {
    let mut command = Command::new("unshare");
    command.args(["-r", "-n", MPGUARD, "doctor"]).args(arguments);
    run(command, stdin)
}

/// A sandbox with a product that is metered; it ends with this.
struct Sandbox {
    process: Child,
    config: String,
}

impl Sandbox {
    fn start(name: &str, switches: &Value) -> Sandbox {
        let seed = scratch(&format!("{name}.json"));
        let product = json!({"product_code": "3xmpl", "dimensions": ["requests"]});
        let seeded = json!({"products": [product], "switches": switches}).to_string();
        fs::write(&seed, seeded).expect("writable");
        let mut process = Command::new(MPGUARD)
            .args(["sandbox", "--clock", "frozen", "--exit-with-stdin", "--seed"])
            .arg(seed)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the command runs");
        let mut line = String::new();
        let out = process.stdout.take().expect("piped");
        BufReader::new(out).read_line(&mut line).expect("it says its address");
        let said: Value = serde_json::from_str(&line).expect("JSON");
        let address = said["address"].as_str().expect("a text");
        let config = json!({
            "pricing": "usage", "product_code": "3xmpl", "dimensions": [{"name": "requests"}],
            "sandbox": format!("{address}/t/app"),
        });
        Sandbox { process, config: config.to_string() }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

fn scratch(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("doctor-{name}"))
}

/// Statuses of all findings of this id.
fn statuses<'a>(report: &'a Value, id: &str) -> Vec<&'a str> {
    let findings = report["findings"].as_array().expect("a list").iter();
    findings.filter(|one| one["id"] == id).filter_map(|one| one["status"].as_str()).collect()
}

/// The exit status says the same as the worst of the findings.
fn of_one_mind(status: i32, report: &Value) {
    let findings = report["findings"].as_array().expect("a list");
    let has = |wanted: &str| findings.iter().any(|one| one["status"] == wanted);
    let (worst, code) = if has("failed") {
        ("failed", 2)
    } else if has("warning") {
        ("warning", 1)
    } else {
        ("passed", 0)
    };
    assert_eq!((report["status"].as_str(), status), (Some(worst), code), "{report}");
}

#[test]
fn a_product_is_examined_from_a_file_and_from_standard_input() {
    let sandbox = Sandbox::start("product", &json!({}));
    let file = scratch("product-config.json");
    fs::write(&file, &sandbox.config).expect("writable");
    let file = file.to_str().expect("UTF-8");
    for (arguments, stdin) in
        [(["--json", "--config", file], ""), (["--json", "--config", "-"], &*sandbox.config)]
    {
        let (status, out, errors) = doctor(&arguments, stdin);
        let report: Value = serde_json::from_str(&out).expect("JSON");
        assert_eq!(errors, "");
        assert_eq!(report["sandbox"], true);
        assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(statuses(&report, "configuration"), ["passed"]);
        assert_eq!(statuses(&report, "region").len(), 1);
        of_one_mind(status, &report);
        let (again, text, _) = doctor(&["--config", file], "");
        assert_eq!(again, status);
        assert!(text.contains("ok    configuration: "), "{text}");
        assert!(text.contains(" passed, "), "{text}");
        assert!(!text.contains('\x1b'), "colour in a pipe:\n{text}");
    }
}

#[test]
fn what_cannot_be_read_is_an_error_and_what_is_no_configuration_a_finding() {
    let missing = scratch("missing.json");
    let missing = missing.to_str().expect("UTF-8");
    let (status, out, errors) = doctor(&["--config", missing], "");
    assert_eq!((status, out.as_str()), (2, ""));
    assert!(errors.contains(&format!("cannot read configuration `{missing}`")), "{errors}");
    let (status, out, errors) = alone(&["--config", "-"], b"\xff");
    assert_eq!((status, out.as_str()), (2, ""));
    assert!(errors.contains("cannot read configuration of standard input"), "{errors}");

    for (config, words) in [
        ("{", "cannot read configuration"),
        (r#"{"prcing": "usage"}"#, "did you mean `pricing`?"),
        (r#"{"pricing": "usage"}"#, "`product_code`"),
    ] {
        let (status, out, errors) = alone(&["--json", "--config", "-"], config.as_bytes());
        assert_eq!((status, errors.as_str()), (2, ""), "{config}");
        let report: Value = serde_json::from_str(&out).expect("JSON");
        assert_eq!(statuses(&report, "configuration"), ["failed"]);
        assert!(out.contains(words), "`{words}` is not in {out}");
        assert_eq!(
            statuses(&report, "state.directory").len(),
            1,
            "the surroundings are looked at: {out}"
        );
        of_one_mind(status, &report);
    }
}

#[test]
fn without_a_configuration_the_surroundings_are_looked_at() {
    let (status, out, errors) = alone(&["--json"], b"");
    assert_eq!(errors, "");
    let report: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(report["sandbox"], false);
    assert_eq!(statuses(&report, "configuration"), ["skipped"]);
    assert_eq!(statuses(&report, "state.directory").len(), 1);
    of_one_mind(status, &report);
}

#[test]
fn the_help_names_the_exit_statuses() {
    let (status, help, _) = doctor(&["--help"], "");
    assert_eq!(status, 0);
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in ["0 all is well", "1 something should be looked at", "2 something does not work"] {
        assert!(help.contains(part), "{help}");
    }
}
