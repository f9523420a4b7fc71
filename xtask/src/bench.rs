//! `cargo xtask bench`: what a guard costs, beside what it is compared with.
//!
//! All programs of one table run in turn, A B C A B C …, and medians are printed: on a machine whose speed
//! drifts only figures of one interleaved run can be compared. Nothing is judged by a test.

mod measure;
mod stage;

use crate::{place, run::Done, setup};
use measure::{Row, interleaved, median};
use mpguard_tests::{place::Place, sandbox::Sandbox};
use serde_json::{Value, json};
use stage::Stage;
use std::{fs, process::Command};

/// Runs of each program.
const ROUNDS: usize = 15;

pub(crate) fn run() -> Done {
    setup::run()?;
    let stage = Stage::build()?;
    let place = Place::new(&place::root(), &place::target().join("release"));
    let sandbox = Sandbox::start_with(&place, &["--clock", "real"])?;
    let scene = Scene::set(&sandbox)?;

    let bytes = fs::metadata(&stage.library)
        .map_err(|e| format!("cannot read `{}`: {e}", stage.library.display()))?
        .len();
    let (memory, threads) = footprint(&stage, &scene)?;
    let rows = starts(&stage, &scene)?;

    let at = |name: &str| rows.iter().find(|row| row.name == name).map_or(0.0, |row| row.median_ms);
    let bare = at("node, nothing");
    let (node, sdk) = (at("Node, mpguard") - bare, at("Node, AWS SDK") - bare);
    println!("libmpguard.so, stripped        {:>8.2} MB     (goal 6)", bytes as f64 / 1e6);
    println!(
        "memory of load, init, answer   {:>8.2} MB     (goal 8)",
        memory as f64 * 1024.0 / 1e6
    );
    println!("threads of a guard at rest     {threads:>8}        (exactly 2)");
    println!("\nwhole process, start to licensed, medians of {ROUNDS} interleaved runs");
    for row in &rows {
        println!(
            "{:<30} {:>8.1} ms     ({:.1} to {:.1})",
            row.name, row.median_ms, row.least_ms, row.most_ms
        );
    }
    let boto = at("Python, boto3");
    println!("\nboto3 / C                      {:>8.1} x", boto / at("C, mpguard"));
    println!(
        "boto3 / Python                 {:>8.1} x      (goal 10)",
        boto / at("Python, mpguard")
    );
    println!(
        "Node over bare / SDK over bare {:>8.2}        (goal 0.25: {node:.1} of {sdk:.1} ms)",
        node / sdk
    );

    let report = json!({
        "library_bytes": bytes, "memory_kb": memory, "threads": threads, "rounds": ROUNDS,
        "starts": rows.iter().map(Row::json).collect::<Vec<Value>>(),
        "ratios": {"boto3_c": boto / at("C, mpguard"), "boto3_python": boto / at("Python, mpguard"), "node_sdk": node / sdk},
    });
    let file = place::target().join("bench.json");
    fs::write(&file, format!("{report:#}\n"))
        .map_err(|e| format!("cannot write `{}`: {e}", file.display()))
}

/// The product and task that all programs register.
struct Scene {
    config: String,
    address: String,
    credentials: [String; 3],
}

impl Scene {
    fn set(sandbox: &Sandbox) -> Done<Scene> {
        let control = sandbox.control();
        let product = control.post(
            "/_sandbox/products",
            &json!({"product_code": "bench", "dimensions": [], "subscribed": true}),
        )?;
        let key = json!({"version": 1, "pem": product["public_keys"]["1"]});
        let config = json!({
            "pricing": "hourly", "product_code": "bench",
            "trusted_products": [{"code": "bench", "public_keys": [key]}],
            "sandbox": format!("{}/t/bench", control.address()),
        });
        let given = control.get("/t/bench/credentials")?;
        let text = |name: &str| given[name].as_str().unwrap_or_default().to_owned();
        Ok(Scene {
            config: config.to_string(),
            address: control.address().to_owned(),
            credentials: [text("AccessKeyId"), text("SecretAccessKey"), text("Token")],
        })
    }

    /// Tells a program what to register and where, and nothing of this machine's own AWS settings.
    fn tell(&self, command: &mut Command) {
        command.env("MPGUARD_CONFIG", &self.config).env("BENCH_AWS", &self.address);
        for (name, value) in
            ["BENCH_KEY", "BENCH_SECRET", "BENCH_TOKEN"].iter().zip(&self.credentials)
        {
            command.env(name, value);
        }
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_CONFIG_FILE", "/dev/null");
        command.env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    }
}

/// Kilobytes and threads that a guard adds to a C program, each the median of five runs.
fn footprint(stage: &Stage, scene: &Scene) -> Done<(u64, u64)> {
    let (mut memory, mut threads) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        let mut command = Command::new(&stage.c);
        command.arg(&stage.library);
        scene.tell(&mut command);
        let output = command.output().map_err(|e| format!("cannot start the C program: {e}"))?;
        let said: Value = serde_json::from_slice(&output.stdout).map_err(|e| {
            format!("the C program failed: {e}: {}", String::from_utf8_lossy(&output.stderr))
        })?;
        memory.push(said["memory_kb"].as_f64().unwrap_or(f64::NAN));
        threads.push(said["threads"].as_f64().unwrap_or(f64::NAN));
    }
    Ok((median(&mut memory) as u64, median(&mut threads) as u64))
}

fn starts(stage: &Stage, scene: &Scene) -> Done<Vec<Row>> {
    let programs = stage.programs();
    let named = programs.iter().map(|(name, make)| {
        let command = || {
            let mut command = make();
            scene.tell(&mut command);
            command
        };
        (*name, command)
    });
    interleaved(&named.collect::<Vec<_>>(), ROUNDS)
}
