//! ECS task metadata version 4 and container credentials.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::Response;
use serde_json::{Value, json};

use super::keys;
use super::reply::{Found, Question};
use crate::store::World;
use crate::store::credentials::Source;
use crate::store::tasks::{Platform, Task};
use crate::wire::connection::Scissors;
use crate::wire::time::iso;

/// `GET ${ECS_CONTAINER_METADATA_URI_V4}/task`.
pub(super) async fn task(
    State(world): State<Arc<World>>,
    scissors: ConnectInfo<Scissors>,
    Path(task): Path<String>,
) -> Response<Body> {
    let question = Question { world: &world, scissors, operation: "TaskMetadata", task };
    let now = iso(world.clock.now_ms());
    let found = ecs_task(&question).map(|task| {
        json!({
            "Cluster": "sandbox",
            "TaskARN": task.arn(),
            "Family": "sandbox",
            "ServiceName": "sandbox",
            "Revision": "1",
            "DesiredStatus": "RUNNING",
            "KnownStatus": "RUNNING",
            "Limits": {"CPU": 0.25, "Memory": 512},
            "PullStartedAt": now,
            "PullStoppedAt": now,
            "AvailabilityZone": format!("{}a", task.region),
            "LaunchType": "FARGATE",
            "Containers": [container_of(&task)],
            "ClockDrift": {
                "ClockErrorBound": 0.5,
                "ReferenceTimestamp": now,
                "ClockSynchronizationStatus": "SYNCHRONIZED",
            },
        })
    });
    question.answer(found.map_or_else(|nothing| nothing, Found::Json)).await
}

/// `GET ${ECS_CONTAINER_METADATA_URI_V4}`.
pub(super) async fn container(
    State(world): State<Arc<World>>,
    scissors: ConnectInfo<Scissors>,
    Path(task): Path<String>,
) -> Response<Body> {
    let question = Question { world: &world, scissors, operation: "ContainerMetadata", task };
    let found = ecs_task(&question).map(|task| Found::Json(container_of(&task)));
    question.answer(found.unwrap_or_else(|nothing| nothing)).await
}

/// The container credentials endpoint: of the ECS agent on ECS, of the Pod Identity agent on EKS. A task
/// on platform `none` gets keys of a user here, because it must get some from somewhere.
pub(super) async fn credentials(
    State(world): State<Arc<World>>,
    scissors: ConnectInfo<Scissors>,
    Path(task): Path<String>,
) -> Response<Body> {
    let question = Question { world: &world, scissors, operation: "TaskCredentials", task };
    let found = question.task(Platform::Ecs).and_then(|task| {
        let source = match task.platform {
            Platform::Ecs => Source::TaskRole,
            Platform::Eks => Source::PodIdentity,
            Platform::None => Source::LongTerm,
            Platform::Anywhere => {
                let name = &task.name;
                let reason = format!(
                    "no container credentials for `{name}`: it runs outside AWS; see POST \
                     /_sandbox/tasks/{name}/license_token"
                );
                return Err(Found::Nothing(404, reason));
            }
            Platform::Ec2 => {
                let name = &task.name;
                let reason = format!(
                    "no container credentials for `{name}`: it is a machine; use instance metadata"
                );
                return Err(Found::Nothing(404, reason));
            }
        };
        Ok(Found::Json(credentials_of(&world, &task, source)))
    });
    question.answer(found.unwrap_or_else(|nothing| nothing)).await
}

fn credentials_of(world: &World, task: &Task, source: Source) -> Value {
    let (credential, expires_ms) = keys(world, &task.name, source);
    let mut answer = json!({
        "RoleArn": task.role_arn(),
        "AccessKeyId": credential.access_key_id,
        "SecretAccessKey": credential.secret_access_key,
        "Expiration": iso(expires_ms),
    });
    if let Some(token) = credential.session_token {
        answer["Token"] = token.into();
    }
    answer
}

fn ecs_task(question: &Question<'_>) -> Result<Task, Found> {
    let task = question.task(Platform::Ecs)?;
    if task.platform == Platform::Ecs {
        return Ok(task);
    }
    let reason = format!("no ECS task metadata for `{}`: it does not run on ECS", task.name);
    Err(Found::Nothing(404, reason))
}

fn container_of(task: &Task) -> Value {
    json!({
        "DockerId": format!("{}-1", task.name),
        "Name": "app",
        "DockerName": "app",
        "Image": "sandbox/app:1",
        "ImageID": "sha256:0000000000000000000000000000000000000000000000000000000000000000",
        "Labels": {
            "com.amazonaws.ecs.cluster": "sandbox",
            "com.amazonaws.ecs.container-name": "app",
            "com.amazonaws.ecs.task-arn": task.arn(),
        },
        "DesiredStatus": "RUNNING",
        "KnownStatus": "RUNNING",
        "Type": "NORMAL",
        "ContainerARN": format!(
            "arn:aws:ecs:{}:{}:container/sandbox/{}/00000000-0000-0000-0000-000000000001",
            task.region, task.account, task.name
        ),
    })
}
