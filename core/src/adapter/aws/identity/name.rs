//! A name that a platform gives: it names our state, and stands in texts.

use super::super::shown;

/// Longest name that a platform gives. Source: ECS API reference, an ARN has at most 2048 characters.
const LENGTH_MAX: usize = 2048;

/// The name, if it is one.
///
/// # Errors
/// It holds what no ARN, uid or instance id holds.
pub(super) fn checked(name: &str) -> Result<String, String> {
    let fits = (1..=LENGTH_MAX).contains(&name.len());
    if fits && name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(name.to_owned());
    }
    Err(format!(
        "cannot use `{}` of the platform's metadata as the name of this task or instance; try again",
        shown(name, 60)
    ))
}
