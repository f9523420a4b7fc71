//! Bodies in, answers and refusals out.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, Query};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A control call that was not done: what failed, on which thing, next step.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    pub(crate) error: String,
}

impl Refusal {
    pub(crate) fn bad_request(error: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error: error.into() }
    }

    pub(crate) fn not_found(error: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, error: error.into() }
    }

    pub(crate) fn conflict(error: impl Into<String>) -> Self {
        Self { status: StatusCode::CONFLICT, error: error.into() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(json!({"error": self.error}))).into_response()
    }
}

pub(crate) type Reply = Result<Json<Value>, Refusal>;

pub(crate) fn done(answer: impl Serialize) -> Reply {
    serde_json::to_value(answer).map(Json).map_err(|error| Refusal {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        error: error.to_string(),
    })
}

/// What stands behind the `?`; refused in our own words if it cannot be read.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        let Query(asked) = query.map_err(|rejection| {
            let query = parts.uri.query().unwrap_or_default();
            let reason = rejection.body_text();
            Refusal::bad_request(format!(
                "cannot read query `{query}`: {reason}; see README.md for what is asked"
            ))
        })?;
        Ok(Self(asked))
    }
}

/// Reads a body; an empty one counts as `{}`.
pub(crate) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refusal> {
    let text: &[u8] = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(text).map_err(|error| {
        Refusal::bad_request(format!("cannot read the body: {error}; send JSON as README.md shows"))
    })
}
