//! Tags of usage allocations, held to AWS's strictest reading.

use super::usage::Tags;
use crate::error::{Code, Error, Result};

/// Source: MeterUsage model, shape `Tag` and list `TagList`: 5 tags, keys of 100, values of 256.
const TAGS_MAX: usize = 5;
const KEY_MAX: usize = 100;
const VALUE_MAX: usize = 256;

/// Checks tag pairs and sorts them.
///
/// # Errors
/// `InvalidTag` naming the dimension, the tag and what AWS takes.
pub fn check(dimension: &str, pairs: &[(&str, &str)]) -> Result<Tags> {
    let invalid = |text: String| {
        Error::new(Code::InvalidTag, format!("cannot tag dimension `{dimension}`: {text}"))
    };
    if pairs.len() > TAGS_MAX {
        return Err(invalid(format!("{} tags given, AWS takes at most {TAGS_MAX}", pairs.len())));
    }
    let mut tags = Tags::new();
    for (key, value) in pairs {
        for (what, text, max) in [("key", key, KEY_MAX), ("value", value, VALUE_MAX)] {
            if text.is_empty() || text.chars().count() > max || !text.chars().all(allowed) {
                return Err(invalid(format!(
                    "{what} `{text}` must be 1 to {max} of letters, digits, space and `+-=._:/@`"
                )));
            }
        }
        if tags.insert((*key).to_owned(), (*value).to_owned()).is_some() {
            return Err(invalid(format!("key `{key}` is given twice")));
        }
    }
    Ok(tags)
}

/// The characters that both the model's pattern and the guide's list allow.
fn allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+ -=._:/@".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_aws_would_refuse_are_refused_when_the_meter_is_made() {
        // T24
        let long = "k".repeat(101);
        let check_bad = |pairs: &[(&str, &str)], part: &str| {
            let error = check("gb", pairs).expect_err(part);
            assert_eq!(error.code(), Code::InvalidTag);
            assert!(error.text().contains(part) && error.text().contains("`gb`"), "{error}");
        };
        check_bad(
            &[("a", "1"), ("b", "1"), ("c", "1"), ("d", "1"), ("e", "1"), ("f", "1")],
            "6 tags",
        );
        check_bad(&[("team", "")], "value ``");
        check_bad(&[("", "x")], "key ``");
        check_bad(&[("te$m", "x")], "`te$m`");
        check_bad(&[("a", "x\\y")], "`x\\y`");
        check_bad(&[(&long, "x")], "1 to 100");
        check_bad(&[("a", "1"), ("a", "2")], "twice");
    }

    #[test]
    fn tags_that_aws_takes_are_taken() {
        let tags = check("gb", &[("cost center", "a/b+c=d_e.f:g@h-1")]).expect("valid");
        assert_eq!(tags.len(), 1);
    }
}
