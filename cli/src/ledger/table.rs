//! Columns that line up.

use std::io::{self, Write};

/// Writes `rows` under `head`; columns named in `numbers` are set to the right. Nothing at all without rows.
pub(crate) fn table(
    head: &[&str],
    numbers: &[&str],
    rows: &[Vec<String>],
    out: &mut dyn Write,
) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let head_row: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    for row in std::iter::once(&head_row).chain(rows) {
        let mut line = String::from(" ");
        for ((cell, width), name) in row.iter().zip(&widths).zip(head) {
            let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
            line.push(' ');
            if numbers.contains(name) {
                line.extend([padding.as_str(), cell]);
            } else {
                line.extend([cell, padding.as_str()]);
            }
            line.push(' ');
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
