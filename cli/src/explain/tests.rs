//! The table is whole, and its references hold.

use super::{
    find,
    meaning::{self, KINDS, Role},
    show,
};
use crate::terminal::Terminal;
use mpguard_core::Code;
use std::{collections::BTreeSet, fs, path::Path};

/// The only files of the core that know names of AWS's exceptions.
fn exceptions() -> String {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src/adapter/aws/exceptions");
    let folder = fs::read_dir(&place).expect("a folder").map(|entry| entry.expect("named").path());
    let texts = folder.chain([place.with_extension("rs")]);
    texts.filter_map(|file| fs::read_to_string(file).ok()).collect()
}

fn words(query: &str) -> Vec<&'static str> {
    find::find(query).iter().map(|meaning| meaning.title()).collect()
}

#[test]
fn every_error_verdict_reason_and_event_has_one_meaning_and_every_meaning_has_one_of_them() {
    let mut known = BTreeSet::new();
    for meaning in meaning::all() {
        assert!(known.insert(meaning.word), "`{}` is explained twice", meaning.word);
        assert!(!meaning.roles().is_empty(), "nothing is named `{}`", meaning.word);
    }
    for role in Role::all() {
        let word = role.word().to_lowercase();
        assert!(
            known.contains(word.as_str()),
            "{role:?} is not explained; add it to cli/src/explain/meanings"
        );
    }
    for code in Code::ALL {
        assert!(KINDS.contains(&code.kind()), "{code:?} is of a kind without advice");
    }
}

#[test]
fn every_text_is_whole_sentences_and_says_what_to_do() {
    for meaning in meaning::all() {
        let word = meaning.word;
        assert!(!meaning.why.is_empty(), "`{word}` has no cause");
        let texts = [meaning.what, meaning.buyer, meaning.seller];
        for text in texts.iter().chain(meaning.why).filter(|text| !text.is_empty()) {
            let begins = text.starts_with(|c: char| c.is_uppercase() || c == '`' || c == '"')
                || text.starts_with("mpguard");
            assert!(begins && text.ends_with('.'), "`{word}`: `{text}` is no sentence");
            assert!(
                !text.contains("  ") && !text.contains('\n') && !text.contains('|'),
                "`{word}`: `{text}`"
            );
        }
        let good_news = ["licensed", "entitled"].contains(&word);
        assert!(
            good_news || !meaning.seller.is_empty(),
            "`{word}` does not say what the seller does"
        );
        // Who reads a denial must learn how to end it.
        let for_the_buyer = meaning.roles().iter().any(|role| match role {
            Role::Error(code) => code.kind() == mpguard_core::ErrorKind::Entitlement,
            Role::Reason(_) => !good_news,
            _ => false,
        });
        assert!(
            !for_the_buyer || !meaning.buyer.is_empty(),
            "`{word}` does not say what the buyer does"
        );
        assert!(meaning.brief().len() <= 150, "`{word}`: `{}` is long for a list", meaning.brief());
    }
}

#[test]
fn references_lead_somewhere() {
    let exceptions = exceptions();
    for meaning in meaning::all() {
        for see in meaning.see {
            assert!(
                *see != meaning.word && meaning::all().any(|other| other.word == *see),
                "`{}` sends to `{see}`",
                meaning.word
            );
        }
        for name in meaning.aws {
            let quoted = format!("\"{name}\"");
            assert!(
                exceptions.contains(&quoted),
                "`{}`: the core does not know `{name}`",
                meaning.word
            );
        }
        for page in meaning.pages {
            assert!(page.url.starts_with("https://docs.aws.amazon.com/"), "{}", page.url);
        }
    }
}

#[test]
fn a_word_is_found_however_a_language_spells_it() {
    let check = |queries: &[&str], wanted: &[&str]| {
        for query in queries {
            assert_eq!(words(query), wanted, "{query}");
        }
    };
    check(
        &[
            "NO_SEAT",
            "no_seat",
            "No-Seat",
            "MPGUARD_ERROR_NO_SEAT",
            "NoSeatError",
            "Code::NoSeat",
            " no seat ",
        ],
        &["NO_SEAT"],
    );
    check(
        &["license_upgraded", "MPGUARD_EVENT_LICENSE_UPGRADED", "LicenseUpgraded"],
        &["license_upgraded"],
    );
    check(&["grace", "MPGUARD_VERDICT_GRACE"], &["grace"]);
    check(&["InternalError", "INTERNAL"], &["INTERNAL"]);
    check(&["stale"], &["stale"]);
    check(&["", "x", "99999", "-1", "🦀"], &[]);
}

#[test]
fn a_number_of_an_error_and_of_an_event_is_both() {
    assert_eq!(words("301"), ["NOT_ENTITLED", "seat_lost"]);
    assert_eq!(words("501"), ["INTERNAL", "key_rotation"]);
}

#[test]
fn an_exception_of_aws_leads_to_what_it_becomes() {
    assert_eq!(words("InvalidPublicKeyVersionException"), ["INVALID_PRODUCT"]);
    assert_eq!(words("CustomerNotSubscribed"), ["NOT_ENTITLED"]);
    let found = words("NoEntitlementsAllowedException");
    assert!(found.contains(&"NO_SEAT") && found.contains(&"EXHAUSTED"), "{found:?}");
}

#[test]
fn a_word_that_is_nearly_right_gets_the_right_one() {
    let check = |query: &str, wanted: &str| assert_eq!(find::unknown(query), wanted);
    check("NOT_ENTITELD", "unknown code `NOT_ENTITELD`; did you mean `NOT_ENTITLED`?");
    check("lisence_upgraded", "unknown code `lisence_upgraded`; did you mean `license_upgraded`?");
    check(
        "drawdown",
        "unknown code `drawdown`; did you mean `drawdown_low`, `drawdown_disputed` or `drawdown_exhausted`?",
    );
    check("expird", "unknown code `expird`; did you mean `expired` or `license_expired`?");
    let near = find::unknown("lisence");
    assert!(near.contains("`license_expired`") && near.contains("`LICENSE_ENDED`"), "{near}");
    check("qqqqqq", "unknown code `qqqqqq`; `mpguard explain` lists them all");
    check("42", "no error and no event has the number 42; `mpguard explain` lists them all");
    check("a\u{1b}[31m\n", "unknown code `a\\u{1b}[31m\\n`; `mpguard explain` lists them all");
}

#[test]
fn colour_changes_nothing_but_the_colour() {
    for meaning in meaning::all() {
        let write = |colour| {
            let mut text = Vec::new();
            show::meaning(meaning, &mut Terminal::new(&mut text, colour, 80)).expect("written");
            String::from_utf8(text).expect("UTF-8")
        };
        let (plain, coloured) = (write(false), write(true));
        assert!(!plain.contains('\x1b') && coloured.contains('\x1b'));
        let bare = ["\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[36m"];
        let bare = bare.iter().fold(coloured, |text, code| text.replace(code, ""));
        assert_eq!(bare, plain);
    }
}
