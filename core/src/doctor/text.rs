//! A report as a person reads it in a terminal.

use crate::model::finding::{Finding, Report, Status};

/// Narrower lines cannot be read.
const WIDTH_MIN: usize = 48;
/// Where the text of a finding begins: behind two spaces and its mark.
const INDENT: usize = 8;

impl Report {
    /// The report in lines of at most `width` letters: a mark and a sentence for each finding, why and what to do
    /// where something is not as it should be, and the counts at the end. `colour` adds what a terminal understands.
    #[must_use]
    pub fn to_text(&self, colour: bool, width: usize) -> String {
        let mut page = Page { out: String::new(), colour, width: width.max(WIDTH_MIN) };
        if self.sandbox {
            page.paragraph(0, "", "A sandbox was examined: this proves nothing about AWS.");
            page.line("");
        }
        for finding in &self.findings {
            page.finding(finding);
        }
        if !self.findings.is_empty() {
            page.line("");
        }
        page.summary(self);
        page.out
    }
}

struct Page {
    out: String,
    colour: bool,
    width: usize,
}

impl Page {
    fn finding(&mut self, finding: &Finding) {
        let mark = self.ink(finding.status, &format!("{:<6}", mark(finding.status)));
        self.paragraph(INDENT, &format!("  {mark}"), &format!("{}: {}", finding.id, finding.what));
        if finding.status == Status::Passed {
            return;
        }
        for (word, text) in [("why", finding.why.as_str()), ("fix", finding.fix.as_str())] {
            if !text.is_empty() {
                self.paragraph(INDENT + 5, &format!("{}{word}: ", " ".repeat(INDENT)), text);
            }
        }
        if finding.status != Status::Skipped && !finding.docs.is_empty() {
            self.paragraph(INDENT + 5, &format!("{}see: ", " ".repeat(INDENT)), finding.docs);
        }
    }

    fn summary(&mut self, report: &Report) {
        let count = |status| report.findings.iter().filter(|f| f.status == status).count();
        let warnings = match count(Status::Warning) {
            1 => "1 warning".to_owned(),
            n => format!("{n} warnings"),
        };
        let counts = format!(
            "{} passed, {warnings}, {} failed, {} skipped",
            count(Status::Passed),
            count(Status::Failed),
            count(Status::Skipped)
        );
        let (status, verdict) = match report.worst() {
            Status::Failed => (Status::Failed, "something does not work"),
            Status::Warning => (Status::Warning, "it works, and somebody should look at it"),
            Status::Passed => (Status::Passed, "all is well"),
            Status::Skipped => (Status::Skipped, "nothing could be looked at"),
        };
        self.line(&counts);
        let line = self.ink(status, verdict);
        self.line(&line);
    }

    /// `lead` begins the first line and is as wide as `indent`, which the other lines begin with.
    fn paragraph(&mut self, indent: usize, lead: &str, text: &str) {
        let (mut line, mut lead) = (String::new(), lead.to_owned());
        // What a server or a variable said must not move the cursor.
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        for word in text.split_whitespace() {
            let length = line.chars().count();
            if length > 0 && indent + length + 1 + word.chars().count() > self.width {
                self.line(&format!("{lead}{line}"));
                line.clear();
                lead = " ".repeat(indent);
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.line(&format!("{lead}{line}"));
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    fn ink(&self, status: Status, text: &str) -> String {
        let code = match status {
            Status::Passed => "32",
            Status::Warning => "33",
            Status::Failed => "1;31",
            Status::Skipped => "2",
        };
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// A word, so that nothing depends on colour or on a font.
fn mark(status: Status) -> &'static str {
    match status {
        Status::Passed => "ok",
        Status::Warning => "warn",
        Status::Failed => "FAIL",
        Status::Skipped => "skip",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(id: &str, status: Status) -> Finding {
        Finding {
            id: id.to_owned(),
            status,
            what: format!("what of {id}"),
            why: format!("why of {id}"),
            fix: format!("fix of {id}"),
            docs: "docs/DOCTOR.md",
        }
    }

    fn report(statuses: &[(&str, Status)]) -> Report {
        let findings = statuses.iter().map(|(id, status)| finding(id, *status)).collect();
        Report { sandbox: false, findings }
    }

    #[test]
    fn what_is_well_takes_a_line_and_what_is_not_says_why_and_what_to_do() {
        let report = report(&[
            ("region", Status::Passed),
            ("clock", Status::Warning),
            ("key", Status::Skipped),
            ("principal", Status::Failed),
        ]);
        let expected = "  ok    region: what of region
  warn  clock: what of clock
        why: why of clock
        fix: fix of clock
        see: docs/DOCTOR.md
  skip  key: what of key
        why: why of key
        fix: fix of key
  FAIL  principal: what of principal
        why: why of principal
        fix: fix of principal
        see: docs/DOCTOR.md

1 passed, 1 warning, 1 failed, 1 skipped
something does not work
";
        assert_eq!(report.to_text(false, 80), expected);
    }

    #[test]
    fn lines_are_no_wider_than_asked_and_words_stay_whole() {
        let mut report = report(&[("region", Status::Warning)]);
        report.findings[0].what = "a ".repeat(100);
        report.findings[0].why = format!("{} end", "x".repeat(120));
        for width in [0, 48, 57, 100] {
            let text = report.to_text(false, width);
            for line in text.lines().filter(|line| !line.contains("xxx")) {
                assert!(line.chars().count() <= width.max(WIDTH_MIN), "{width}: {line}");
            }
            assert!(text.contains(&"x".repeat(120)), "{text}");
        }
    }

    #[test]
    fn colour_changes_no_letter() {
        let report = report(&[
            ("region", Status::Passed),
            ("clock", Status::Warning),
            ("key", Status::Skipped),
            ("principal", Status::Failed),
        ]);
        let (plain, coloured) = (report.to_text(false, 60), report.to_text(true, 60));
        assert!(!plain.contains('\x1b'));
        let mut rest = coloured.as_str();
        let mut stripped = String::new();
        while let Some((before, after)) = rest.split_once('\x1b') {
            stripped.push_str(before);
            rest = after.split_once('m').expect("a colour ends with `m`").1;
        }
        stripped.push_str(rest);
        assert_eq!(stripped.replace(' ', ""), plain.replace(' ', ""));
        assert_eq!(coloured.matches("\x1b[0m").count(), 5);
    }

    #[test]
    fn what_a_server_said_moves_no_cursor() {
        let mut report = report(&[("proxy", Status::Failed)]);
        report.findings[0].what = "it said \x1b[2J\r\nok\u{7f}".to_owned();
        let text = report.to_text(false, 80);
        assert!(text.contains("it said [2J ok"), "{text:?}");
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    }

    #[test]
    fn a_sandbox_is_named_first_and_an_empty_report_is_no_praise() {
        let sandbox = Report { sandbox: true, findings: vec![finding("region", Status::Passed)] };
        assert!(sandbox.to_text(false, 80).starts_with("A sandbox was examined"));
        assert!(sandbox.to_text(false, 80).ends_with("0 skipped\nall is well\n"));
        assert!(Report::default().to_text(false, 80).contains("nothing could be looked at"));
    }
}
