//! How a text looks where it is shown.

/// Colour, and columns of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Bold and colour.
    pub colour: bool,
    /// Columns of a line.
    pub width: usize,
}

const WIDTH: usize = 96;
const WIDTH_MIN: usize = 40;

impl Style {
    /// Text for a file, a log or a pipe.
    pub const PLAIN: Style = Style { colour: false, width: WIDTH };

    /// Text for standard output as it is now; `variable` gives variables of the environment.
    ///
    /// <https://no-color.org>: any value that is not empty means no.
    #[must_use]
    pub fn of(is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> Style {
        if !is_terminal {
            return Style::PLAIN;
        }
        let no_colour = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = variable("TERM").is_some_and(|value| value == "dumb");
        let columns = variable("COLUMNS").and_then(|columns| columns.parse().ok());
        Style {
            colour: !no_colour && !dumb,
            width: columns.unwrap_or(WIDTH).clamp(WIDTH_MIN, WIDTH),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_for_terminals_that_want_it() {
        let check = |is_terminal, no_colour: Option<&str>, term: Option<&str>, wanted| {
            let variable = |name: &str| match name {
                "NO_COLOR" => no_colour.map(str::to_owned),
                "TERM" => term.map(str::to_owned),
                _ => None,
            };
            let found = Style::of(is_terminal, variable).colour;
            assert_eq!(found, wanted, "{is_terminal} {no_colour:?} {term:?}");
        };
        check(true, None, Some("xterm-256color"), true);
        check(true, Some(""), None, true);
        check(true, Some("1"), Some("xterm"), false);
        check(true, Some("0"), Some("xterm"), false);
        check(true, None, Some("dumb"), false);
        check(false, None, Some("xterm"), false);
    }

    #[test]
    fn lines_are_as_wide_as_the_terminal_but_no_wider_than_the_eye_likes() {
        let check = |is_terminal, columns: &str, wanted| {
            let columns = |name: &str| (name == "COLUMNS").then(|| columns.to_owned());
            assert_eq!(Style::of(is_terminal, columns).width, wanted);
        };
        check(true, "72", 72);
        check(true, "7", 40);
        check(true, "300", 96);
        check(true, "wide", 96);
        check(false, "72", 96);
    }
}
