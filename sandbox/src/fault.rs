//! How a fault strikes an answer on its way out.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Response;
use futures_util::stream::unfold;

use crate::store::faults::{Fault, Kind};
use crate::wire::answer::Answer;
use crate::wire::connection::Scissors;

/// A bit more than the 1 MiB that a careful client reads.
const HUGE_BYTES: usize = (1 << 20) + 4096;

/// Pause between the bytes of a slow answer, if the fault names none.
const DRIP_MS: u64 = 100;

const PORTAL: &str = "<!doctype html><html><head><title>Welcome</title></head>\
    <body><h1>Please sign in to use this network</h1></body></html>";

/// Not UTF-8, and not JSON even if it were.
const GARBAGE: &[u8] = b"{\"MeteringRecordId\": \"0\x00\xff,,";

impl Fault {
    /// Whether a box in the middle answers, or nobody, before AWS hears of the request.
    pub(crate) fn never_arrives(&self) -> bool {
        match self.kind {
            Kind::Reset => true,
            Kind::Garbage | Kind::Html | Kind::Empty | Kind::Huge => !self.done,
            _ => false,
        }
    }

    /// Whether the client gets no answer at all.
    pub(crate) fn cuts(&self) -> bool {
        matches!(self.kind, Kind::Reset | Kind::LostAnswer)
    }

    /// Puts another answer in the place of the right one.
    pub(crate) fn spoil(&self, answer: Answer) -> Answer {
        let date_ms = answer.date_ms
            + self.skew_ms.filter(|_| self.kind == Kind::SkewedDate).unwrap_or_default();
        let (content_type, body) = match self.kind {
            Kind::Garbage => (answer.content_type, GARBAGE.to_vec()),
            Kind::Html => ("text/html", PORTAL.into()),
            Kind::Empty => (answer.content_type, Vec::new()),
            Kind::Huge => (answer.content_type, huge()),
            _ => return Answer { date_ms, ..answer },
        };
        Answer { status: 200, content_type, body, error_type: None, date_ms }
    }
}

/// Sends the answer, late, in drops, or into a connection that is no more.
pub(crate) async fn deliver(
    answer: Answer,
    fault: Option<&Fault>,
    scissors: &Scissors,
) -> Response<Body> {
    match fault {
        Some(fault) if fault.cuts() => {
            scissors.cut();
            answer.into_response()
        }
        Some(Fault { kind: Kind::Delay, delay_ms, .. }) => {
            tokio::time::sleep(Duration::from_millis(delay_ms.unwrap_or_default())).await;
            answer.into_response()
        }
        Some(Fault { kind: Kind::SlowDrip, delay_ms, .. }) => {
            let pause = Duration::from_millis(delay_ms.unwrap_or(DRIP_MS));
            let body = drip(answer.body.clone(), pause);
            answer.into_response_with(body)
        }
        _ => answer.into_response(),
    }
}

/// A body that arrives byte by byte.
fn drip(bytes: Vec<u8>, pause: Duration) -> Body {
    Body::from_stream(unfold(Bytes::from(bytes), move |mut left| async move {
        if left.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        Some((Ok::<_, Infallible>(left.split_to(1)), left))
    }))
}

/// Well-formed JSON, so that only its size speaks against it.
fn huge() -> Vec<u8> {
    let mut body = b"{\"Padding\":\"".to_vec();
    body.resize(HUGE_BYTES, b'x');
    body.extend_from_slice(b"\"}");
    body
}
