//! Reads how many tests passed from the closing lines of the test runners.

/// Tests that ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Count {
    /// Adds every closing line in what a runner printed.
    pub(crate) fn add(&mut self, text: &str) {
        for line in text.lines().map(str::trim) {
            if let Some((passed, failed)) = libtest(line).or_else(|| pytest(line)) {
                self.passed += passed;
                self.failed += failed;
            } else if let Some(broken) = violations(line) {
                self.passed += u64::from(broken == 0);
                self.failed += u64::from(broken > 0);
            } else if let Some(n) = node(line, "pass") {
                self.passed += n;
            } else if let Some(n) = node(line, "fail") {
                self.failed += n;
            }
        }
    }
}

/// `test result: ok. 3 passed; 0 failed; …`
fn libtest(line: &str) -> Option<(u64, u64)> {
    let rest = line.strip_prefix("test result: ")?.split_once(". ")?.1;
    Some((before(rest, " passed")?, before(rest, " failed")?))
}

/// `===== 3 passed, 1 failed in 0.10s =====`, in any order, or the same without the frame.
fn pytest(line: &str) -> Option<(u64, u64)> {
    let line = line.trim_matches('=').trim();
    let (counts, _) = line.split_once(" in ")?;
    let word = |word| before(counts, word);
    let (passed, failed, errors) = (word(" passed"), word(" failed"), word(" error"));
    if passed.is_none() && failed.is_none() && errors.is_none() {
        return None;
    }
    Some((passed.unwrap_or(0), failed.unwrap_or(0) + errors.unwrap_or(0)))
}

/// `# pass 3` or `ℹ pass 3`.
fn node(line: &str, word: &str) -> Option<u64> {
    let rest = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ "))?;
    rest.strip_prefix(word)?.trim().parse().ok()
}

/// The last line of a proof: `simulated years 180.2, …, violations 0`.
fn violations(line: &str) -> Option<u64> {
    line.rsplit_once(", violations ")?.1.parse().ok()
}

/// The number right before `word`.
fn before(text: &str, word: &str) -> Option<u64> {
    let head = &text[..text.find(word)?];
    let digits = head.rfind(|c: char| !c.is_ascii_digit()).map_or(head, |at| &head[at + 1..]);
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, passed: u64, failed: u64) {
        let mut count = Count::default();
        count.add(text);
        assert_eq!(count, Count { passed, failed }, "{text}");
    }

    #[test]
    fn closing_lines_of_all_runners_are_read() {
        check(
            "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; finished in 0.1s",
            12,
            0,
        );
        check("test result: FAILED. 2 passed; 3 failed; 0 ignored", 2, 3);
        check("============ 3 passed, 1 failed in 0.10s ============", 3, 1);
        check("1 failed, 3 passed, 2 errors in 1.10s", 3, 3);
        check("1 passed in 0.01s", 1, 0);
        check("# tests 5\n# pass 4\n# fail 1\n", 4, 1);
        check("ℹ pass 4\nℹ fail 0\n", 4, 0);
        check("simulated years 2.6, steps 9, 14 s, violations 0", 1, 0);
        check("seed 3: a\nsimulated years 2.6, steps 9, 14 s, violations 1", 0, 1);
    }

    #[test]
    fn other_lines_count_nothing() {
        check("no tests ran in 0.01s\nrunning 3 tests\ntest a ... ok\n# a comment\n", 0, 0);
    }
}
