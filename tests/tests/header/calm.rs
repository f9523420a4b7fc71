//! Puts what cbindgen wrote into the shape that we like to read.

/// The same text with comments of one line on one line, constants without blank lines between, and no
/// space at the end of a line.
pub(crate) fn calm(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let mut out = String::new();
    let mut rest = &lines[..];
    while let Some((line, after)) = rest.split_first() {
        rest = match rest {
            ["/**", said, " */", more @ ..] if said.starts_with(" * ") => {
                let said = &said[3..];
                out.push_str(&format!("/** {said} */\n"));
                more
            }
            ["", next @ ..] if out.ends_with("\n\n") => next,
            [define, "", more @ ..]
                if define.starts_with("#define ") && same_group(define, more) =>
            {
                out.push_str(&format!("{define}\n"));
                more
            }
            _ => {
                out.push_str(&format!("{line}\n"));
                after
            }
        };
    }
    out
}

/// True when the next constant has the same prefix and hundred.
fn same_group(define: &str, after: &[&str]) -> bool {
    let key = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let prefix: Vec<_> = words.next()?.split('_').take(2).map(str::to_owned).collect();
        Some((prefix, words.next()?.parse::<i32>().ok()? / 100))
    };
    let next = after.iter().find(|line| !line.starts_with(['/', ' ']));
    next.is_some_and(|next| next.starts_with("#define ") && key(define) == key(next))
}
