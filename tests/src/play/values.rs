//! `${name}` in the strings of a scenario.

use crate::{Done, scenario::duration};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Values by name.
#[derive(Debug, Default)]
pub(super) struct Values(BTreeMap<String, Value>);

impl Values {
    pub(super) fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    /// `value` with every `${name}` in its strings filled in. A string that is nothing but one keeps the
    /// type of what is filled in.
    pub(super) fn fill(&self, value: &Value) -> Done<Value> {
        Ok(match value {
            Value::String(text) => match whole(text) {
                Some(name) => self.get(name)?,
                None => Value::String(self.text(text)?),
            },
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.fill(item)).collect::<Done<_>>()?)
            }
            Value::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), self.fill(value)?)))
                    .collect::<Done<_>>()?,
            ),
            other => other.clone(),
        })
    }

    /// The same for a text that stays one.
    pub(super) fn text(&self, text: &str) -> Done<String> {
        let (mut out, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) =
                after.split_once('}').ok_or_else(|| format!("`{text}` has an open `${{`"))?;
            out.push_str(before);
            match self.get(name)? {
                Value::String(value) => out.push_str(&value),
                value => out.push_str(&value.to_string()),
            }
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    /// `start_ms`, or `start_ms+2h`: so many milliseconds later.
    fn get(&self, name: &str) -> Done<Value> {
        let known = |name: &str| {
            self.0.get(name).cloned().ok_or_else(|| {
                let names: Vec<_> = self.0.keys().map(String::as_str).collect();
                format!("no value is named `{name}`; there are `{}`", names.join("`, `"))
            })
        };
        let Some((base, by)) = name.split_once('+') else {
            return known(name);
        };
        let base =
            known(base)?.as_i64().ok_or_else(|| format!("`{base}` is no number to add to"))?;
        let by = i64::try_from(duration(by)?.as_millis()).map_err(|e| e.to_string())?;
        Ok(json!(base + by))
    }
}

fn whole(text: &str) -> Option<&str> {
    text.strip_prefix("${")?.strip_suffix('}').filter(|name| !name.contains('}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_type_alone_and_become_text_inside() {
        let mut values = Values::default();
        values.set("n", json!(1000));
        values.set("name", json!("app"));
        let filled =
            values.fill(&json!({"a": "${n}", "b": "/t/${name}/${n}", "c": ["${n+2s}"]})).unwrap();
        assert_eq!(filled, json!({"a": 1000, "b": "/t/app/1000", "c": [3000]}));
        assert!(values.fill(&json!("${other}")).is_err());
        assert!(values.fill(&json!("a ${n")).is_err());
    }
}
