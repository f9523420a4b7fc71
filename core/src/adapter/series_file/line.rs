//! Lines of the list.

use crate::model::{
    ids::Dimension,
    usage::{Series, Tags},
};
use serde::{Deserialize, Serialize};
use std::io;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    dimension: String,
    tags: Tags,
}

/// The line of counter `number`, with its end.
pub(super) fn write(number: usize, series: &Series) -> io::Result<String> {
    let content = Content { dimension: series.dimension.to_string(), tags: series.tags.clone() };
    let json = serde_json::to_string(&content)?;
    Ok(format!("{:08x} {json}\n", checksum(number, json.as_bytes())))
}

/// The counter in a line without its end, if it is the line of counter `number`.
pub(super) fn parse(number: usize, line: &[u8]) -> Option<Series> {
    let (check, json) = line.split_at_checked(8)?;
    let json = json.strip_prefix(b" ")?;
    let check = u32::from_str_radix(std::str::from_utf8(check).ok()?, 16).ok()?;
    if check != checksum(number, json) {
        return None;
    }
    let Content { dimension, tags } = serde_json::from_slice(json).ok()?;
    Some(Series { dimension: Dimension::from(dimension.as_str()), tags })
}

/// The counters in `text`, the first having number `first`, and how many bytes they fill.
///
/// What is bad at the very end was torn and is left out; what is bad before a good line is damage.
pub(super) fn read(text: &[u8], first: usize) -> Result<(Vec<Series>, usize), String> {
    let (mut list, mut end) = (Vec::new(), 0);
    let mut bad = None;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let number = first + list.len();
        match line.strip_suffix(b"\n").and_then(|line| parse(number, line)) {
            Some(series) if bad.is_none() => {
                list.push(series);
                end += line.len();
            }
            _ if bad.is_none() => bad = Some(number),
            // Something stands behind the bad line: it was not the end.
            _ => {
                return Err(format!(
                    "line {} is damaged; the next start of the product repairs it from the ledger",
                    bad.unwrap_or(number) + 1
                ));
            }
        }
    }
    Ok((list, end))
}

fn checksum(number: usize, json: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&(number as u64).to_le_bytes());
    hasher.update(json);
    hasher.finalize()
}
