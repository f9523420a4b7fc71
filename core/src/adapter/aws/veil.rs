//! Error answers without what we sent in confidence.
//!
//! A text of ours quotes AWS, and AWS quotes values that it does not take ("Value '…' at 'token' failed to satisfy
//! constraint"). So the secrets of a request are cut out of an answer that is none, before anything reads it.

use super::credentials::Cached;
use crate::model::secret::Secret;
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept,
            context::{
                BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextRef,
            },
        },
        orchestrator::HttpRequest,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::{
    body::SdkBody,
    config_bag::{ConfigBag, Storable, StoreReplace},
};
use serde_json::Value;

/// Members of a request that only we and AWS may know.
const SECRET: &[&str] = &["Token", "WebIdentityToken", "LicenseConsumptionToken", "ClientToken"];
/// What is shorter is no token, and may be a part of any word.
const LENGTH_MIN: usize = 8;
/// AWS may quote the beginning of a long value. So much of it is enough to be known by.
const BEGINNING: usize = 16;
/// Headers that texts of ours quote.
const QUOTED: &[&str] = &["x-amzn-errortype", "x-amzn-requestid", "x-amz-request-id"];
const VEIL: &str = "***";

/// Cuts secrets of requests out of error answers.
#[derive(Debug)]
pub(super) struct Veil(pub(super) Cached);

/// What the request on its way has in it.
#[derive(Debug)]
struct Sent(Vec<Secret>);

impl Storable for Sent {
    type Storer = StoreReplace<Sent>;
}

impl Intercept for Veil {
    fn name(&self) -> &'static str {
        "Veil"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut secrets = secrets(context.request());
        secrets.extend(self.0.secrets());
        secrets.retain(|secret| secret.is_ascii() && secret.len() >= LENGTH_MIN);
        config.interceptor_state().store_put(Sent(secrets));
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        if response.status().is_success() {
            return Ok(());
        }
        let Some(Sent(secrets)) = config.load::<Sent>() else { return Ok(()) };
        for name in QUOTED {
            let said = response.headers().get(*name).map(|said| (veiled(said, secrets), said));
            if let Some((veiled, said)) = said
                && veiled != said
            {
                response.headers_mut().insert(*name, veiled);
            }
        }
        // `Wire` has read the body whole.
        let Some(body) = response.body().bytes().map(String::from_utf8_lossy) else {
            return Ok(());
        };
        let veiled = veiled(&body, secrets);
        if veiled != body {
            *response.body_mut() = SdkBody::from(veiled);
        }
        Ok(())
    }
}

/// The secrets of a request: of awsJson a member, of STS a field of a form, and the session token in its header.
fn secrets(request: &HttpRequest) -> Vec<Secret> {
    let body = request.body().bytes().unwrap_or_default();
    let mut found: Vec<Secret> = match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => members
            .into_iter()
            .filter(|(name, _)| SECRET.contains(&name.as_str()))
            .filter_map(|(_, value)| match value {
                Value::String(text) => Some(Secret::from(text)),
                _ => None,
            })
            .collect(),
        // The tokens of a form are JWTs, whose letters a form leaves as they are.
        _ => String::from_utf8_lossy(body)
            .split('&')
            .filter_map(|field| field.split_once('='))
            .filter(|(name, _)| SECRET.contains(name))
            .map(|(_, value)| Secret::from(value.to_owned()))
            .collect(),
    };
    let session = request.headers().get("x-amz-security-token");
    found.extend(session.map(|token| Secret::from(token.to_owned())));
    found
}

/// `text` with a veil over each secret, and over the beginning of one.
fn veiled(text: &str, secrets: &[Secret]) -> String {
    let mut text = text.to_owned();
    for secret in secrets {
        let mut from = 0;
        while let Some(start) = text[from..].find(&secret[..1]).map(|at| from + at) {
            let (quoted, same) = common(&text[start..], secret);
            if same < BEGINNING.min(secret.len()) {
                from = start + 1;
                continue;
            }
            text.replace_range(start..start + quoted, VEIL);
            from = start + VEIL.len();
        }
    }
    text
}

/// How much of `text` is the beginning of `secret`, and of how much of it. JSON may write `/` as `\/`.
fn common(text: &str, secret: &str) -> (usize, usize) {
    let (text, secret) = (text.as_bytes(), secret.as_bytes());
    let (mut quoted, mut same) = (0, 0);
    while let (Some(there), Some(ours)) = (text.get(quoted), secret.get(same)) {
        let escaped = *there == b'\\' && *ours == b'/' && text.get(quoted + 1) == Some(ours);
        if there != ours && !escaped {
            break;
        }
        quoted += 1 + usize::from(escaped);
        same += 1;
    }
    (quoted, same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_covered_wherever_it_stands_and_however_much_of_it_is_quoted() {
        let secret = "abcdefghijklmnop/qrs+tuvwxyz==";
        let veil = |text: &str| veiled(text, &[Secret::from(secret.to_owned())]);
        for text in [
            secret.to_owned(),
            format!("Value '{secret}' at 'token' failed, {secret}{secret}"),
            secret.replace('/', "\\/"),
            format!("{}... is too long", &secret[..20]),
            format!("ünïcode {}é", &secret[..20]),
        ] {
            let covered = veil(&text);
            assert!(covered.contains(VEIL) && !covered.contains(&secret[..BEGINNING]), "{covered}");
            assert!(!covered.contains("qrs+tuvwxyz"), "{covered}");
        }
        for text in ["", "nothing of it", &secret[..15], &secret[1..]] {
            assert_eq!(veil(text), text);
        }
    }
}
