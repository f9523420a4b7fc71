//! Answers of the AWS APIs, in the envelope of their protocol.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::AwsError;
use super::{time, xml};
use crate::model::Service;
use crate::store::switches::ErrorStyle;

const JSON: &str = "application/x-amz-json-1.1";

/// What an operation came to.
pub(crate) type Outcome = Result<Value, AwsError>;

/// An answer before it is sent: faults may still change it.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
    /// `x-amzn-errortype`, if this error style has it.
    pub(crate) error_type: Option<String>,
    pub(crate) date_ms: i64,
}

impl Answer {
    /// Writes an outcome as the service would.
    pub(crate) fn of(
        service: Service,
        operation: &str,
        outcome: &Outcome,
        style: ErrorStyle,
        date_ms: i64,
    ) -> Self {
        match (service, outcome) {
            (Service::Sts, Ok(value)) => {
                let body = xml::result(service.model(), operation, value);
                Self {
                    status: 200,
                    content_type: "text/xml",
                    body: body.into(),
                    error_type: None,
                    date_ms,
                }
            }
            (Service::Sts, Err(error)) => {
                let body = xml::error(service.model(), error);
                Self {
                    status: error.status,
                    content_type: "text/xml",
                    body: body.into(),
                    error_type: None,
                    date_ms,
                }
            }
            (_, Ok(value)) => Self {
                status: 200,
                content_type: JSON,
                body: value.to_string().into(),
                error_type: None,
                date_ms,
            },
            (_, Err(error)) => Self::json_error(service, error, style, date_ms),
        }
    }

    fn json_error(service: Service, error: &AwsError, style: ErrorStyle, date_ms: i64) -> Self {
        let namespaced = format!("{}#{}", service.error_namespace(), error.code);
        let (in_body, in_header) = match style {
            ErrorStyle::Type => (Some(error.code.clone()), None),
            ErrorStyle::Header => (None, Some(error.code.clone())),
            ErrorStyle::Namespaced => (Some(namespaced), None),
            ErrorStyle::Suffixed => {
                (None, Some(format!("{}:http://internal.amazon.com/coral/sandbox/", error.code)))
            }
        };
        let mut body = json!({});
        if let Some(code) = in_body {
            body["__type"] = code.into();
        }
        // The License Manager model spells the member with a capital letter, the metering model does not.
        let message = if service == Service::LicenseManager { "Message" } else { "message" };
        body[message] = error.message.clone().into();
        if let Some(location) = &error.location {
            body["Location"] = location.clone().into();
        }
        Self {
            status: error.status,
            content_type: JSON,
            body: body.to_string().into(),
            error_type: in_header,
            date_ms,
        }
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let Self { body, .. } = &self;
        let body = Body::from(body.clone());
        self.into_response_with(body)
    }

    /// The same head over another body.
    pub(crate) fn into_response_with(self, body: Body) -> Response<Body> {
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(header::DATE, text(&time::http_date(self.date_ms)));
        headers.insert("x-amzn-requestid", text(&Uuid::new_v4().to_string()));
        if let Some(error_type) = &self.error_type {
            headers.insert("x-amzn-errortype", text(error_type));
        }
        response
    }
}

fn text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or_else(|_| HeaderValue::from_static(""))
}
