//! The sandbox as a child process, and its control API.

use crate::{Done, lines::Lines, place::Place};
use serde_json::{Value, json};
use std::{process::Command, time::Duration};

/// A running sandbox with a frozen clock. It ends when this is dropped, and with us if we are killed.
#[derive(Debug)]
pub struct Sandbox {
    process: Lines,
    control: Control,
    killed: bool,
}

impl Sandbox {
    /// Starts `mpguard sandbox` on a free port.
    ///
    /// # Errors
    /// When it does not start or says no address.
    pub fn start(place: &Place) -> Done<Sandbox> {
        Sandbox::start_with(place, &["--clock", "frozen", "--start", "2026-01-01T10:00:00Z"])
    }

    /// Starts it with other arguments.
    ///
    /// # Errors
    /// As [`Sandbox::start`].
    pub fn start_with(place: &Place, arguments: &[&str]) -> Done<Sandbox> {
        let mut command = Command::new(place.command()?);
        command.args(["sandbox", "--port", "0", "--exit-with-stdin"]).args(arguments);
        let mut process = Lines::start("the sandbox", &mut command)?;
        let line = process.hear(Duration::from_secs(30))?;
        let said: Value = serde_json::from_str(&line)
            .map_err(|e| format!("the sandbox said `{line}` instead of its address: {e}"))?;
        let address = said["address"]
            .as_str()
            .ok_or_else(|| format!("the sandbox said `{line}` without an `address`"))?;
        Ok(Sandbox { control: Control::new(address), process, killed: false })
    }

    /// Its control API.
    #[must_use]
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// False once it was killed.
    #[must_use]
    pub fn runs(&self) -> bool {
        !self.killed
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.killed = true;
        self.process.kill();
    }
}

/// The control API of a sandbox.
#[derive(Clone, Debug)]
pub struct Control {
    address: String,
    agent: ureq::Agent,
}

impl Control {
    /// The control API behind an address such as `http://127.0.0.1:4000`.
    #[must_use]
    pub fn new(address: &str) -> Control {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            // A connection that the sandbox has just closed would fail the next call.
            .max_idle_connections(0)
            .timeout_global(Some(Duration::from_secs(120)))
            .build()
            .new_agent();
        Control { address: address.to_owned(), agent }
    }

    /// Address of the sandbox.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Calls `METHOD PATH` with a body and gives status and answer.
    ///
    /// # Errors
    /// When the sandbox does not answer, or not in JSON.
    pub fn call(&self, method: &str, path: &str, body: &Value) -> Done<(u16, Value)> {
        let url = format!("{}{path}", self.address);
        let told =
            |e: &dyn std::fmt::Display| format!("{method} {path} of the sandbox failed: {e}");
        let answer =
            match method {
                "GET" => self.agent.get(&url).call(),
                "DELETE" => self.agent.delete(&url).call(),
                "POST" => self.agent.post(&url).header("content-type", "application/json").send(
                    if body.is_null() { "{}".to_owned() } else { body.to_string() }.as_bytes(),
                ),
                other => return Err(format!("`{other}` is no method of the control API")),
            };
        let mut answer = answer.map_err(|e| told(&e))?;
        let status = answer.status().as_u16();
        let limited = answer.body_mut().with_config().limit(256 << 20);
        let text = limited.read_to_string().map_err(|e| told(&e))?;
        let value = if text.trim().is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).map_err(|e| told(&format!("{e} in `{text}`")))?
        };
        Ok((status, value))
    }

    /// A call that must succeed.
    ///
    /// # Errors
    /// When it does not.
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> Done<Value> {
        let (status, answer) = self.call(method, path, body)?;
        if status < 300 {
            return Ok(answer);
        }
        Err(format!(
            "{method} {path} of the sandbox answered {status}: {answer}; the body was {body}"
        ))
    }

    /// `GET`.
    ///
    /// # Errors
    /// As [`Control::ask`].
    pub fn get(&self, path: &str) -> Done<Value> {
        self.ask("GET", path, &Value::Null)
    }

    /// `POST`.
    ///
    /// # Errors
    /// As [`Control::ask`].
    pub fn post(&self, path: &str, body: &Value) -> Done<Value> {
        self.ask("POST", path, body)
    }

    /// Moves the clock in steps and waits, after each, until every guard has done what was due.
    ///
    /// # Errors
    /// When a guard was not at rest in time.
    pub fn advance(&self, by: Duration, step: Duration) -> Done<Value> {
        let ms = |d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
        let body = json!({"by_ms": ms(by), "step_ms": ms(step), "settle_ms": 20_000});
        let answer = self.post("/_sandbox/clock/advance", &body)?;
        if answer["settled"] == json!(true) {
            return Ok(answer);
        }
        Err(format!(
            "advanced by {} s, but a guard was not at rest in time: {answer}",
            by.as_secs()
        ))
    }
}
