//! The player of the core itself: a scenario that fails here fails for no binding's sake.
//!
//! tests/conformance/README.md has the commands.

use mpguard_core::{Code, Config, Error, Event, Guard, Meter, Result, Seat};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    io::{BufRead, Write},
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

fn main() {
    let mut player = Player::default();
    for line in std::io::stdin().lock().lines().map_while(std::result::Result::ok) {
        let words: Vec<&str> = line.split('\t').collect();
        let answer = match player.play(&words) {
            Ok(Value::Null) => "ok".to_owned(),
            Ok(Value::String(text)) => format!("ok\t{text}"),
            Ok(value) => format!("ok\t{value}"),
            Err(e) => {
                let (code, kind, again) =
                    (e.code().as_str(), e.kind().as_str(), u8::from(e.retryable()));
                format!("error\t{code}\t{kind}\t{again}\t{}", e.text().replace(['\n', '\t'], " "))
            }
        };
        println!("{answer}");
        let _ = std::io::stdout().flush();
        if words == ["quit"] {
            break;
        }
    }
}

#[derive(Default)]
struct Player {
    guard: Option<Guard>,
    meters: HashMap<String, Meter>,
    seats: HashMap<String, Seat>,
    events: Arc<Heard>,
}

#[derive(Default)]
struct Heard {
    events: Mutex<Vec<Value>>,
    more: Condvar,
}

impl Player {
    fn play(&mut self, words: &[&str]) -> Result<Value> {
        match words {
            ["quit"] => Ok(Value::Null),
            ["init", config] => self.init(config),
            ["verdict"] => Ok(json!(self.guard()?.verdict().as_str())),
            ["license"] => Ok(self.guard()?.license().to_json()),
            ["require"] => self.guard()?.require().map(|()| Value::Null),
            ["has", feature] => Ok(json!(u8::from(self.guard()?.has(feature)))),
            ["add", rest @ ..] => {
                let (meter, n) = self.meter(rest)?;
                meter.add(n).map(|()| Value::Null)
            }
            ["set", rest @ ..] => {
                let (meter, n) = self.meter(rest)?;
                meter.set(n).map(|()| Value::Null)
            }
            ["check_out", name, entitlement, count, timeout] => {
                let seat = self.guard()?.check_out(entitlement, number(count)?, ms(timeout)?)?;
                let expires = seat.expires_ms();
                self.seats.insert((*name).to_owned(), seat);
                Ok(json!(expires))
            }
            ["draw_down", entitlement, quantity, timeout] => {
                let (quantity, timeout) = (number(quantity)?, ms(timeout)?);
                self.guard()?.draw_down(entitlement, quantity, timeout).map(|()| Value::Null)
            }
            ["seat_number", name] => Ok(json!(self.seat(name)?.number())),
            ["seat", name] => Ok(json!(u8::from(self.seat(name)?.held()))),
            ["check_in", name] => self.seat(name)?.check_in().map(|()| Value::Null),
            ["event", kind, timeout] => self.events.take(kind, ms(timeout)?),
            ["account"] => Ok(json!(self.guard()?.account()?)),
            ["stats"] => Ok(json!(self.guard()?.stats())),
            ["flush", deadline] => Ok(json!(self.guard()?.flush(ms(deadline)?)?)),
            ["shutdown", deadline] => Ok(json!(self.guard()?.shutdown(ms(deadline)?)?)),
            _ => Err(wrong(format!("`{}` is no command of a player", words.join(" ")))),
        }
    }

    fn init(&mut self, config: &str) -> Result<Value> {
        let heard = self.events.clone();
        let listener = move |event: &Event| {
            heard.events.lock().unwrap_or_else(PoisonError::into_inner).push(event.to_json());
            heard.more.notify_all();
        };
        let guard = Guard::init_with(&Config::from_json(config)?, Arc::new(listener))?;
        let license = guard.license().to_json();
        // Handles of an earlier guard are of no use to a new one.
        self.meters.clear();
        self.seats.clear();
        self.guard = Some(guard);
        Ok(license)
    }

    fn guard(&self) -> Result<&Guard> {
        self.guard.as_ref().ok_or_else(|| wrong("no guard was made".into()))
    }

    fn meter(&mut self, words: &[&str]) -> Result<(&Meter, u64)> {
        let [dimension, n, tags @ ..] = words else {
            return Err(wrong("a dimension and a number".into()));
        };
        let key = [&[*dimension], tags].concat().join("\t");
        if !self.meters.contains_key(&key) {
            let tags: Vec<(&str, &str)> =
                tags.iter().map(|tag| tag.split_once('=').unwrap_or((tag, ""))).collect();
            let meter = self.guard()?.meter(dimension, &tags)?;
            self.meters.insert(key.clone(), meter);
        }
        let n = n.parse::<u64>().map_err(|e| {
            Error::new(
                Code::QuantityOutOfRange,
                format!("cannot add `{n}` to dimension `{dimension}`: {e}"),
            )
        })?;
        Ok((&self.meters[&key], n))
    }

    fn seat(&self, name: &str) -> Result<&Seat> {
        self.seats.get(name).ok_or_else(|| wrong(format!("no seat is named `{name}`")))
    }
}

impl Heard {
    /// The first event of `kind` not yet handed out; earlier ones of other kinds stay.
    fn take(&self, kind: &str, timeout: Duration) -> Result<Value> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let none = |events: &mut Vec<Value>| events.iter().all(|event| event["kind"] != kind);
        let waited = self.more.wait_timeout_while(events, timeout, none);
        let (mut events, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match events.iter().position(|event| event["kind"] == kind) {
            Some(at) => Ok(events.remove(at)),
            None => {
                let seen: Vec<String> =
                    events.iter().map(|event| event["kind"].to_string()).collect();
                Err(Error::new(
                    Code::TimedOut,
                    format!("no event `{kind}`; seen: {}", seen.join(", ")),
                ))
            }
        }
    }
}

fn wrong(text: String) -> Error {
    Error::new(Code::InvalidArgument, text)
}

fn number(text: &str) -> Result<u64> {
    text.parse().map_err(|e| wrong(format!("`{text}` is no number: {e}")))
}

fn ms(text: &str) -> Result<Duration> {
    number(text).map(Duration::from_millis)
}
