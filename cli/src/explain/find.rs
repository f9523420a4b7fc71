//! Finds what somebody has typed, and what it may have been meant for.

use super::meaning::{self, Meaning, Role};
use mpguard_core::config::keys::distance;

/// How many suggestions help.
const SUGGESTIONS_MAX: usize = 6;

/// Meanings of a word, a number, a name of C or Python, or an exception of AWS.
pub(crate) fn find(query: &str) -> Vec<&'static Meaning> {
    let names = names(query);
    let number: Option<i32> = query.trim().parse().ok();
    let exact = meaning::all().filter(|meaning| {
        names.iter().any(|name| *name == plain(meaning.word))
            || number.is_some() && meaning.roles().iter().any(|role| role.number() == number)
    });
    let exact: Vec<&Meaning> = exact.collect();
    if !exact.is_empty() {
        return exact;
    }
    // AWS's name for it, with or without its ending.
    let query = plain(query);
    let same =
        |name: &&str| plain(name) == query || plain(name).strip_suffix("exception") == Some(&query);
    meaning::all().filter(|meaning| meaning.aws.iter().any(&same)).collect()
}

/// Why there is nothing, and what may have been meant.
pub(crate) fn unknown(query: &str) -> String {
    let all = "`mpguard explain` lists them all";
    if let Ok(number) = query.trim().parse::<i32>() {
        return format!("no error and no event has the number {number}; {all}");
    }
    let near = suggestions(query);
    let near: Vec<String> = near.iter().map(|word| format!("`{word}`")).collect();
    let shown = query.escape_debug();
    match near.as_slice() {
        [] => format!("unknown code `{shown}`; {all}"),
        [one] => format!("unknown code `{shown}`; did you mean {one}?"),
        [rest @ .., last] => {
            format!("unknown code `{shown}`; did you mean {} or {last}?", rest.join(", "))
        }
    }
}

/// Words that are spelt nearly so, or have a part that is, the nearest first.
fn suggestions(query: &str) -> Vec<&'static str> {
    let (names, asked) = (names(query), plain(query));
    let near = |name: &str, word: &str| {
        let far = distance(name, word);
        (far <= word.len() / 3).then_some(far)
    };
    let mut found: Vec<(bool, usize, &str)> = Role::all()
        .filter_map(|role| {
            let word = role.word();
            let whole = names.iter().filter_map(|name| near(name, &plain(word))).min();
            let mut parts = word.split('_').map(plain).filter(|part| part.len() > 3);
            let part = asked.len() > 2 && plain(word).contains(&asked)
                || parts.any(|part| near(&asked, &part).is_some());
            (whole.is_some() || part).then_some((part, whole.unwrap_or(usize::MAX), word))
        })
        .collect();
    found.sort_by_key(|(_, far, word)| (*far, word.to_lowercase()));
    found.dedup_by_key(|(_, _, word)| word.to_lowercase());
    // A slip of the finger needs no others beside it.
    if let Some((false, far, word)) = found.first()
        && far * 5 <= word.len()
    {
        return vec![word];
    }
    found.into_iter().take(SUGGESTIONS_MAX).map(|(_, _, word)| word).collect()
}

/// What the word may be without what a language puts around it: `MPGUARD_ERROR_NO_SEAT`, `NoSeatError`.
fn names(query: &str) -> Vec<String> {
    let query = plain(query);
    let bare = query.strip_prefix("mpguard").unwrap_or(&query);
    let mut names = vec![bare.to_owned()];
    for before in ["errorcode", "error", "eventkind", "event", "verdict", "reason", "code"] {
        names.extend(bare.strip_prefix(before).map(str::to_owned));
    }
    names.extend(bare.strip_suffix("error").map(str::to_owned));
    names.retain(|name| !name.is_empty());
    names
}

/// Letters and digits alone, in small.
fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}
