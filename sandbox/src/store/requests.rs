//! Everything that was received, for tests to look at.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::Value;

/// Older requests are dropped: a torture run must not fill the memory of the machine.
const KEPT: usize = 50_000;

/// One request with its answer.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Request {
    pub(crate) n: u64,
    pub(crate) at_ms: i64,
    pub(crate) operation: String,
    pub(crate) task: Option<String>,
    /// What the client was sent; 0 if the connection was cut.
    pub(crate) status: u16,
    pub(crate) error: Option<String>,
    pub(crate) fault: Option<String>,
    pub(crate) body: Value,
    pub(crate) answer: Value,
}

#[derive(Default)]
pub(crate) struct Requests {
    kept: VecDeque<Request>,
    count: u64,
}

impl Requests {
    pub(crate) fn record(&mut self, mut request: Request) {
        self.count += 1;
        request.n = self.count;
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(request);
    }

    pub(crate) fn matching(&self, operation: Option<&str>, task: Option<&str>) -> Vec<&Request> {
        self.kept
            .iter()
            .filter(|request| operation.is_none_or(|operation| operation == request.operation))
            .filter(|request| task.is_none_or(|task| Some(task) == request.task.as_deref()))
            .collect()
    }

    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }
}
