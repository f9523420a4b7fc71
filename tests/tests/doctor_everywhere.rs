//! The doctor is one: the same findings for the same task, whoever asks.

#[allow(dead_code, reason = "the programs of tests/c and tests/cpp use the rest")]
mod stage;

use mpguard_tests::{Done, native, place::Place, sandbox::Sandbox, tool};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A product of a few lines: prints the report's JSON, ends with its exit status.
const C: &str = r#"#include "mpguard.h"
#include <stdio.h>
int main(int argc, char **argv) {
  mpguard_config_t *config = mpguard_config_new();
  mpguard_doctor_report_t *report = NULL;
  if (argc != 2 || mpguard_config_set_json(config, argv[1], NULL) != MPGUARD_OK) return 9;
  if (mpguard_doctor(config, &report, NULL) != MPGUARD_OK) return 9;
  puts(mpguard_doctor_report_json(report));
  const int code = (int)mpguard_doctor_report_exit_code(report);
  mpguard_doctor_report_free(report);
  mpguard_config_free(config);
  return code;
}
"#;

const CPP: &str = r#"#include "mpguard.hpp"
#include <iostream>
int main(int argc, char **argv) {
  if (argc != 2) return 9;
  const auto report = mpguard::doctor(mpguard::Config::from_json(argv[1]));
  std::cout << report.json << std::endl;
  return report.exit_code;
}
"#;

/// Who asks, and how.
fn askers(place: &Place, config: &Value) -> Done<Vec<(&'static str, Command, bool)>> {
    let verb = ["doctor", "--json", "--config", "-"];
    let mut command = Command::new(place.command()?);
    command.args(verb);
    let mut python = Command::new(&place.python);
    python.args(["-m", "mpguard"]).args(verb);
    let mut node = Command::new("node");
    node.arg(place.root.join("bindings/node/bin/mpguard.js")).args(verb);
    let mut all = vec![("command", command, true), ("python", python, true), ("node", node, true)];
    for (name, ending, source) in [("c", "c", C), ("c++", "cpp", CPP)] {
        let mut program = Command::new(compiled(place, ending, source)?);
        program.arg(config.to_string());
        all.push((name, program, false));
    }
    // Of the same environment: the doctor names this variable too.
    for (_, command, _) in &mut all {
        command.env("PYTHONPATH", place.root.join("bindings/python"));
    }
    Ok(all)
}

fn compiled(place: &Place, ending: &str, source: &str) -> Done<PathBuf> {
    let folder =
        tool::scratch(env!("CARGO_TARGET_TMPDIR"), &format!("doctor-everywhere-{ending}"))?;
    let file = folder.join(format!("doctor_of_a_product.{ending}"));
    fs::write(&file, source).map_err(|e| e.to_string())?;
    native::compile(place, Path::new(&file))
}

/// Exit status, and each finding's id with its status.
type Findings = (i32, String, BTreeMap<String, String>);

fn ask(mut command: Command, stdin: Option<&str>) -> Done<Findings> {
    let piped = || Stdio::piped();
    let child = command.stdin(piped()).stdout(piped()).stderr(piped()).spawn();
    let mut child = child.map_err(|e| format!("cannot start {command:?}: {e}"))?;
    // Closed in any case, so that nobody waits for more.
    let mut pipe = child.stdin.take().ok_or("stdin is piped")?;
    pipe.write_all(stdin.unwrap_or_default().as_bytes()).map_err(|e| e.to_string())?;
    drop(pipe);
    let output = child.wait_with_output().map_err(|e| e.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout);
    let wrong = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_str(&said)
        .map_err(|e| format!("{command:?} wrote no JSON: {e}\n{said}\n{wrong}"))?;
    let mut found = BTreeMap::new();
    for finding in report["findings"].as_array().into_iter().flatten() {
        let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
        let before = found.insert(text("id"), text("status"));
        assert_eq!(before, None, "`{}` is there twice:\n{said}", text("id"));
    }
    let status = report["status"].as_str().unwrap_or_default().to_owned();
    Ok((output.status.code().ok_or("it was killed")?, status, found))
}

fn check(change: impl FnOnce(&Sandbox, &mut Value) -> Done, wanted: &[(&str, &str)]) {
    let one = || -> Done {
        let place = Place::of_this_test()?;
        let (sandbox, mut config) = stage::start(&place)?;
        change(&sandbox, &mut config)?;
        let mut first: Option<Findings> = None;
        for (name, command, asks) in askers(&place, &config)? {
            let text = config.to_string();
            let found = ask(command, asks.then_some(text.as_str()))?;
            println!("{name}: {found:?}");
            for (id, status) in wanted {
                let there = found.2.get(*id).map(String::as_str);
                assert_eq!(there, Some(*status), "`{id}` in {name}: {found:?}");
            }
            assert_eq!(&found, first.get_or_insert_with(|| found.clone()), "{name} says otherwise");
        }
        Ok(())
    };
    one().unwrap_or_else(|why| panic!("{why}"));
}

#[test]
fn every_language_finds_the_same_in_a_healthy_task() {
    check(|_, _| Ok(()), &[("configuration", "passed"), ("sandbox", "warning")]);
}

#[test]
fn every_language_finds_the_same_missing_permissions() {
    let deny = |sandbox: &Sandbox, _: &mut Value| {
        let denied = ["aws-marketplace:MeterUsage", "license-manager:CheckoutLicense"];
        sandbox.control().post("/_sandbox/switches", &json!({"iam_denied": denied})).map(drop)
    };
    check(
        deny,
        &[
            ("configuration", "passed"),
            ("permission.MeterUsage", "failed"),
            ("permission.CheckoutLicense", "failed"),
            ("permission.RegisterUsage", "passed"),
        ],
    );
}
