//! Steps of tests that exchange tokens.

use super::{Got, Keys, Stage};

const ROLE: &str = "arn:aws:iam::111122223333:role/app";

pub(crate) fn assume(stage: &Stage, token: &str, changes: &[(&str, &str)]) -> Got {
    let mut form = vec![
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", ROLE),
        ("RoleSessionName", "session@1"),
        ("WebIdentityToken", token),
    ];
    for (name, value) in changes {
        form.retain(|(key, _)| key != name);
        form.push((name, value));
    }
    let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let headers = [("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    stage.raw("POST", "/", &headers, &body).expect("an answer")
}

/// The text of the first element of this name.
pub(crate) fn element(xml: &str, name: &str) -> String {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let from = xml.find(&open).unwrap_or_else(|| panic!("no <{name}> in {xml}")) + open.len();
    let to = xml[from..].find(&close).expect("a closed element") + from;
    xml[from..to].to_owned()
}

pub(crate) fn keys(got: &Got) -> Keys {
    assert_eq!(got.status, 200, "{}", got.text);
    Keys {
        access_key_id: element(&got.text, "AccessKeyId"),
        secret_access_key: element(&got.text, "SecretAccessKey"),
        token: Some(element(&got.text, "SessionToken")),
    }
}
