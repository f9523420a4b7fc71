//! One language's player: a program that does what it is told, line by line.

use crate::{Done, lines::Lines, native, place::Place};
use serde_json::{Value, json};
use std::{process::Command, time::Duration};

/// The languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// The core itself, without a binding.
    Rust,
    /// C99 through the shared library.
    C,
    /// C++17 through mpguard.hpp.
    Cpp,
    /// Python.
    Python,
    /// Node.
    Node,
}

impl Language {
    /// All that a product is written in, in the order in which they are shown.
    pub const ALL: [Language; 4] = [Language::C, Language::Cpp, Language::Python, Language::Node];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Language::Rust => "Rust",
            Language::C => "C",
            Language::Cpp => "C++",
            Language::Python => "Python",
            Language::Node => "Node",
        }
    }

    /// A word for paths and URLs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Language::Rust => "rust",
            Language::C => "c",
            Language::Cpp => "cpp",
            Language::Python => "python",
            Language::Node => "node",
        }
    }

    /// The command that runs `folder/stem.c`, `.cpp`, `.py` or `.mjs`, compiled first where needed.
    ///
    /// # Errors
    /// When it does not compile.
    pub fn command(self, place: &Place, folder: &str, stem: &str) -> Done<Command> {
        let source = |ending: &str| place.root.join(folder).join(format!("{stem}.{ending}"));
        let mut command = match self {
            Language::Rust => Command::new(place.built(&format!("examples/{stem}"))?),
            Language::C => Command::new(native::compile(place, &source("c"))?),
            Language::Cpp => Command::new(native::compile(place, &source("cpp"))?),
            Language::Python => {
                let mut command = Command::new(&place.python);
                command.arg(source("py"));
                command
            }
            Language::Node => {
                let mut command = Command::new("node");
                command.arg(source("mjs"));
                command
            }
        };
        command.env("PYTHONPATH", place.root.join("bindings/python")).env("PYTHONUNBUFFERED", "1");
        Ok(command)
    }
}

/// What a player answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It worked; JSON where the payload is JSON, else text, null when there is none.
    Ok(Value),
    /// It failed: `code`, `kind`, `retryable`, `text`.
    Error(Value),
}

impl Answer {
    /// Reads one line.
    ///
    /// # Errors
    /// When it is not an answer.
    pub fn read(line: &str) -> Done<Answer> {
        let words: Vec<&str> = line.split('\t').collect();
        match words.as_slice() {
            ["ok"] => Ok(Answer::Ok(Value::Null)),
            ["ok", payload] => {
                Ok(Answer::Ok(serde_json::from_str(payload).unwrap_or_else(|_| json!(payload))))
            }
            ["error", code, kind, retryable @ ("0" | "1"), text @ ..] => Ok(Answer::Error(json!({
                "code": code, "kind": kind, "retryable": *retryable == "1", "text": text.join(" "),
            }))),
            _ => Err(format!("the player said `{line}`, which is no answer")),
        }
    }
}

/// A running player.
#[derive(Debug)]
pub struct Player {
    process: Lines,
}

/// Longer than any time-out that a scenario gives to a call.
const PATIENCE: Duration = Duration::from_secs(60);

impl Player {
    /// Starts a player.
    ///
    /// # Errors
    /// When it does not compile or start.
    pub fn start(language: Language, place: &Place) -> Done<Player> {
        let mut command = language.command(place, "tests/conformance/players", "player")?;
        Player::of(&format!("the {} player", language.name()), &mut command)
    }

    /// Starts any program that speaks the players' language.
    ///
    /// # Errors
    /// When it does not start.
    pub fn of(name: &str, command: &mut Command) -> Done<Player> {
        Ok(Player { process: Lines::start(name, command)? })
    }

    /// Says one command without waiting for the answer.
    ///
    /// # Errors
    /// When a word cannot be said, or the player has ended.
    pub fn begin(&mut self, words: &[String]) -> Done {
        if let Some(word) = words.iter().find(|word| word.contains(['\t', '\n'])) {
            return Err(format!(
                "`{word}` holds a tab or a new line and cannot be said to a player"
            ));
        }
        self.process.say(&words.join("\t"))
    }

    /// The answer to the oldest command that has none.
    ///
    /// # Errors
    /// When there is none in time.
    pub fn answer(&mut self) -> Done<Answer> {
        Answer::read(&self.process.hear(PATIENCE)?)
    }

    /// The answer, when it comes within a short time.
    ///
    /// # Errors
    /// When the player has ended, or what it said is no answer.
    pub fn answer_within(&mut self, patience: Duration) -> Done<Option<Answer>> {
        self.process.hear_within(patience)?.map(|line| Answer::read(&line)).transpose()
    }

    /// Says `quit`, and the player must end well and say nothing more.
    ///
    /// # Errors
    /// When it does not.
    pub fn quit(mut self) -> Done {
        self.process.say("quit")?;
        let rest = self.process.finish(PATIENCE)?;
        match rest.iter().find(|line| *line != "ok") {
            None => Ok(()),
            Some(line) => Err(format!("the player said `{line}` after `quit`")),
        }
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.process.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        assert_eq!(Answer::read("ok").unwrap(), Answer::Ok(Value::Null));
        assert_eq!(Answer::read("ok\tlicensed").unwrap(), Answer::Ok(json!("licensed")));
        assert_eq!(Answer::read("ok\t{\"a\":1}").unwrap(), Answer::Ok(json!({"a": 1})));
        let error = json!({"code": "PENDING", "kind": "retry", "retryable": true, "text": "wait"});
        assert_eq!(Answer::read("error\tPENDING\tretry\t1\twait").unwrap(), Answer::Error(error));
        assert!(Answer::read("oh").is_err());
        assert!(Answer::read("error\tPENDING\tretry\tyes\twait").is_err());
    }

    fn shell(script: &str) -> Player {
        Player::of("a shell", Command::new("sh").args(["-c", script])).unwrap()
    }

    #[test]
    fn a_player_is_spoken_to_in_words() {
        let mut player = shell("read a; printf 'ok\\t%s\\n' \"${a%% *}\"; read b; echo ok");
        player.begin(&["verdict".into()]).unwrap();
        assert_eq!(player.answer().unwrap(), Answer::Ok(json!("verdict")));
        player.quit().unwrap();
    }

    #[test]
    fn a_player_that_dies_is_told_with_its_last_words() {
        let mut player = shell("read a; echo 'no such thing' >&2; exit 3");
        player.begin(&["init".into()]).unwrap();
        let why = player.answer().unwrap_err();
        assert!(why.contains("no such thing") && why.contains("exit status: 3"), "{why}");
    }
}
