//! Signature Version 4, the signing side, kept apart from the sandbox's own.

use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Keys of a caller.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) token: Option<String>,
}

impl Keys {
    pub(crate) fn read(credentials: &Value) -> Self {
        let text = |name: &str| credentials[name].as_str().map(str::to_owned);
        Self {
            access_key_id: text("AccessKeyId").expect("an access key id"),
            secret_access_key: text("SecretAccessKey").expect("a secret access key"),
            token: text("Token"),
        }
    }
}

/// What is called, and how the signature is scoped.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) target: String,
    pub(crate) service: String,
    pub(crate) region: String,
    pub(crate) amz_date: String,
}

impl Target {
    pub(crate) fn of(operation: &str) -> Self {
        let (prefix, service) = match operation {
            "MeterUsage" | "RegisterUsage" => ("AWSMPMeteringService", "aws-marketplace"),
            _ => ("AWSLicenseManager", "license-manager"),
        };
        Self {
            target: format!("{prefix}.{operation}"),
            service: service.to_owned(),
            region: "us-east-1".to_owned(),
            amz_date: "20260101T100000Z".to_owned(),
        }
    }

    /// Of a service that takes forms: the body names the operation.
    pub(crate) fn of_form(service: &str) -> Self {
        Self { target: String::new(), service: service.to_owned(), ..Self::of("") }
    }
}

pub(crate) fn headers(
    keys: &Keys,
    target: &Target,
    host: &str,
    body: &str,
) -> Vec<(String, String)> {
    let is_form = target.target.is_empty();
    let content =
        if is_form { "application/x-www-form-urlencoded" } else { "application/x-amz-json-1.1" };
    let mut headers = vec![
        ("content-type", content.to_owned()),
        ("host", host.to_owned()),
        ("x-amz-date", target.amz_date.clone()),
    ];
    headers.extend(keys.token.clone().map(|token| ("x-amz-security-token", token)));
    if !is_form {
        headers.push(("x-amz-target", target.target.clone()));
    }

    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let canonical = format!("POST\n/\n\n{lines}\n{names}\n{}", hash(body));
    let scope =
        format!("{}/{}/{}/aws4_request", &target.amz_date[..8], target.region, target.service);
    let to_sign = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{}", target.amz_date, hash(&canonical));

    let mut key = format!("AWS4{}", keys.secret_access_key).into_bytes();
    for part in scope.split('/') {
        key = mac(&key, part);
    }
    let signature = hex(&mac(&key, &to_sign));
    let credential = format!("{}/{scope}", keys.access_key_id);
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    );
    headers.push(("authorization", authorization));
    // The HTTP client writes the host by itself.
    headers.retain(|(name, _)| *name != "host");
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hash(text: &str) -> String {
    hex(&Sha256::digest(text))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
