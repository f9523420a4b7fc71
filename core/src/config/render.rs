//! Writes the table of keys as documents and types.

use super::keys::{KEYS, Key, Shape};
use serde_json::{Map, Value, json};
use std::fmt::Write;

const ORIGIN: &str =
    "Generated from core/src/config/keys.rs by `cargo xtask generate`; do not edit.";

/// docs/CONFIGURATION.md.
#[must_use]
pub fn markdown() -> String {
    let mut out = format!(
        "<!-- {ORIGIN} -->\n\n# Configuration\n\nThe same keys in C, C++, Python and (in camelCase) Node.\n"
    );
    table(&mut out, "The guard", KEYS);
    nested(&mut out, "", KEYS);
    out
}

fn nested(out: &mut String, path: &str, keys: &'static [Key]) {
    for key in keys {
        if let Shape::List(inner) = key.shape {
            let path = format!("{path}{}[]", key.name);
            table(out, &format!("`{path}`"), inner);
            nested(out, &format!("{path}."), inner);
        }
    }
}

fn table(out: &mut String, title: &str, keys: &[Key]) {
    let _ = write!(
        out,
        "\n## {title}\n\n| key | value | default | meaning |\n| --- | --- | --- | --- |\n"
    );
    for key in keys {
        let default = match (key.required, key.default) {
            (true, _) => "required".to_owned(),
            (_, "") => "none".to_owned(),
            (_, text) => format!("`{}`", text.trim_matches('"')),
        };
        let _ = writeln!(
            out,
            "| `{}` | {} | {default} | {} |",
            key.name,
            key.shape.describe(),
            key.doc
        );
    }
}

/// docs/config.schema.json.
#[must_use]
pub fn schema() -> String {
    let mut schema = object(KEYS);
    if let Value::Object(map) = &mut schema {
        map.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
        map.insert("title".into(), json!("mpguard configuration"));
        map.insert("$comment".into(), json!(ORIGIN));
    }
    let mut text = serde_json::to_string_pretty(&schema).expect("a JSON value prints");
    text.push('\n');
    text
}

fn object(keys: &[Key]) -> Value {
    let properties: Map<String, Value> =
        keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let required: Vec<&str> = keys.iter().filter(|k| k.required).map(|k| k.name).collect();
    json!({"type": "object", "additionalProperties": false, "properties": properties, "required": required})
}

fn property(key: &Key) -> Value {
    let mut value = match &key.shape {
        Shape::Text => json!({"type": "string", "minLength": 1}),
        Shape::Word(words) => json!({"type": "string", "enum": words}),
        Shape::Integer { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
        Shape::Flag => json!({"type": "boolean"}),
        Shape::Pem => json!({"type": "string", "pattern": "^\\s*-----BEGIN"}),
        Shape::List(keys) => json!({"type": "array", "items": object(keys)}),
    };
    if let Value::Object(map) = &mut value {
        map.insert("description".into(), json!(key.doc));
        if !key.default.is_empty() {
            let default: Value =
                serde_json::from_str(key.default).expect("a test reads every default");
            map.insert("default".into(), default);
        }
    }
    value
}

/// Python's keyword types, `bindings/python/mpguard/_config.py`.
#[must_use]
pub fn python() -> String {
    let mut out = format!(
        "# {ORIGIN}\n\"\"\"Types of the configuration: what `mpguard.init` takes as keywords.\"\"\"\n\n\
         from __future__ import annotations\n\nfrom collections.abc import Sequence\n\
         from datetime import timedelta\nfrom typing import Literal, TypedDict\n"
    );
    python_class(&mut out, "Config", "Keys of the configuration.", KEYS);
    out
}

/// Two classes, so that no reader needs `NotRequired`, which Python has from 3.11 on.
fn python_class(out: &mut String, name: &str, doc: &str, keys: &'static [Key]) {
    let (mut required, mut optional) = (String::new(), String::new());
    for key in keys {
        let of = match &key.shape {
            Shape::Text | Shape::Pem => "str".to_owned(),
            Shape::Word(words) => format!("Literal[\"{}\"]", words.join("\", \"")),
            Shape::Integer { .. } => "int".to_owned(),
            Shape::Flag => "bool".to_owned(),
            Shape::List(inner) => {
                let class = class_name(key.name);
                python_class(out, &class, &format!("One entry of `{}`.", key.name), inner);
                format!("Sequence[{class}]")
            }
        };
        if key.required {
            python_key(&mut required, key.name, &of, key.doc);
        } else {
            python_key(&mut optional, key.name, &format!("{of} | None"), &python_doc(key));
        }
        if let Some(time) = key.name.strip_suffix("_ms") {
            python_key(
                &mut optional,
                time,
                "timedelta | None",
                &format!("`{}` as a timedelta.", key.name),
            );
        }
    }
    if !optional.is_empty() {
        optional.insert(0, '\n');
    }
    let _ = write!(
        out,
        "\n\nclass _{name}Required(TypedDict):\n{required}\n\n\
         class {name}(_{name}Required, total=False):\n    \"\"\"{doc}\"\"\"\n{optional}"
    );
}

fn python_key(body: &mut String, name: &str, of: &str, doc: &str) {
    let _ = write!(body, "    {name}: {of}\n    \"\"\"{doc}\"\"\"\n");
}

/// What an editor shows for one optional keyword: meaning, range, default.
fn python_doc(key: &Key) -> String {
    let mut doc = key.doc.to_owned();
    if let Shape::Integer { min, max } = key.shape {
        let _ = write!(doc, " A whole number from {min} to {max}.");
    }
    if !key.default.is_empty() {
        let _ = write!(doc, " Default: {}.", key.default.replace('"', "`"));
    }
    doc
}

/// TypeScript's option types, `bindings/node/config.d.ts`.
#[must_use]
pub fn typescript() -> String {
    let mut out = format!("// {ORIGIN}\n");
    typescript_interface(&mut out, "Config", "Options of `init`.", KEYS);
    out
}

fn typescript_interface(out: &mut String, name: &str, doc: &str, keys: &'static [Key]) {
    let mut body = String::new();
    for key in keys {
        let of = match &key.shape {
            Shape::Text | Shape::Pem => "string".to_owned(),
            Shape::Word(words) => format!("'{}'", words.join("' | '")),
            Shape::Integer { .. } => "number".to_owned(),
            Shape::Flag => "boolean".to_owned(),
            Shape::List(inner) => {
                let interface = class_name(key.name);
                let doc = format!("One entry of `{}`.", camel(key.name));
                typescript_interface(out, &interface, &doc, inner);
                format!("readonly {interface}[]")
            }
        };
        // `| undefined`: with exactOptionalPropertyTypes, `{ proxy: settings.proxy }` must still compile.
        let (mark, none) = if key.required { ("", "") } else { ("?", " | undefined") };
        let _ = writeln!(
            body,
            "{}  readonly {}{mark}: {of}{none}",
            typescript_doc(key),
            camel(key.name)
        );
    }
    let _ = write!(out, "\n/** {doc} */\nexport interface {name} {{\n{body}}}\n");
}

/// What an editor shows for one option: meaning, range, default.
fn typescript_doc(key: &Key) -> String {
    let mut lines = vec![camel_keys(key.doc)];
    if let Shape::Integer { min, max } = key.shape {
        lines.push(format!("A whole number from {min} to {max}."));
    }
    if !key.default.is_empty() {
        lines.push(format!("@default {}", key.default.replace('"', "'")));
    }
    match lines.as_slice() {
        [line] => format!("  /** {line} */\n"),
        lines => format!("  /**\n   * {}\n   */\n", lines.join("\n   * ")),
    }
}

/// `trusted_products` as a type name of one item: `TrustedProduct`.
fn class_name(list: &str) -> String {
    let camel = camel(list.trim_end_matches('s'));
    let mut letters = camel.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `product_code` as `productCode`.
#[must_use]
pub fn camel(name: &str) -> String {
    let mut upper = false;
    let mut out = String::new();
    for letter in name.chars() {
        match (letter, upper) {
            ('_', _) => upper = true,
            (_, true) => {
                out.extend(letter.to_uppercase());
                upper = false;
            }
            _ => out.push(letter),
        }
    }
    out
}

/// `text` with every key of the table in camelCase: documents and errors as Node spells them.
#[must_use]
pub fn camel_keys(text: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_word) {
        let (before, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|c| !is_word(c)).unwrap_or(from.len()));
        out.push_str(before);
        out.push_str(&if is_key(word, KEYS) { camel(word) } else { word.to_owned() });
        rest = after;
    }
    out + rest
}

fn is_key(word: &str, keys: &[Key]) -> bool {
    keys.iter().any(|key| {
        key.name == word || matches!(key.shape, Shape::List(inner) if is_key(word, inner))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_change_case_without_losing_letters() {
        assert_eq!(camel("startup_timeout_ms"), "startupTimeoutMs");
        assert_eq!(class_name("trusted_products"), "TrustedProduct");
        assert_eq!(class_name("public_keys"), "PublicKey");
    }

    #[test]
    fn keys_inside_a_text_change_case_and_other_words_do_not() {
        let text = "set trusted_products[].public_keys; `license_expiring`, my_product_code: ü";
        let said = "set trustedProducts[].publicKeys; `license_expiring`, my_product_code: ü";
        assert_eq!(camel_keys(text), said);
    }
}
