//! Answers of AWS's services: only a good status makes a yes, and only what AWS says by name makes a no.
//!
//! A letter says what is asked; behind a line feed stand the answers, in turn, the last one again and again.

use super::{
    super::AwsCloud,
    jwt,
    served::{self, Answer, Served, beside, parts},
};
use crate::{
    model::{
        ids::RecordId,
        key::PublicKey,
        license::Entitlement,
        outcome::{
            CheckedIn, CheckedOut, Consumption, Details, Drawn, Failure, Permitted, Refusal,
            RefusalReason, Registered, Sent, Tiers,
        },
        quantity::Units,
        time::Hour,
        usage::{Allocation, Lots, Record, Tags},
    },
    port::cloud::{Cloud, UsageProbe},
};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

pub(crate) fn check(bytes: &[u8]) {
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let letter = bytes.first().copied().unwrap_or(b'm');
    let answers: Vec<Answer> =
        parts(bytes.get(at + 1..).unwrap_or_default()).map(Answer::read).collect();
    let (there, paths) = served::task();
    beside(paths, async |platform| {
        let next = AtomicUsize::new(0);
        let script = answers.clone();
        let say = Arc::new(move |_: &_| {
            let turn = next.fetch_add(1, Ordering::Relaxed).min(script.len() - 1);
            script[turn].clone()
        });
        let served = Served::new(true, there, platform, say);
        let said = ask(&served.cloud, letter).await;
        judge(&said, &answers, &served.said());
    });
}

/// What a call came to, in what all of them share.
#[derive(Debug)]
struct Said {
    /// Something that only AWS can give: a proof, a record, seats, a license.
    yes: bool,
    /// A no that ends in a denial.
    no: Option<(Option<RefusalReason>, String)>,
    texts: Vec<String>,
}

async fn ask(cloud: &AwsCloud, letter: u8) -> Said {
    let probe = || UsageProbe {
        product: "abc".into(),
        dimension: "requests".to_owned(),
        timestamp: served::NOW,
    };
    let seats = |unit: &str| Entitlement {
        name: "Users".to_owned(),
        unit: unit.to_owned(),
        value: Some("3".to_owned()),
        ..Entitlement::default()
    };
    match letter {
        b'r' => {
            let key = PublicKey { version: 1, pem: jwt::pem().to_owned() };
            match cloud.register("abc".into(), key).await {
                Registered::Yes { .. } => yes(&[]),
                Registered::No(refusal) => refused(refusal),
                Registered::Failed(failure) => failed(failure),
            }
        }
        b'd' => permitted(cloud.check_usage(probe()).await),
        b'p' => permitted(cloud.probe(probe()).await),
        b't' => match cloud.tiers(vec!["Basic".into(), "Users".into()], "token".into()).await {
            Tiers::Bought { entitlements, license_arn } => {
                for bought in &entitlements {
                    assert!(
                        ["Basic", "Users"].contains(&bought.name.as_str()),
                        "not asked for: {bought:?}"
                    );
                }
                assert!(!entitlements.is_empty(), "bought, and nothing");
                yes(&license_arn.into_iter().collect::<Vec<_>>())
            }
            Tiers::None(text) => no(None, text),
            Tiers::Failed(failure) => failed(failure),
        },
        b'l' | b'L' => {
            let arn = (letter == b'l').then(|| "arn:aws:license-manager::1:license:l-1".to_owned());
            match cloud.details(arn).await {
                Details::Found(contract) => {
                    yes(&contract.license_arn.into_iter().collect::<Vec<_>>())
                }
                Details::Nothing(text) => no(None, text),
                Details::Failed(failure) => failed(failure),
            }
        }
        b'o' => held(cloud.check_out(vec![seats("Count")], "token".into()).await),
        b'x' => held(cloud.extend("consumption-token".into()).await),
        b'w' => match cloud.draw(seats("Gigabytes"), "token".into()).await {
            Drawn::Yes { license_arn } => yes(&license_arn.into_iter().collect::<Vec<_>>()),
            Drawn::NoneAllowed(text) => no(None, text),
            Drawn::Failed(failure) => failed(failure),
        },
        b'c' => match cloud.consumption("arn:aws:license-manager::1:license:l-1".into()).await {
            Consumption::Read(_) => yes(&[]),
            Consumption::Failed(failure) => failed(failure),
        },
        b'i' => match cloud.check_in("consumption-token".into()).await {
            // Also after an error that says that nobody holds it.
            CheckedIn::Done => Said { yes: false, no: None, texts: Vec::new() },
            CheckedIn::Failed(failure) => failed(failure),
        },
        letter => match cloud.meter("abc".into(), record(letter == b'f')).await {
            Sent::Recorded { record_id, .. } => {
                assert!(!record_id.is_empty(), "recorded without an id");
                yes(&[])
            }
            Sent::Refused(refusal) => refused(refusal),
            Sent::Duplicate(text) | Sent::OutOfBounds(text) | Sent::TokenConflict(text) => {
                no(None, text)
            }
            Sent::Failed(failure) => failed(failure),
            Sent::Unwritten(text) => panic!("the ledger is not asked here: {text}"),
        },
    }
}

fn record(fraction: bool) -> Record {
    let units = Units { scaled: 15, digits: u32::from(fraction) };
    let tags = Tags::from([("team".to_owned(), "a".to_owned())]);
    Record {
        id: RecordId(1),
        dimension: "requests".into(),
        hour: Hour(490_905),
        timestamp: served::NOW,
        units,
        allocations: vec![Allocation { units, tags }],
        client_token: "token".into(),
        parts: Lots::new(),
    }
}

fn permitted(answer: Permitted) -> Said {
    match answer {
        // A dry run succeeds with an error, and a duplicate is a yes to a probe.
        Permitted::Yes => Said { yes: false, no: None, texts: Vec::new() },
        Permitted::No(refusal) => refused(refusal),
        Permitted::Failed(failure) => failed(failure),
    }
}

fn held(answer: CheckedOut) -> Said {
    match answer {
        CheckedOut::Held { token, license_arn, .. } => {
            assert!(!token.as_str().is_empty(), "seats without a token");
            yes(&license_arn.into_iter().collect::<Vec<_>>())
        }
        CheckedOut::NoneAllowed(text) | CheckedOut::Gone(text) => no(None, text),
        CheckedOut::Failed(failure) => failed(failure),
    }
}

fn yes(texts: &[String]) -> Said {
    Said { yes: true, no: None, texts: texts.to_vec() }
}

fn no(reason: Option<RefusalReason>, text: String) -> Said {
    Said { yes: false, no: Some((reason, text.clone())), texts: vec![text] }
}

fn refused(Refusal { reason, text }: Refusal) -> Said {
    no(Some(reason), text)
}

fn failed(failure: Failure) -> Said {
    Said { yes: false, no: None, texts: vec![failure.text] }
}

fn judge(said: &Said, answers: &[Answer], statuses: &[u16]) {
    let last = statuses.last().copied();
    assert!(statuses.len() <= 24, "{} requests for one call", statuses.len());
    if said.yes {
        assert!(
            last.is_some_and(|it| (200..300).contains(&it)),
            "a yes of status {last:?}: {said:?}"
        );
    }
    if let Some((reason, _)) = &said.no {
        assert!(last.is_some(), "a no of nobody: {said:?}");
        let text: String = answers.iter().map(words).collect();
        match reason {
            Some(RefusalReason::NotEntitled) => {
                assert!(text.contains("CustomerNot"), "not entitled by whose word? {said:?}");
            }
            Some(RefusalReason::SignatureInvalid) => {
                assert!(last == Some(200) || last.is_some_and(|it| it < 300), "{said:?}");
            }
            _ => {}
        }
        // What AWS has not said in words, and a server in trouble, decide nothing.
        assert!(last.is_some_and(|it| it < 500), "a no of status {last:?}: {said:?}");
    }
    for text in &said.texts {
        assert!(text.len() <= 4096, "a text of {} bytes", text.len());
        assert!(!text.contains("secret"), "a secret in a text: {text}");
        assert!(!text.chars().any(|c| c.is_control()), "a control character in a text: {text:?}");
    }
}

/// Everything that an answer may say, with JSON's escapes resolved.
fn words(answer: &Answer) -> String {
    let headers: String = answer.headers.iter().map(|(_, value)| value.as_str()).collect();
    let body = serde_json::from_slice::<serde_json::Value>(&answer.body).map_or_else(
        |_| String::from_utf8_lossy(&answer.body).into_owned(),
        |it| format!("{it:#}"),
    );
    headers + &body
}
