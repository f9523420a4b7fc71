//! Meanings for a program.

use super::meaning::{Meaning, Role};
use serde_json::{Map, Value, json};
use std::io::{self, Write};

/// Writes a list of meanings.
pub(crate) fn write(meanings: &[&Meaning], out: &mut dyn Write) -> io::Result<()> {
    let all: Vec<Value> = meanings.iter().map(|meaning| value(meaning)).collect();
    serde_json::to_writer_pretty(&mut *out, &all)?;
    writeln!(out)
}

fn value(meaning: &Meaning) -> Value {
    let pages: Vec<Value> =
        meaning.pages.iter().map(|page| json!({"title": page.title, "url": page.url})).collect();
    let mut object = Map::new();
    object.insert("word".to_owned(), json!(meaning.title()));
    for role in meaning.roles() {
        object.insert(role.name().to_owned(), self::role(role));
    }
    for (key, value) in [
        ("what", json!(meaning.what)),
        ("why", json!(meaning.why)),
        ("buyer", json!(meaning.buyer)),
        ("seller", json!(meaning.seller)),
        ("aws", json!(meaning.aws)),
        ("docs", Value::Array(pages)),
        ("see", json!(meaning.see)),
    ] {
        object.insert(key.to_owned(), value);
    }
    Value::Object(object)
}

fn role(role: Role) -> Value {
    match role {
        Role::Error(code) => json!({
            "code": code.as_str(), "number": code as i32, "kind": code.kind().as_str()
        }),
        Role::Event(kind) => json!({
            "kind": kind.as_str(), "number": kind as i32, "topic": kind.topic().as_str()
        }),
        Role::Verdict(_) | Role::Reason(_) => json!(role.word()),
    }
}
