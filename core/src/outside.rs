//! Bytes from outside: one function for each place where somebody else's bytes come in.
//!
//! `tests/fuzz` feeds them what a fuzzer invents, and the tests below what is in its seed corpus and a few hundred
//! mutations of it. Each function asserts what must hold whatever the bytes are, so a wrong answer is found as well as a
//! crash. Compiled for tests and fuzzers alone: no build that anybody ships has this module.
//!
//! | function | bytes | what must hold |
//! | --- | --- | --- |
//! | [`jwt`] | the signed answer of `RegisterUsage` | only what our key has signed for this nonce is taken |
//! | [`config`] | the seller's JSON and PEM blocks | what is taken comes out as it went in, and names no far server |
//! | [`answers`] | answers of AWS's services | only a good status makes a yes, and only a named code a no |
//! | [`metadata`] | task and instance metadata | an identity is one that can be shown and kept |
//! | [`tokens`] | token files, credentials | no secret gets into a text; what is taken can sign |
//! | [`ledger`] | the files of a state directory | accounts balance, nothing is counted twice or forged |

use crate::{
    adapter::{aws, state},
    config::{Config, KEYS},
};
use serde_json::Value;

/// The signed answer of `RegisterUsage`.
pub fn jwt(bytes: &[u8]) {
    aws::outside::jwt::check(bytes);
}

/// Answers of Metering, License Manager and STS, as our clients read them.
pub fn answers(bytes: &[u8]) {
    aws::outside::answers::check(bytes);
}

/// Metadata of ECS tasks and EC2 instances.
pub fn metadata(bytes: &[u8]) {
    aws::outside::beside::metadata(bytes);
}

/// Token files, and what they and the platform's credential servers give.
pub fn tokens(bytes: &[u8]) {
    aws::outside::beside::tokens(bytes);
}

/// A state directory.
pub fn ledger(bytes: &[u8]) {
    state::outside::check(bytes);
}

/// Configuration as C, Python and Node give it: a JSON object, or in a first line a key whose text follows.
pub fn config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if !text.trim_start().starts_with('{')
        && let Some((key, value)) = text.split_once('\n')
    {
        one_key(key, value);
    }
    let config = match Config::from_json(&text) {
        Ok(config) => config,
        Err(error) => return in_bounds(error.text(), bytes.len()),
    };
    let value: Value = serde_json::from_str(&text).expect("it was read as JSON just now");
    assert!(value.is_object(), "a configuration that is no object was taken");
    let again = Config::from_json(&value.to_string()).expect("what was taken is taken again");
    assert_eq!(config, again, "a configuration changes when it is written and read");
    settings(&config, bytes.len());
}

fn one_key(key: &str, value: &str) {
    let mut config = Config::new();
    match config.set(key, value) {
        Ok(_) => {
            assert!(KEYS.iter().any(|known| known.name == key), "the unknown key `{key}` was taken")
        }
        Err(error) => {
            in_bounds(error.text(), key.len() + value.len());
            assert_eq!(config, Config::new(), "what was refused is in effect");
        }
    }
}

fn settings(config: &Config, size: usize) {
    let settings = match config.settings() {
        Ok(settings) => settings,
        Err(error) => return in_bounds(error.text(), size),
    };
    if let Some(url) = &settings.sandbox {
        let host = url.strip_prefix("http://").and_then(|rest| rest.split('/').next());
        let address = host.and_then(|host| host.parse::<std::net::SocketAddr>().ok());
        assert!(address.is_some_and(|it| it.ip().is_loopback()), "a sandbox elsewhere: `{url}`");
        assert!(settings.is_test(), "a sandbox whose verdicts are not marked");
    }
    assert!(settings.dimensions.len() <= 24, "more dimensions than a product has");
    assert!(settings.state_dir.is_none_or(|dir| dir.is_absolute()), "a relative directory");
    for key in &settings.product.public_keys {
        if let Err(why) = aws::signature::check_key(&key.pem) {
            in_bounds(&why, size);
        }
    }
    if let Some(pem) = &settings.extra_ca_pem
        && let Err(why) = aws::http::check_roots(pem)
    {
        in_bounds(&why, size);
    }
}

/// A text repeats what it is about a few times at most, and says not much more.
fn in_bounds(text: &str, size: usize) {
    assert!(text.len() <= 8 * size + 4096, "{size} bytes gave a text of {}", text.len());
}

#[cfg(test)]
pub(crate) mod tests;
