//! One shape of a service model.

use std::sync::OnceLock;

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

/// What a shape is made of.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Structure,
    List,
    Map,
    String,
    Integer,
    Long,
    Boolean,
    Timestamp,
}

#[derive(Deserialize)]
pub(crate) struct Member {
    pub(crate) shape: String,
}

#[derive(Deserialize)]
struct ErrorTrait {
    code: String,
}

/// A shape with its constraints.
#[derive(Deserialize)]
pub(crate) struct Shape {
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    /// `serde_json` keeps the model's own order, which is the order of members in XML answers.
    #[serde(default)]
    members: serde_json::Map<String, Value>,
    #[serde(default)]
    pub(super) required: Vec<String>,
    pub(super) member: Option<Member>,
    pub(super) min: Option<i64>,
    pub(super) max: Option<i64>,
    pub(super) pattern: Option<String>,
    #[serde(default, rename = "enum")]
    pub(super) one_of: Vec<String>,
    error: Option<ErrorTrait>,
    #[serde(skip)]
    compiled: OnceLock<Option<Regex>>,
}

impl Shape {
    /// Members with the names of their shapes.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.members
            .iter()
            .map(|(name, member)| (name.as_str(), member["shape"].as_str().unwrap_or_default()))
    }

    /// The words of an enumeration.
    pub(crate) fn words(&self) -> &[String] {
        &self.one_of
    }

    pub(super) fn has_member(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Whether the whole text fits the pattern, if there is one.
    pub(super) fn fits(&self, text: &str) -> bool {
        self.regex().is_none_or(|regex| regex.is_match(text))
    }

    #[cfg(test)]
    pub(super) fn pattern_compiles(&self) -> bool {
        self.pattern.is_none() || self.regex().is_some()
    }

    /// The code on the wire, where it differs from the shape's name (query services).
    pub(super) fn error_code(&self) -> Option<&str> {
        self.error.as_ref().map(|error| error.code.as_str())
    }

    fn regex(&self) -> Option<&Regex> {
        let compile = || Regex::new(&format!("^(?:{})$", self.pattern.as_deref()?)).ok();
        self.compiled.get_or_init(compile).as_ref()
    }
}
