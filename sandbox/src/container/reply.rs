//! Answers to a container's questions about its surroundings; they are recorded and can fail as any
//! other request.

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Response;
use serde_json::Value;

use crate::fault::deliver;
use crate::store::World;
use crate::store::faults::Kind;
use crate::store::requests::Request;
use crate::store::tasks::{Platform, Task, is_task_name};
use crate::wire::answer::Answer;
use crate::wire::connection::Scissors;

const JSON: &str = "application/json";
const TEXT: &str = "text/plain";

/// What a service on the machine answers.
pub(super) enum Found {
    Json(Value),
    Text(String),
    /// Status and reason.
    Nothing(u16, String),
}

/// One question of a container.
pub(super) struct Question<'a> {
    pub(super) world: &'a World,
    pub(super) scissors: ConnectInfo<Scissors>,
    pub(super) operation: &'static str,
    pub(super) task: String,
}

impl Question<'_> {
    /// The task that asks; it exists from its first question on.
    pub(super) fn task(&self, platform: Platform) -> Result<Task, Found> {
        if !is_task_name(&self.task) {
            let reason = format!(
                "`{}` is not a task name; use 1 to 64 of A-Z, a-z, 0-9, `_`, `.`, `-`",
                self.task
            );
            return Err(Found::Nothing(400, reason));
        }
        Ok(self.world.state().tasks.touch(&self.task, platform, &self.world.region).clone())
    }

    pub(super) async fn answer(self, found: Found) -> Response<Body> {
        let Self { world, scissors, operation, task } = self;
        let fault = world.state().faults.take(operation, false, Some(&task));
        let found = match &fault {
            Some(fault) if fault.kind == Kind::Throttle => {
                Found::Nothing(429, "Too many requests".to_owned())
            }
            Some(fault) if fault.kind == Kind::Error => {
                let reason =
                    fault.message.clone().unwrap_or_else(|| "An error as ordered".to_owned());
                Found::Nothing(fault.status.unwrap_or(500), reason)
            }
            _ => found,
        };
        let (status, content_type, body, shown) = match found {
            Found::Json(value) => (200, JSON, value.to_string(), value),
            Found::Text(text) => (200, TEXT, text.clone(), text.into()),
            Found::Nothing(status, reason) => (status, TEXT, reason.clone(), reason.into()),
        };
        let date_ms = world.clock.now_ms();
        let mut answer =
            Answer { status, content_type, body: body.into(), error_type: None, date_ms };
        if let Some(fault) = &fault {
            answer = fault.spoil(answer);
        }
        let cut = fault.as_ref().is_some_and(|fault| fault.cuts());
        world.state().requests.record(Request {
            n: 0,
            at_ms: date_ms,
            operation: operation.to_owned(),
            task: Some(task),
            status: if cut { 0 } else { answer.status },
            error: None,
            fault: fault.as_ref().map(|fault| fault.kind.name()),
            body: Value::Null,
            answer: shown,
        });
        deliver(answer, fault.as_ref(), &scissors.0).await
    }
}
