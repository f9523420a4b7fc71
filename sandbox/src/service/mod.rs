//! The AWS APIs: `POST /` with `X-Amz-Target`, or an STS form.
//!
//! One request passes, in this order: target, fault, signature, IAM, rate limit, body, model, operation.
//! AWS documents the order nowhere; it is fixed here so that tests are stable.

mod allocations;
mod auth;
mod licensing;
mod metering;
mod rate;
mod registration;
mod sts;
mod target;
mod verdict;

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, Method, Response, Uri};
use serde_json::Value;

pub(crate) use auth::Caller;
pub(crate) use rate::RateLimits;

use crate::fault::deliver;
use crate::model::Service;
use crate::store::World;
use crate::store::faults::{Fault, Kind};
use crate::store::requests::Request;
use crate::wire::answer::{Answer, Outcome};
use crate::wire::connection::Scissors;
use crate::wire::error::AwsError;

/// A request on its way.
pub(crate) struct Incoming<'a> {
    pub(crate) service: Service,
    pub(crate) operation: &'a str,
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

/// Serves one call of an AWS API.
pub(crate) async fn serve(
    State(world): State<Arc<World>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let task = target::supposed_task(&world, &headers, &body);
    let (service, operation, fault, outcome) = match target::find(&headers, &body) {
        Err((service, error)) => (service, "?".to_owned(), None, Err(error)),
        Ok((service, operation)) => {
            let fault = world.state().faults.take(&operation, true, task.as_deref());
            let incoming = Incoming {
                service,
                operation: &operation,
                method: &method,
                uri: &uri,
                headers: &headers,
                body: &body,
            };
            let outcome = outcome(&world, &incoming, fault.as_ref());
            (service, operation, fault, outcome)
        }
    };
    let style = world.state().switches.error_style;
    let mut answer = Answer::of(service, &operation, &outcome, style, world.clock.now_ms());
    if let Some(fault) = &fault {
        answer = fault.spoil(answer);
    }
    record(&world, operation, task, &body, fault.as_ref(), &outcome, answer.status);
    deliver(answer, fault.as_ref(), &scissors).await
}

/// What the operation comes to, unless a fault stands in for it.
fn outcome(world: &World, incoming: &Incoming<'_>, fault: Option<&Fault>) -> Outcome {
    match fault {
        Some(fault) if fault.never_arrives() => Ok(Value::Null),
        Some(fault) if matches!(fault.kind, Kind::Throttle | Kind::Error) => {
            Err(refusal(incoming.service, fault))
        }
        _ => {
            let outcome = perform(world, incoming, fault.map(|fault| fault.kind));
            verdict::checked(world, incoming, outcome)
        }
    }
}

fn refusal(service: Service, fault: &Fault) -> AwsError {
    let mut error = match (fault.kind, &fault.code) {
        (Kind::Throttle, _) => AwsError::throttled(service),
        (_, None) => AwsError::internal(service),
        (_, Some(code)) => AwsError::new(code, "An error that the sandbox was told to answer."),
    };
    error.status = fault.status.unwrap_or(error.status);
    error.message = fault.message.clone().unwrap_or(error.message);
    error.location.clone_from(&fault.location);
    error
}

/// Does what is asked, from the signature to the operation.
fn perform(world: &World, incoming: &Incoming<'_>, fault: Option<Kind>) -> Outcome {
    let Incoming { service, operation, body, .. } = *incoming;
    let caller = auth::authenticate(world, incoming)?;
    auth::authorize(world, incoming, caller.as_ref())?;
    rate::limit(world, service, operation, caller.as_ref())?;
    let input = match service {
        Service::Sts => target::form_input(service, operation, body),
        _ => serde_json::from_slice(body).map_err(|error| {
            AwsError::new("SerializationException", format!("The body is not JSON: {error}"))
        })?,
    };
    verdict::check_input(incoming, &input)?;
    let signed = || caller.as_ref().ok_or_else(auth::missing_token);
    match operation {
        "RegisterUsage" => registration::register_usage(world, signed()?, &input, fault),
        "MeterUsage" => metering::meter_usage(world, signed()?, &input),
        "GetAccessToken" => licensing::get_access_token(world, &input),
        "AssumeRoleWithWebIdentity" => sts::assume_role_with_web_identity(world, &input),
        "GetCallerIdentity" => sts::get_caller_identity(world, signed()?),
        _ => licensing::serve(world, operation, signed()?, &input),
    }
}

fn record(
    world: &World,
    operation: String,
    task: Option<String>,
    body: &[u8],
    fault: Option<&Fault>,
    outcome: &Outcome,
    status: u16,
) {
    let text = || Value::String(String::from_utf8_lossy(body).into_owned());
    let at_ms = world.clock.now_ms();
    world.state().requests.record(Request {
        n: 0,
        at_ms,
        operation,
        task,
        status: if fault.is_some_and(Fault::cuts) { 0 } else { status },
        error: outcome.as_ref().err().map(|error| error.code.clone()),
        fault: fault.map(|fault| fault.kind.name()),
        body: serde_json::from_slice(body).unwrap_or_else(|_| text()),
        answer: outcome
            .as_ref()
            .cloned()
            .unwrap_or_else(|error| Value::String(error.message.clone())),
    });
}
