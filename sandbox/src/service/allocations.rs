//! Usage allocations: one quantity, split by tags.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::store::quantity::Quantity;
use crate::wire::error::AwsError;

/// Distinct tag keys in one record. Source: custom metering guide, "maximum tags across the allocation
/// list", in its strictest reading.
const KEYS_MAX: usize = 5;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Allocation {
    allocated_usage_quantity: Option<u32>,
    allocated_usage_quantity_as_decimal: Option<String>,
    tags: Option<Vec<Tag>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

/// Checks the allocations against the quantity they split; answers them in a form that does not depend
/// on their order or on how a quantity was written.
pub(super) fn check(
    allocations: &[Allocation],
    parent: Quantity,
    decimal: bool,
) -> Result<String, AwsError> {
    let mut by_tags: BTreeMap<BTreeMap<&str, &str>, Quantity> = BTreeMap::new();
    let mut keys = BTreeSet::new();
    let tag_sets = allocations.iter().map(tags).collect::<Result<Vec<_>, _>>()?;
    for tags in &tag_sets {
        keys.extend(tags.keys().copied());
    }
    if keys.len() > KEYS_MAX {
        return Err(invalid_tag(format!(
            "{} different tag keys, at most {KEYS_MAX} are allowed.",
            keys.len()
        )));
    }
    for (allocation, tags) in allocations.iter().zip(tag_sets) {
        if by_tags.insert(tags, quantity(allocation, decimal)?).is_some() {
            return Err(invalid_allocations("Two allocations have the same set of tags."));
        }
    }
    if !allocations.is_empty() && by_tags.values().copied().sum::<Quantity>() != parent {
        return Err(invalid_allocations(
            "The sum of the allocated quantities is not the usage quantity.",
        ));
    }
    let written = by_tags.iter().map(|(tags, quantity)| format!("{tags:?}={quantity}"));
    Ok(written.collect::<Vec<_>>().join(";"))
}

fn tags(allocation: &Allocation) -> Result<BTreeMap<&str, &str>, AwsError> {
    let mut tags = BTreeMap::new();
    for Tag { key, value } in allocation.tags.iter().flatten() {
        if let Some(text) = [key, value].into_iter().find(|text| !is_tag_text(text)) {
            return Err(invalid_tag(format!(
                "The tag text {text} has characters that are not allowed."
            )));
        }
        if tags.insert(key.as_str(), value.as_str()).is_some() {
            return Err(invalid_tag(format!("The tag key {key} occurs twice in one allocation.")));
        }
    }
    Ok(tags)
}

/// The guide lists these characters. The model's pattern, read as a regular expression, would admit more:
/// its ` -=` is a range.
fn is_tag_text(text: &str) -> bool {
    text.chars().all(|letter| letter.is_ascii_alphanumeric() || "+ -=._:/@".contains(letter))
}

fn quantity(allocation: &Allocation, decimal: bool) -> Result<Quantity, AwsError> {
    match (allocation.allocated_usage_quantity, &allocation.allocated_usage_quantity_as_decimal) {
        (Some(whole), None) if !decimal => Ok(Quantity::whole(whole)),
        (None, Some(text)) if decimal => Quantity::decimal(text)
            .ok_or_else(|| invalid_allocations("An allocated quantity is not a number.")),
        _ => Err(invalid_allocations(
            "Each allocation needs exactly one quantity, whole or decimal as the usage quantity is.",
        )),
    }
}

fn invalid_tag(message: String) -> AwsError {
    AwsError::new("InvalidTagException", message)
}

fn invalid_allocations(message: &str) -> AwsError {
    AwsError::new("InvalidUsageAllocationsException", message)
}
