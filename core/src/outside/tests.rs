//! Every seed, and a few hundred mutations of it, the same each time. `cargo xtask fuzz` invents more.
#![allow(clippy::disallowed_methods, reason = "reads its corpus, and is bounded in time")]

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};
use std::{
    fs,
    panic::catch_unwind,
    path::Path,
    time::{Duration, Instant},
};

/// Runs the seeds of a target, then mutations of them in turn until `most` are done or the time is over.
pub(crate) fn play(target: &str, most: u64, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus").join(target);
    let mut seeds: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|why| panic!("no seeds in `{}`: {why}", folder.display()))
        .map(|entry| entry.expect("listed").path())
        .collect();
    seeds.sort();
    assert!(seeds.len() > 4, "only {} seeds of `{target}`", seeds.len());
    for path in &seeds {
        let seed = fs::read(path).expect("read");
        let done = catch_unwind(|| check(&seed));
        assert!(done.is_ok(), "seed `{}` is a finding, see above", path.display());
    }
    let seeds: Vec<_> = seeds.iter().map(|path| fs::read(path).expect("read")).collect();
    let (start, mut random) = (Instant::now(), ChaCha8Rng::seed_from_u64(most));
    let mut number =
        |below: usize| usize::try_from(random.next_u32()).expect("64 bits") % below.max(1);
    for turn in 0..most {
        if start.elapsed() > Duration::from_secs(5) {
            break;
        }
        let mut bytes = seeds[usize::try_from(turn).expect("64 bits") % seeds.len()].clone();
        for _ in 0..=number(3) {
            let at = number(bytes.len());
            match number(5) {
                0 => bytes.truncate(at),
                1 if !bytes.is_empty() => {
                    bytes.remove(at);
                }
                2 => bytes.insert(at, b"\0\n\"{}[],:\x1e09\xff"[number(13)]),
                3 => {
                    let other = &seeds[number(seeds.len())];
                    let from = number(other.len());
                    bytes.splice(at..at, other[from..].iter().copied().take(64));
                }
                _ if !bytes.is_empty() => bytes[at] ^= 1 << number(8),
                _ => {}
            }
        }
        let done = catch_unwind(|| check(&bytes));
        let shown = bytes.escape_ascii();
        assert!(done.is_ok(), "`{shown}` is a finding, see above; make it a seed of `{target}`");
    }
}

#[test]
fn only_what_our_key_has_signed_for_our_nonce_is_an_answer() {
    play("jwt", 400, super::jwt);
}

#[test]
fn configuration_comes_out_as_it_went_in() {
    play("config", 3000, super::config);
}

#[test]
fn answers_of_aws_say_yes_and_no_only_in_so_many_words() {
    play("answers", 1500, super::answers);
}

/// In a process of its own, as every test that forks or locks.
#[test]
fn no_change_of_a_file_invents_counts_or_a_contract() {
    let name = "no_change_of_a_file_invents_counts_or_a_contract";
    if crate::adapter::state::tests::apart(module_path!(), name) {
        play("ledger", 150, super::ledger);
    }
}

#[test]
fn whatever_metadata_says_an_identity_can_be_shown_and_kept() {
    play("metadata", 800, super::metadata);
}

#[test]
fn whatever_stands_in_token_files_no_secret_gets_into_a_text() {
    play("tokens", 800, super::tokens);
}
