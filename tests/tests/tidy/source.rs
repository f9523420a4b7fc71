//! Just enough of Rust's grammar to see which rooms a file names.

/// Source without comments, string contents and test modules.
pub(crate) fn plain(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = before_tests(source);
    while let Some(letter) = rest.chars().next() {
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |at| at + 2)
        } else if rest.starts_with("r#\"") {
            rest.find("\"#").map_or(rest.len(), |at| at + 2)
        } else if letter == '"' {
            string_length(rest)
        } else if rest.starts_with("'\"'") {
            3
        } else {
            out.push(letter);
            rest = &rest[letter.len_utf8()..];
            continue;
        };
        rest = &rest[skip..];
    }
    out
}

/// Test modules stand at the end of a file, as everywhere in this house.
fn before_tests(source: &str) -> &str {
    match source.find("#[cfg(test)]\nmod tests {") {
        Some(at) => &source[..at],
        None => source,
    }
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        match (escaped, letter) {
            (false, '"') => return at + 1,
            (false, '\\') => escaped = true,
            _ => escaped = false,
        }
    }
    text.len()
}

/// What stands right behind `crate::` in a file, in groups too. `super::` counts where it reaches the
/// root: `depth` is how many modules deep the file is.
pub(crate) fn names_at_root(plain: &str, depth: usize) -> Vec<String> {
    let up = "super::".repeat(depth);
    let mut names = Vec::new();
    for start in ["crate::", up.as_str()].into_iter().filter(|start| !start.is_empty()) {
        for (at, _) in plain.match_indices(start) {
            let inside_longer = plain[..at].ends_with("super::")
                || plain[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
            if !inside_longer {
                names.extend(heads(&plain[at + start.len()..]));
            }
        }
    }
    names
}

/// First words of a path or of a braced group of paths.
fn heads(text: &str) -> Vec<String> {
    let Some(group) = text.strip_prefix('{') else {
        return vec![word(text)];
    };
    let (mut depth, mut names, mut fresh) = (0, Vec::new(), true);
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            c if fresh && depth == 0 && !c.is_whitespace() => {
                names.push(word(&group[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == '*').collect()
}

#[test]
fn names_in_groups_comments_and_supers_are_told_apart() {
    let source = r#"
        use crate::{model::{a, b}, port, error::Result};
        // crate::comment
        let text = "crate::string";
        fn f() -> crate::event::Event { super::super::shell::go(); super::near(); }
        #[cfg(test)]
        "#
    .to_owned()
        + "#[cfg(test)]\nmod tests { use crate::guard; }";
    let mut found = names_at_root(&plain(&source), 2);
    found.sort();
    assert_eq!(found, ["error", "event", "model", "port", "shell"]);
}
