//! Golden lists: what was promised to programs that are linked already.

use super::{read, root};
use std::{collections::BTreeSet, env, fs};

/// Lines of a list.
fn listed(path: &str) -> BTreeSet<String> {
    read(path).lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

/// What was there before must be there now; what is new is written down on request.
pub(crate) fn only_grows(path: &str, now: &BTreeSet<String>) {
    let before = listed(path);
    let gone: Vec<_> = before.difference(now).collect();
    assert!(
        gone.is_empty(),
        "{path} lists what is gone or changed: {gone:?}; it must stay for ever"
    );
    let new: Vec<_> = now.difference(&before).collect();
    if !new.is_empty() && env::var_os("MPGUARD_UPDATE").is_some() {
        let (old, mut lines) = (read(path), now.iter().collect::<Vec<_>>());
        let head = old.lines().filter(|line| line.starts_with('#'));
        let number = |line: &str| line.rsplit(' ').next().and_then(|n| n.parse::<i32>().ok());
        lines.sort_by_key(|line| (number(line), line.as_str()));
        let text: Vec<&str> = head.chain(lines.into_iter().map(String::as_str)).collect();
        fs::write(root().join(path), text.join("\n") + "\n").expect("the list is writable");
        return;
    }
    assert!(
        new.is_empty(),
        "{path} does not list {new:?}; run `cargo xtask generate`, or this test with MPGUARD_UPDATE=1"
    );
}
