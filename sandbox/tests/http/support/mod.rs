//! A sandbox and a small client for it.

pub(crate) mod contract;
mod sign;
pub(crate) mod sts;

use std::time::Duration;

use mpguard_sandbox::{ClockMode, Options, Sandbox, parse_start};
use serde_json::{Value, json};

pub(crate) use sign::{Keys, Target};

pub(crate) const HOUR_MS: i64 = 3_600_000;

/// A frozen sandbox at a full hour, with one product.
pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    agent: ureq::Agent,
}

/// An answer of an AWS API.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Got {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|(key, value)| (key == name).then_some(value.as_str()))
    }

    /// The answer of a call that went well.
    pub(crate) fn good(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()
    }

    /// The error code of a call that did not.
    pub(crate) fn error(&self) -> String {
        assert_ne!(self.status, 200, "{}", self.text);
        self.json()["__type"]
            .as_str()
            .unwrap_or_else(|| panic!("no `__type`: {}", self.text))
            .to_owned()
    }
}

pub(crate) fn start_ms() -> i64 {
    parse_start("2026-01-01T10:00:00Z").expect("a good moment")
}

impl Stage {
    pub(crate) fn frozen() -> Self {
        Self::with(Options {
            clock: ClockMode::Frozen,
            start_ms: Some(start_ms()),
            ..Options::default()
        })
    }

    pub(crate) fn with(options: Options) -> Self {
        let sandbox = Sandbox::start(options).expect("a sandbox starts");
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent = config.timeout_global(Some(Duration::from_secs(30))).build().into();
        let stage = Self { sandbox, agent };
        let product =
            json!({"product_code": "abc", "dimensions": ["requests", "gb"], "key_versions": [1]});
        stage.post("products", product);
        stage
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        self.control("GET", path, None).good()
    }

    pub(crate) fn post(&self, path: &str, body: Value) -> Value {
        self.control("POST", path, Some(body)).good()
    }

    /// The message of a control call that is refused.
    pub(crate) fn refused(&self, path: &str, body: Value) -> String {
        let got = self.control("POST", path, Some(body));
        assert!((400..500).contains(&got.status), "{got:?}");
        got.json()["error"].as_str().expect("an error text").to_owned()
    }

    pub(crate) fn control(&self, method: &str, path: &str, body: Option<Value>) -> Got {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.raw(method, &format!("/_sandbox/{path}"), &[], &body).expect("the control API answers")
    }

    /// Sends a request as it is; an error means that there was no answer.
    pub(crate) fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(String, String)],
        body: &str,
    ) -> Result<Got, ureq::Error> {
        let url = format!("{}{path}", self.sandbox.url());
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(body.to_owned()).expect("a good request");
        let mut response = self.agent.run(request)?;
        let headers = response.headers().iter();
        let headers = headers
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or("?").to_owned()));
        let (status, headers) = (response.status().as_u16(), headers.collect());
        let body = response.body_mut().with_config().limit(1 << 24);
        let text = String::from_utf8_lossy(&body.read_to_vec()?).into_owned();
        Ok(Got { status, headers, text })
    }

    /// The keys of a task's container.
    pub(crate) fn keys(&self, task: &str) -> Keys {
        Keys::read(
            &self.raw("GET", &format!("/t/{task}/credentials"), &[], "").expect("an answer").good(),
        )
    }

    pub(crate) fn call(&self, keys: &Keys, operation: &str, input: Value) -> Got {
        self.try_call(keys, operation, input).expect("the sandbox answers")
    }

    pub(crate) fn try_call(
        &self,
        keys: &Keys,
        operation: &str,
        input: Value,
    ) -> Result<Got, ureq::Error> {
        self.send(keys, &Target::of(operation), &input.to_string())
    }

    pub(crate) fn send(
        &self,
        keys: &Keys,
        target: &Target,
        body: &str,
    ) -> Result<Got, ureq::Error> {
        let host = self.sandbox.address().to_string();
        self.raw("POST", "/", &sign::headers(keys, target, &host, body), body)
    }
}

/// A `MeterUsage` request for `quantity` in the hour of `at_ms`.
pub(crate) fn usage(dimension: &str, at_ms: i64, quantity: i64) -> Value {
    json!({
        "ProductCode": "abc",
        "Timestamp": at_ms / 1000,
        "UsageDimension": dimension,
        "UsageQuantity": quantity,
    })
}
