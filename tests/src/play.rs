//! Plays one scenario with one language.

mod files;
mod values;

use crate::{
    Done,
    expect::differences,
    place::Place,
    player::{Answer, Language, Player},
    sandbox::{Control, Sandbox},
    scenario::{Scenario, Step, Verb, duration},
};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use values::Values;

/// Plays the scenario in `file`.
///
/// # Errors
/// Which step failed, and how what was found differs from what was wanted.
pub fn play(place: &Place, language: Language, file: &Path) -> Done {
    let scenario = Scenario::read(file)?;
    let mut stage = Stage::set(place, language, &scenario)?;
    for (index, step) in scenario.steps.iter().enumerate() {
        stage.step(step).map_err(|why| {
            let note = step.note.as_ref().map_or_else(String::new, |note| format!(" ({note})"));
            format!("{}: step {}{note}: {why}", scenario.about, index + 1)
        })?;
    }
    stage.leave().map_err(|why| format!("{}: at the end: {why}", scenario.about))
}

/// The sandbox, the players and the values that steps have kept.
struct Stage<'a> {
    place: &'a Place,
    language: Language,
    scenario: &'a Scenario,
    sandbox: Sandbox,
    players: BTreeMap<String, Player>,
    values: Values,
    /// `${state_dir}`: removed at the end.
    state: Folder,
}

/// A folder of one scenario.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Done<Folder> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name =
            format!("mpguard-play-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).map_err(|e| format!("cannot make `{}`: {e}", path.display()))?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever cleans temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Sandboxes that served a scenario to its end. A reset one is as good as new, and has its keys made.
static AT_REST: Mutex<Vec<Sandbox>> = Mutex::new(Vec::new());

/// For a step that is to hold soon.
const SOON: Duration = Duration::from_secs(5);
/// When every scenario begins: 2026-01-01T10:00:00Z.
const START_MS: i64 = 1_767_261_600_000;

fn sandbox(place: &Place) -> Done<Sandbox> {
    let known = AT_REST.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let sandbox = known.map_or_else(|| Sandbox::start(place), Ok)?;
    sandbox.control().post("/_sandbox/reset", &json!({}))?;
    sandbox.control().post("/_sandbox/clock", &json!({"now_ms": START_MS, "rate": 0}))?;
    Ok(sandbox)
}

/// The player of a step that names none.
const MAIN: &str = "main";

impl<'a> Stage<'a> {
    fn set(place: &'a Place, language: Language, scenario: &'a Scenario) -> Done<Stage<'a>> {
        let sandbox = sandbox(place)?;
        let control = sandbox.control();
        let mut values = Values::default();
        values.set("sandbox", json!(control.address()));
        values.set("product_code", json!("conformance"));
        values.set("product_sku", json!("prod-conformance"));
        values.set("start_ms", json!(START_MS));
        let state = Folder::new()?;
        values.set("state_dir", json!(state.0));
        let product = over(
            json!({"product_code": "${product_code}", "product_sku": "${product_sku}", "dimensions": ["requests", "megabytes"]}),
            &scenario.product,
        );
        let product = control.post("/_sandbox/products", &values.fill(&product)?)?;
        values.set("pem", product["public_keys"]["1"].clone());
        values.set("pem2", product["public_keys"]["2"].clone());
        if let Some(license) = &scenario.license {
            let license = over(json!({"product_sku": "${product_sku}"}), license);
            let made = control.post("/_sandbox/licenses", &values.fill(&license)?)?;
            values.set("license_id", made["id"].clone());
            values.set("license_arn", made["license_arn"].clone());
        }
        Ok(Stage { place, language, scenario, sandbox, players: BTreeMap::new(), values, state })
    }

    /// Does a step; one that is to hold soon is tried until it does.
    fn step(&mut self, step: &Step) -> Done {
        let end = Instant::now() + SOON;
        loop {
            let done = self.once(step);
            if !step.soon || done.is_ok() || Instant::now() > end {
                return done;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn once(&mut self, step: &Step) -> Done {
        let name = step.player.as_deref().unwrap_or(MAIN);
        self.values.set("task", json!(name));
        match step.verb()? {
            Verb::Init(keys) => {
                let config = self.values.fill(&self.config(keys))?;
                self.say(name, step, vec!["init".into(), config.to_string()])
            }
            Verb::Say(words) => {
                let words = words
                    .iter()
                    .map(|word| {
                        Ok(match self.values.fill(word)? {
                            Value::String(text) => text,
                            other => other.to_string(),
                        })
                    })
                    .collect::<Done<Vec<String>>>()?;
                self.say(name, step, words)
            }
            Verb::Finish => self.finish(name, step),
            Verb::KillPlayer => {
                let mut player = self.players.remove(name).ok_or("no such player was started")?;
                player.kill();
                forget(self.control(), name)
            }
            Verb::StopSandbox => {
                self.sandbox.kill();
                Ok(())
            }
            Verb::Sandbox(call) => self.call(call, step),
            Verb::Fault(fault) => {
                let fault = self.values.fill(fault)?;
                self.control().post("/_sandbox/faults", &fault).map(drop)
            }
            Verb::Damage(name) => files::damage(&self.state.0, name),
            Verb::Swap(name) => files::swap(&self.state.0, name),
            Verb::Advance(by) => {
                let pace = duration(step.step.as_deref().unwrap_or("5m"))?;
                self.control().advance(duration(by)?, pace).map(drop)
            }
            Verb::Bill(totals) => bill(self.control(), totals),
            Verb::Calls(operation) => self.calls(name, operation, step),
        }
    }

    fn control(&self) -> &Control {
        self.sandbox.control()
    }

    /// What every guard needs, under the scenario's own keys, under the step's.
    fn config(&self, keys: &Map<String, Value>) -> Value {
        let every = json!({
            "product_code": "${product_code}",
            "trusted_products": [{
                "code": "${product_code}",
                "sku": "${product_sku}",
                "public_keys": [{"version": 1, "pem": "${pem}"}],
            }],
            "startup_timeout_ms": 20_000,
            "sandbox": "${sandbox}/t/${task}",
        });
        over(over(every, &self.scenario.config), keys)
    }

    fn player(&mut self, name: &str) -> Done<&mut Player> {
        if !self.players.contains_key(name) {
            let player = Player::start(self.language, self.place)?;
            self.players.insert(name.to_owned(), player);
        }
        self.players.get_mut(name).ok_or_else(|| "a player was put in two lines above".into())
    }

    fn say(&mut self, name: &str, step: &Step, words: Vec<String>) -> Done {
        let player = self.player(name)?;
        player.begin(&words)?;
        if step.begin {
            return Ok(());
        }
        let answer = player.answer().map_err(|why| format!("{why}, to `{}`", words.join(" ")))?;
        self.judge(step, answer)
    }

    fn finish(&mut self, name: &str, step: &Step) -> Done {
        let Some(advancing) = &step.advancing else {
            let answer = self.player(name)?.answer()?;
            return self.judge(step, answer);
        };
        let by = duration(advancing)?;
        // Real time has no part in it but to let the answer travel; each turn moves virtual time.
        for _ in 0..400 {
            if let Some(answer) = self.player(name)?.answer_within(Duration::from_millis(25))? {
                return self.judge(step, answer);
            }
            self.control().advance(by, by)?;
        }
        Err(format!("no answer after the clock was moved 400 times by {advancing}"))
    }

    fn judge(&mut self, step: &Step, answer: Answer) -> Done {
        match (answer, &step.error) {
            (Answer::Ok(found), None) => self.take(step, found),
            (Answer::Error(found), Some(wanted)) => self.fits(wanted, &found),
            (Answer::Ok(found), Some(wanted)) => {
                Err(format!("wanted the error {wanted}, but it worked: {found}"))
            }
            (Answer::Error(found), None) => Err(format!("failed: {found}")),
        }
    }

    /// Compares with `ok` and keeps what `save` names.
    fn take(&mut self, step: &Step, found: Value) -> Done {
        if let Some(wanted) = &step.ok {
            self.fits(wanted, &found)?;
        }
        for (name, pointer) in &step.save {
            let pointer = pointer.as_str().ok_or("`save` maps names to JSON pointers")?;
            let value = found
                .pointer(pointer)
                .ok_or_else(|| format!("nothing to save at `{pointer}` of {found}"))?;
            self.values.set(name, value.clone());
        }
        Ok(())
    }

    fn fits(&self, wanted: &Value, found: &Value) -> Done {
        let differences = differences(&self.values.fill(wanted)?, found);
        if differences.is_empty() { Ok(()) } else { Err(differences.join("\n    ")) }
    }

    fn call(&mut self, call: &str, step: &Step) -> Done {
        let call = self.values.text(call)?;
        let (method, path) =
            call.split_once(' ').ok_or_else(|| format!("`{call}` is not `METHOD PATH`"))?;
        let body = self.values.fill(step.body.as_ref().unwrap_or(&Value::Null))?;
        let (status, answer) = self.control().call(method, path, &body)?;
        match (status < 300, &step.error) {
            (true, None) => self.take(step, answer),
            (false, Some(wanted)) => self.fits(wanted, &answer),
            _ => Err(format!("{call} answered {status}: {answer}")),
        }
    }

    fn calls(&mut self, task: &str, operation: &str, step: &Step) -> Done {
        let found =
            self.control().get(&format!("/_sandbox/requests?operation={operation}&task={task}"))?;
        let found = found["requests"].clone();
        if let Some(pointer) = &step.same {
            let all: HashSet<String> = found
                .as_array()
                .into_iter()
                .flatten()
                .map(|request| request.pointer(pointer).unwrap_or(&Value::Null).to_string())
                .collect();
            if all.len() != 1 {
                return Err(format!(
                    "`{pointer}` is not the same in all {operation} requests: {all:?}"
                ));
            }
        }
        self.take(step, found)
    }

    fn leave(self) -> Done {
        for (name, player) in self.players {
            player.quit().map_err(|why| format!("player `{name}`: {why}"))?;
        }
        if self.sandbox.runs() {
            AT_REST.lock().unwrap_or_else(PoisonError::into_inner).push(self.sandbox);
        }
        Ok(())
    }
}

/// Takes leave of a killed player's guards. One that was killed between two polls would be waited for once more.
fn forget(control: &Control, task: &str) -> Done {
    let known = control.get("/_sandbox/clock/followers")?;
    let names =
        known["followers"].as_array().into_iter().flatten().filter_map(|f| f["name"].as_str());
    for name in
        names.filter(|name| name.strip_prefix(task).is_some_and(|rest| rest.starts_with('-')))
    {
        control.call("DELETE", &format!("/_sandbox/clock/followers/{name}"), &Value::Null)?;
    }
    Ok(())
}

/// What the product is billed: every dimension named, no other, and no slot twice.
fn bill(control: &Control, totals: &Map<String, Value>) -> Done {
    let bill = control.get("/_sandbox/bill")?;
    let mut slots = HashSet::new();
    for record in bill["records"].as_array().into_iter().flatten() {
        let slot = format!("{} {} {}", record["task"], record["dimension"], record["hour_ms"]);
        if !slots.insert(slot.clone()) {
            return Err(format!("two records for one slot (task, dimension, hour): {slot}"));
        }
    }
    let mut found = Map::new();
    for (_, dimensions) in bill["totals"].as_object().into_iter().flatten() {
        for (dimension, quantity) in dimensions.as_object().into_iter().flatten() {
            found.insert(dimension.clone(), quantity.clone());
        }
    }
    found.retain(|name, quantity| totals.contains_key(name) || quantity.as_str() != Some("0"));
    let unwanted = found.keys().find(|name| !totals.contains_key(*name));
    let mut differences =
        differences(&Value::Object(totals.clone()), &Value::Object(found.clone()));
    differences
        .extend(unwanted.map(|name| format!("/{name}: billed {}, not expected", found[name])));
    if differences.is_empty() {
        Ok(())
    } else {
        Err(format!("the bill: {}", differences.join("\n    ")))
    }
}

/// `base` with `members` over it; `null` takes a member out.
fn over(mut base: Value, members: &Map<String, Value>) -> Value {
    if let Value::Object(base) = &mut base {
        for (name, value) in members {
            if value.is_null() {
                base.shift_remove(name);
            } else {
                base.insert(name.clone(), value.clone());
            }
        }
    }
    base
}
