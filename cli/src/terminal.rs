//! Text for a person: bold and colour on a terminal, plain everywhere else.

use mpguard_core::doctor::Style;
use std::{
    env,
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
    style: Style,
}

/// How text looks on standard output as it is now.
pub(crate) fn style() -> Style {
    let variable = |name: &str| Some(env::var_os(name)?.to_string_lossy().into_owned());
    Style::of(io::stdout().is_terminal(), variable)
}

impl<'a> Terminal<'a> {
    /// Standard output as it is now.
    pub(crate) fn stdout(out: &'a mut dyn Write) -> Terminal<'a> {
        Terminal { out, style: style() }
    }

    /// Something else than standard output.
    #[cfg(test)]
    pub(crate) fn new(out: &'a mut dyn Write, colour: bool, width: usize) -> Terminal<'a> {
        Terminal { out, style: Style { colour, width } }
    }

    /// Words, as they stand in a line.
    pub(crate) fn ink(&self, ink: Ink, text: &str) -> String {
        let code = match ink {
            Ink::Strong => 1,
            Ink::Faint => 2,
            Ink::Heading => 36,
        };
        if self.style.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
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
            if length > 0 && indent + length + 1 + word.chars().count() > self.style.width {
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

#[cfg(test)]
mod tests {
    use super::*;

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
