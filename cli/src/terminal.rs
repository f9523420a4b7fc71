//! Text for a person: bold and colour on a terminal, plain everywhere else.

use std::{
    env,
    ffi::OsStr,
    io::{self, IsTerminal, Write},
};

/// How a word stands out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ink {
    /// What the eye looks for.
    Strong,
    /// What it may pass over.
    Faint,
    /// The heading of a paragraph.
    Heading,
}

/// Standard output, or something that stands in for it.
pub(crate) struct Terminal<'a> {
    out: &'a mut dyn Write,
    colour: bool,
    width: usize,
}

const WIDTH: usize = 96;
const WIDTH_MIN: usize = 40;

impl<'a> Terminal<'a> {
    /// Standard output as it is now. <https://no-color.org>: any value that is not empty means no.
    pub(crate) fn stdout(out: &'a mut dyn Write) -> Terminal<'a> {
        let is_terminal = io::stdout().is_terminal();
        let width = env::var("COLUMNS").ok().filter(|_| is_terminal).and_then(|n| n.parse().ok());
        let (no_color, term) = (env::var_os("NO_COLOR"), env::var_os("TERM"));
        Terminal {
            out,
            colour: colourful(is_terminal, no_color.as_deref(), term.as_deref()),
            width: width.unwrap_or(WIDTH).clamp(WIDTH_MIN, WIDTH),
        }
    }

    /// Something else than standard output.
    #[cfg(test)]
    pub(crate) fn new(out: &'a mut dyn Write, colour: bool, width: usize) -> Terminal<'a> {
        Terminal { out, colour, width }
    }

    /// Words, as they stand in a line.
    pub(crate) fn ink(&self, ink: Ink, text: &str) -> String {
        let code = match ink {
            Ink::Strong => 1,
            Ink::Faint => 2,
            Ink::Heading => 36,
        };
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// One line as it is.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{}", text.trim_end())
    }

    /// A paragraph: `first` begins the first line, the others are indented as far.
    pub(crate) fn paragraph(&mut self, first: &str, text: &str) -> io::Result<()> {
        let indent = first.chars().count();
        let mut line = String::new();
        let mut lead = first.to_owned();
        for word in text.split_whitespace() {
            let length = line.chars().count();
            if length > 0 && indent + length + 1 + word.chars().count() > self.width {
                writeln!(self.out, "{lead}{line}")?;
                line.clear();
                lead = " ".repeat(indent);
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        writeln!(self.out, "{lead}{line}")
    }
}

fn colourful(is_terminal: bool, no_color: Option<&OsStr>, term: Option<&OsStr>) -> bool {
    is_terminal && no_color.is_none_or(OsStr::is_empty) && term.is_none_or(|term| term != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_for_terminals_that_want_it() {
        let check = |is_terminal, no_color: Option<&str>, term: Option<&str>, wanted| {
            let found = colourful(is_terminal, no_color.map(OsStr::new), term.map(OsStr::new));
            assert_eq!(found, wanted, "{is_terminal} {no_color:?} {term:?}");
        };
        check(true, None, Some("xterm-256color"), true);
        check(true, Some(""), None, true);
        check(true, Some("1"), Some("xterm"), false);
        check(true, Some("0"), Some("xterm"), false);
        check(true, None, Some("dumb"), false);
        check(false, None, Some("xterm"), false);
    }

    #[test]
    fn paragraphs_wrap_under_their_beginning() {
        let mut text = Vec::new();
        Terminal::new(&mut text, false, 14)
            .paragraph("  - ", "one two three four-and-more-than-that 5")
            .unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "  - one two\n    three\n    four-and-more-than-that\n    5\n"
        );
    }
}
