//! Which operation a request means.

use axum::http::HeaderMap;
use serde_json::{Map, Value};

use crate::model::{Kind, Service};
use crate::sigv4::Authorization;
use crate::store::World;
use crate::store::tokens::Bearer;
use crate::wire::error::AwsError;

/// An operation, or a refusal in the envelope of the service that was meant.
pub(super) type Target = Result<(Service, String), (Service, AwsError)>;

pub(super) fn find(headers: &HeaderMap, body: &[u8]) -> Target {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_form = header("content-type")
        .is_some_and(|content| content.starts_with("application/x-www-form-urlencoded"));
    match header("x-amz-target") {
        Some(target) => by_header(target),
        None if is_form => by_form(body),
        None => {
            let message = "The request names no operation in X-Amz-Target.";
            Err((Service::Metering, AwsError::new("UnknownOperationException", message)))
        }
    }
}

fn by_header(target: &str) -> Target {
    let unknown = |service| {
        let message = format!("The sandbox does not know the operation {target}.");
        (service, AwsError::new("UnknownOperationException", message))
    };
    let (service, operation) =
        Service::by_target(target).ok_or_else(|| unknown(Service::Metering))?;
    if service.model().has(operation) {
        Ok((service, operation.to_owned()))
    } else {
        Err(unknown(service))
    }
}

fn by_form(body: &[u8]) -> Target {
    let refuse = |code: &str, message: String| Err((Service::Sts, AwsError::new(code, message)));
    let form = form(body);
    let Some(action) = form.get("Action").and_then(Value::as_str) else {
        return refuse("MissingAction", "The request names no Action.".to_owned());
    };
    let version = form.get("Version").and_then(Value::as_str).unwrap_or_default();
    if !Service::Sts.model().has(action) || version != "2011-06-15" {
        return refuse(
            "InvalidAction",
            format!("Could not find operation {action} for version {version}"),
        );
    }
    Ok((Service::Sts, action.to_owned()))
}

fn form(body: &[u8]) -> Map<String, Value> {
    form_urlencoded::parse(body)
        .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
        .collect()
}

/// A form as the model's input: numbers become numbers, what is nested stays out (`PolicyArns` has no
/// effect here).
pub(super) fn form_input(service: Service, operation: &str, body: &[u8]) -> Value {
    let model = service.model();
    let mut input = Map::new();
    let form = form(body);
    for (name, shape) in model.input_shape(operation).members() {
        let Some(text) = form.get(name) else { continue };
        let number = || text.as_str().and_then(|text| text.parse::<i64>().ok()).map(Value::from);
        let value = match model.shape(shape).kind {
            Kind::Integer | Kind::Long => number().unwrap_or_else(|| text.clone()),
            _ => text.clone(),
        };
        input.insert(name.to_owned(), value);
    }
    Value::Object(input)
}

/// The task that seems to call, before anything is verified: faults strike even those who could not sign.
pub(super) fn supposed_task(world: &World, headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let Some(header) = headers.get("authorization") else {
        return task_of_token(world, body);
    };
    let authorization = Authorization::parse(header.to_str().ok()?).ok()?;
    let state = world.state();
    let credential = state.credentials.by_access_key(&authorization.access_key_id)?;
    Some(credential.task.clone())
}

fn task_of_token(world: &World, body: &[u8]) -> Option<String> {
    let state = world.state();
    // `GetAccessToken`, which is not signed.
    if let Ok(input) = serde_json::from_slice::<Value>(body) {
        return state.tokens.refresh(input["Token"].as_str()?, 0).ok()?.task.clone();
    }
    let form = form(body);
    let token = form.get("WebIdentityToken")?.as_str()?;
    match state.tokens.web_identity(token, 0).ok()? {
        Bearer::Pod(task) => Some(task.clone()),
        Bearer::License(holder) => holder.task.clone(),
    }
}
