//! Answers of the query protocol.

use serde_json::Value;
use uuid::Uuid;

use super::error::AwsError;
use super::time;
use crate::model::{Kind, Model, Shape};

/// `<ActionResponse><ActionResult>…`, members in the order of the model.
pub(crate) fn result(model: &Model, operation: &str, value: &Value) -> String {
    let inner =
        model.output_shape(operation).map(|shape| members(model, shape, value)).unwrap_or_default();
    format!(
        "<{operation}Response xmlns=\"{}\"><{operation}Result>{inner}</{operation}Result>{}</{operation}Response>",
        model.xml_namespace(),
        metadata()
    )
}

/// `<ErrorResponse><Error>…`; the fault is the receiver's from 500 on.
pub(crate) fn error(model: &Model, error: &AwsError) -> String {
    let side = if error.status >= 500 { "Receiver" } else { "Sender" };
    format!(
        "<ErrorResponse xmlns=\"{}\"><Error><Type>{side}</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{}</RequestId></ErrorResponse>",
        model.xml_namespace(),
        escape(&error.code),
        escape(&error.message),
        Uuid::new_v4()
    )
}

fn metadata() -> String {
    format!("<ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata>", Uuid::new_v4())
}

fn members(model: &Model, shape: &Shape, value: &Value) -> String {
    let element = |(name, shape_name): (&str, &str)| {
        let value = value.get(name).filter(|value| !value.is_null())?;
        Some(format!("<{name}>{}</{name}>", text(model, model.shape(shape_name), value)))
    };
    shape.members().filter_map(element).collect()
}

fn text(model: &Model, shape: &Shape, value: &Value) -> String {
    match (shape.kind, value) {
        (Kind::Structure, value) => members(model, shape, value),
        // The handlers give epoch seconds everywhere; the query protocol writes them as ISO 8601.
        (Kind::Timestamp, Value::Number(seconds)) => {
            time::iso(seconds.as_f64().map_or(0, |seconds| (seconds * 1000.0) as i64))
        }
        (_, Value::String(text)) => escape(text),
        (_, other) => escape(&other.to_string()),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
