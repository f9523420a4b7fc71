//! Partial comparison of JSON: an expectation names what matters and leaves the rest open.
//!
//! Objects: each member named must fit. Lists: the same length, item by item. Everything else is equal.
//! An object with one member that begins with `$` is a matcher; tests/conformance/README.md lists them.

use serde_json::{Map, Value};

/// Every difference between what was wanted and found, each with its path. Empty when it fits.
#[must_use]
pub fn differences(wanted: &Value, found: &Value) -> Vec<String> {
    let mut out = Vec::new();
    compare("", wanted, Some(found), &mut out);
    out
}

fn compare(path: &str, wanted: &Value, found: Option<&Value>, out: &mut Vec<String>) {
    if let Some((name, argument)) = matcher(wanted) {
        return matched(path, name, argument, found, out);
    }
    let Some(found) = found else {
        return out.push(format!("{}: wanted {}, found nothing", at(path), short(wanted)));
    };
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => members(path, wanted, found, out),
        (Value::Array(wanted), Value::Array(items)) => {
            if wanted.len() != items.len() {
                let (n, m) = (wanted.len(), items.len());
                out.push(format!("{}: wanted {n} items, found {m}: {}", at(path), short(found)));
            }
            for (index, (wanted, item)) in wanted.iter().zip(items).enumerate() {
                compare(&format!("{path}/{index}"), wanted, Some(item), out);
            }
        }
        _ if same(wanted, found) => {}
        _ => out.push(format!("{}: wanted {}, found {}", at(path), short(wanted), short(found))),
    }
}

fn members(
    path: &str,
    wanted: &Map<String, Value>,
    found: &Map<String, Value>,
    out: &mut Vec<String>,
) {
    for (name, wanted) in wanted {
        compare(&format!("{path}/{name}"), wanted, found.get(name), out);
    }
}

fn matcher(wanted: &Value) -> Option<(&str, &Value)> {
    let object = wanted.as_object().filter(|object| object.len() == 1)?;
    object
        .iter()
        .next()
        .filter(|(name, _)| name.starts_with('$'))
        .map(|(name, value)| (name.as_str(), value))
}

fn matched(path: &str, name: &str, argument: &Value, found: Option<&Value>, out: &mut Vec<String>) {
    let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok());
    let order = || Some((number(found?)?, number(argument)?));
    let fits = match name {
        "$absent" => found.is_none(),
        "$any" => found.is_some_and(|value| !value.is_null()),
        "$gt" => order().is_some_and(|(found, than)| found > than),
        "$ge" => order().is_some_and(|(found, than)| found >= than),
        "$lt" => order().is_some_and(|(found, than)| found < than),
        "$le" => order().is_some_and(|(found, than)| found <= than),
        "$not" => found.is_none_or(|found| !differences(argument, found).is_empty()),
        "$length" => found
            .and_then(Value::as_array)
            .is_some_and(|items| differences(argument, &Value::from(items.len())).is_empty()),
        "$contains" => match found {
            Some(Value::String(text)) => parts(argument).iter().all(|part| contains(text, part)),
            Some(Value::Array(items)) => parts(argument)
                .iter()
                .all(|part| items.iter().any(|item| differences(part, item).is_empty())),
            _ => false,
        },
        "$each" => found
            .and_then(Value::as_array)
            .is_some_and(|items| items.iter().all(|item| differences(argument, item).is_empty())),
        "$one_of" => found.is_some_and(|found| {
            parts(argument).iter().any(|wanted| differences(wanted, found).is_empty())
        }),
        _ => {
            return out.push(format!(
                "{}: `{name}` is no matcher; tests/conformance/README.md lists them",
                at(path)
            ));
        }
    };
    if !fits {
        let found = found.map_or_else(|| "nothing".to_owned(), short);
        out.push(format!("{}: wanted {name} {}, found {found}", at(path), short(argument)));
    }
}

fn parts(argument: &Value) -> Vec<&Value> {
    argument.as_array().map_or_else(|| vec![argument], |parts| parts.iter().collect())
}

fn contains(text: &str, part: &Value) -> bool {
    part.as_str().is_some_and(|part| text.contains(part))
}

/// `17` and `"17"` are the same: the sandbox gives quantities as text, because they may be decimals.
fn same(wanted: &Value, found: &Value) -> bool {
    wanted == found
        || match (wanted, found) {
            (Value::Number(number), Value::String(text))
            | (Value::String(text), Value::Number(number)) => number.to_string() == *text,
            _ => false,
        }
}

fn at(path: &str) -> &str {
    if path.is_empty() { "the answer" } else { path }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 700 {
        text
    } else {
        format!("{}…", text.chars().take(700).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(wanted: &Value, found: &Value, fits: bool) {
        let differences = differences(wanted, found);
        assert_eq!(differences.is_empty(), fits, "{wanted} against {found}: {differences:?}");
    }

    #[test]
    fn objects_fit_in_part_and_lists_in_whole() {
        check(&json!({"a": 1}), &json!({"a": 1, "b": 2}), true);
        check(&json!({"a": 1}), &json!({"a": 2}), false);
        check(&json!({"a": 1}), &json!({}), false);
        check(&json!([{"a": 1}]), &json!([{"a": 1, "b": 2}]), true);
        check(&json!([1]), &json!([1, 2]), false);
        check(&json!([]), &json!([1]), false);
        check(&json!({"q": 17}), &json!({"q": "17"}), true);
        check(&json!({"q": 17}), &json!({"q": "17.5"}), false);
        check(&json!(null), &json!(0), false);
    }

    #[test]
    fn every_matcher_can_fit_and_fail() {
        for (matcher, good, bad) in [
            (json!({"$gt": 1}), json!(2), json!(1)),
            (json!({"$ge": 1}), json!(1), json!(0)),
            (json!({"$lt": 1}), json!(0), json!(1)),
            (json!({"$le": 1}), json!("1"), json!("2")),
            (json!({"$any": true}), json!(0), json!(null)),
            (json!({"$not": {"a": 1}}), json!({"a": 2}), json!({"a": 1})),
            (json!({"$length": 1}), json!([5]), json!([])),
            (json!({"$length": {"$ge": 1}}), json!([5]), json!([])),
            (json!({"$contains": "b"}), json!("abc"), json!("acd")),
            (json!({"$contains": ["a", "c"]}), json!("abc"), json!("ab")),
            (json!({"$contains": [{"a": 1}]}), json!([{"a": 2}, {"a": 1}]), json!([{"a": 2}])),
            (json!({"$each": {"a": 1}}), json!([{"a": 1, "b": 1}]), json!([{"a": 1}, {"a": 2}])),
            (json!({"$one_of": [1, 2]}), json!(2), json!(3)),
        ] {
            check(&matcher, &good, true);
            check(&matcher, &bad, false);
        }
        check(&json!({"a": {"$absent": true}}), &json!({}), true);
        check(&json!({"a": {"$absent": true}}), &json!({"a": null}), false);
        check(&json!({"$typo": 1}), &json!(1), false);
    }

    #[test]
    fn a_difference_names_its_path() {
        let found = differences(&json!({"a": [{"b": 1}]}), &json!({"a": [{"b": 2}]}));
        assert_eq!(found, ["/a/0/b: wanted 1, found 2"]);
    }
}
