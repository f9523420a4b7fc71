//! What the SDK's error types say, in three words: not sent, lost, answered.

use super::super::shown;
use aws_smithy_runtime_api::{
    client::{
        orchestrator::HttpResponse,
        result::{ConnectorError, SdkError},
    },
    http::Headers,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use hyper_util::client::legacy;
use std::{error::Error, time::Duration};

/// How a call without a usable answer ended.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::adapter::aws) enum Reading {
    /// No byte of the request left.
    NotSent(String),
    /// Something may have been done, and nobody told us.
    Lost(String),
    /// Something came back.
    Answered(Answer),
}

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::adapter::aws) struct Answer {
    pub(super) status: u16,
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) request_id: Option<String>,
    /// How long AWS asks to wait. Source: [AC §3.6], `x-amz-retry-after`, in milliseconds.
    pub(super) retry_after: Option<Duration>,
    /// `Location` of a `RedirectException`, as it came.
    pub(super) location: Option<String>,
}

impl Reading {
    /// True when something came back.
    pub(in crate::adapter::aws) fn is_answer(&self) -> bool {
        matches!(self, Reading::Answered(_))
    }

    /// Code of an answer that has one.
    pub(super) fn code(&self) -> Option<&str> {
        match self {
            Reading::Answered(answer) => answer.code.as_deref(),
            _ => None,
        }
    }
}

impl Answer {
    /// AWS's own words in brackets, or nothing.
    pub(super) fn quoted(&self) -> String {
        let code = self.code.as_deref().unwrap_or_default();
        let message = self.message.as_deref().unwrap_or_default();
        let words = if message.is_empty() { code.to_owned() } else { format!("{code}: {message}") };
        let words = shown(&words, 400);
        match (words.is_empty(), &self.request_id) {
            (true, _) => String::new(),
            (false, Some(id)) => format!(" (AWS: {words}; request `{id}`)"),
            (false, None) => format!(" (AWS: {words})"),
        }
    }
}

/// An SDK error of any operation.
pub(in crate::adapter::aws) trait SdkFailure {
    fn reading(&self) -> Reading;
}

/// Reads the SDK's error.
pub(in crate::adapter::aws) fn read<E: SdkFailure>(error: &E) -> Reading {
    error.reading()
}

impl<E> SdkFailure for SdkError<E, HttpResponse>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    fn reading(&self) -> Reading {
        match self {
            SdkError::ConstructionFailure(_) => Reading::NotSent(chain(self)),
            SdkError::TimeoutError(_) => Reading::Lost("it did not come in time".to_owned()),
            SdkError::DispatchFailure(failure) => {
                let error = failure.as_connector_error();
                if error.is_some_and(before_first_byte) {
                    Reading::NotSent(chain(self))
                } else {
                    Reading::Lost(chain(self))
                }
            }
            // An answer that cannot be read, of whatever status, tells nothing of what was done.
            SdkError::ResponseError(failure) => Reading::Answered(Answer {
                status: failure.raw().status().as_u16(),
                code: code_in(failure.raw().headers()),
                message: None,
                request_id: request_id_in(failure.raw().headers()),
                retry_after: retry_after_in(failure.raw().headers()),
                location: None,
            }),
            SdkError::ServiceError(failure) => {
                let meta = failure.err().meta();
                let headers = failure.raw().headers();
                Reading::Answered(Answer {
                    status: failure.raw().status().as_u16(),
                    code: meta.code().map(bare).or_else(|| code_in(headers)),
                    message: meta.message().map(str::to_owned),
                    request_id: request_id_in(headers),
                    retry_after: retry_after_in(headers),
                    location: location_in(failure.raw()),
                })
            }
            _ => Reading::Lost(chain(self)),
        }
    }
}

/// True when the connection itself failed: name, TCP, proxy or TLS. The client writes the first byte of a
/// request after that, so nothing can have been done.
fn before_first_byte(error: &ConnectorError) -> bool {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(client) = error.downcast_ref::<legacy::Error>() {
            return client.is_connect();
        }
        next = error.source();
    }
    false
}

/// A code cut from its namespace and its suffix: `a.b#Code:http://…`. [AC §3.5]
fn bare(code: &str) -> String {
    let code = code.split(':').next().unwrap_or_default();
    shown(code.rsplit('#').next().unwrap_or_default().trim(), CODE_MAX)
}

/// More than any code or request id of AWS has.
const CODE_MAX: usize = 100;

fn code_in(headers: &Headers) -> Option<String> {
    headers.get("x-amzn-errortype").map(bare).filter(|code| !code.is_empty())
}

fn request_id_in(headers: &Headers) -> Option<String> {
    let id = headers.get("x-amzn-requestid").or_else(|| headers.get("x-amz-request-id"))?;
    // A UUID, or what looks like one. Nothing else of a header gets into a text.
    let fits = id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    fits.then(|| id.to_owned())
}

fn retry_after_in(headers: &Headers) -> Option<Duration> {
    headers.get("x-amz-retry-after")?.trim().parse().ok().map(Duration::from_millis)
}

/// The SDK knows this member for one operation only. `Wire` has read the body whole.
fn location_in(answer: &HttpResponse) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(answer.body().bytes()?).ok()?;
    body["Location"].as_str().map(str::to_owned)
}

/// The innermost words of an error, which name the cause.
fn chain(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    shown(&innermost.to_string(), 500)
}
