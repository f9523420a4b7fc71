//! `mpguard explain`, as somebody types it.

use serde_json::Value;
use std::process::Command;

/// Exit status, standard output, standard error.
fn explain(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mpguard"))
        .arg("explain")
        .args(arguments)
        .env("TERM", "xterm-256color")
        .output()
        .expect("the command runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("it ends by itself"), text(output.stdout), text(output.stderr))
}

#[test]
fn a_code_is_explained_to_buyer_and_seller_in_plain_text_when_it_is_piped() {
    for query in ["NOT_ENTITLED", "not_entitled", "Not-Entitled", "MPGUARD_ERROR_NOT_ENTITLED"] {
        let (status, text, errors) = explain(&[query]);
        assert_eq!((status, errors.as_str()), (0, ""), "{query}");
        for part in [
            "error 301, kind entitlement: show the text to the buyer",
            "reason `not_entitled`",
            "What happened",
            "What the buyer does",
            "What the seller does",
            "CustomerNotEntitledException",
            "https://docs.aws.amazon.com/",
        ] {
            assert!(text.contains(part), "`{part}` is missing for {query}:\n{text}");
        }
        assert!(!text.contains('\x1b'), "colour in a pipe:\n{text}");
    }
}

#[test]
fn a_number_is_looked_up_among_errors_and_events() {
    let (status, text, _) = explain(&["301"]);
    assert_eq!(status, 0);
    assert!(text.contains("NOT_ENTITLED\n") && text.contains("seat_lost\n"), "{text}");
    let (status, text, _) = explain(&["license_upgraded"]);
    assert_eq!(status, 0);
    assert!(text.contains("event 201, topic license"), "{text}");
}

#[test]
fn what_is_unknown_gets_the_nearest_word_and_status_2() {
    for (query, part) in [
        ("NOT_ENTITELD", "did you mean `NOT_ENTITLED`?"),
        ("seat", "`seat_lost`"),
        ("999", "no error and no event has the number 999"),
        ("", "`mpguard explain` lists them all"),
    ] {
        for json in [false, true] {
            let arguments = if json { vec!["--json", query] } else { vec![query] };
            let (status, text, errors) = explain(&arguments);
            assert_eq!((status, text.as_str()), (2, ""), "{query}");
            assert!(errors.starts_with("error: ") && errors.contains(part), "{query}: {errors}");
        }
    }
    assert_eq!(explain(&["--json", "--markdown"]).0, 2);
}

#[test]
fn json_has_the_numbers_and_words_of_the_core() {
    let (status, text, _) = explain(&["--json", "NO_SEAT"]);
    assert_eq!(status, 0);
    let found: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(found[0]["error"]["number"], 204);
    assert_eq!(found[0]["error"]["kind"], "retry");
    assert_eq!(found[0]["reason"], "no_seat");
    assert!(found[0]["buyer"].as_str().is_some_and(|text| text.len() > 20));

    let all: Value = serde_json::from_str(&explain(&["--json"]).1).expect("JSON");
    let all = all.as_array().expect("a list");
    let numbers =
        |role: &str, key: &str| all.iter().filter(|one| one[role][key].is_number()).count();
    assert_eq!(numbers("error", "number"), mpguard_core::Code::ALL.len());
    assert_eq!(numbers("event", "number"), mpguard_core::EventKind::ALL.len());
}

#[test]
fn without_a_code_everything_is_listed() {
    let (status, text, _) = explain(&[]);
    assert_eq!(status, 0);
    let words = mpguard_core::Code::ALL.iter().map(|code| code.as_str());
    let words = words.chain(mpguard_core::EventKind::ALL.iter().map(|kind| kind.as_str()));
    let words = words.chain(mpguard_core::model::license::Reason::ALL.iter().map(|r| r.as_str()));
    for word in words {
        let line = text.lines().find(|line| line.split_whitespace().any(|part| part == word));
        assert!(line.is_some_and(|line| line.len() > word.len() + 20), "`{word}` is missing");
    }
}
