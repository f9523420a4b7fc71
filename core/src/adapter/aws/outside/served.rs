//! A guard's cloud whose AWS and whose platform say what the bytes say. Nothing leaves this process but to loopback.
//!
//! An answer is written as people write one: a line with the status, lines with headers, an empty line, the body.

use super::{
    super::{AwsCloud, LinkLocal, ServerTime, endpoint::Endpoints},
    jwt,
};
use crate::{
    adapter::surroundings::Surroundings,
    model::{proxy::ProxyChoice, time::Timestamp},
    port::{cloud::CloudSettings, entropy::Entropy},
};
use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpClient, SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use std::{
    fmt,
    future::Future,
    net::SocketAddr,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    task::LocalSet,
};

/// 2026-01-01T10:00:00Z.
pub(super) const NOW: Timestamp = Timestamp(1_767_261_600_000);
/// Stands between the parts of an input.
pub(super) const BETWEEN: u8 = 0x1e;

/// One answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn ok(body: &str) -> Answer {
        Answer { status: 200, headers: Vec::new(), body: body.into() }
    }

    pub(super) fn read(bytes: &[u8]) -> Answer {
        let (head, body) = match bytes.windows(2).position(|pair| pair == b"\n\n") {
            Some(at) => (&bytes[..at], &bytes[at + 2..]),
            None => (bytes, &b""[..]),
        };
        let head = String::from_utf8_lossy(head);
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.trim().parse().ok()).unwrap_or(200);
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.trim().to_owned(), value.trim().to_owned()))
        };
        let body = match body.windows(5).position(|five| five == b"{JWT}") {
            Some(at) => [&body[..at], jwt::right().as_bytes(), &body[at + 5..]].concat(),
            None => body.to_vec(),
        };
        Answer { status, headers: lines.filter_map(header).collect(), body }
    }

    /// As the SDK is given it; what HTTP itself forbids is left out.
    fn response(&self) -> HttpResponse {
        let status = StatusCode::try_from(self.status)
            .or_else(|_| StatusCode::try_from(500))
            .expect("500 is a status");
        let mut response = HttpResponse::new(status, SdkBody::from(self.body.clone()));
        for (name, value) in &self.headers {
            let _ = response.headers_mut().try_append(name.to_lowercase(), value.clone());
        }
        response
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut text =
            format!("HTTP/1.1 {} x\r\ncontent-length: {}\r\n", self.status, self.body.len());
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        [text.as_bytes(), b"\r\n", &self.body].concat()
    }
}

/// Says what AWS answers to a request.
pub(super) type Say = Arc<dyn Fn(&HttpRequest) -> Answer + Send + Sync>;

/// AWS.
#[derive(Clone)]
struct Aws {
    say: Say,
    server_time: Arc<ServerTime>,
    said: Arc<Mutex<Vec<u16>>>,
}

impl HttpConnector for Aws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let response = (self.say)(&request).response();
        let now = self.server_time.boot_ms();
        self.server_time.observe(response.headers(), now, now);
        let status = response.status().as_u16();
        self.said.lock().unwrap_or_else(PoisonError::into_inner).push(status);
        HttpConnectorFuture::ready(Ok(response))
    }
}

impl HttpClient for Aws {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aws")
    }
}

/// A guard's cloud, and what AWS has said to it.
pub(super) struct Served {
    pub(super) cloud: AwsCloud,
    said: Arc<Mutex<Vec<u16>>>,
}

impl Served {
    pub(super) fn new(
        metering: bool,
        there: Surroundings,
        platform: SocketAddr,
        say: Say,
    ) -> Served {
        let settings = CloudSettings {
            product_sku: Some("prod-1".into()),
            issuer_fingerprint: FINGERPRINT.to_owned(),
            metering,
            sandbox: None,
            extra_ca_pem: None,
            proxy: ProxyChoice::None,
            use_fips_endpoint: false,
            use_dualstack_endpoint: false,
        };
        let link_local = LinkLocal {
            ecs: platform,
            pod_identity: platform,
            pod_identity_v6: platform,
            instance: platform,
            instance_prefix: String::new(),
        };
        let server_time = Arc::new(ServerTime::default());
        let (now, entropy) = (Arc::new(|| NOW), Arc::new(Constant));
        let time = server_time.clone();
        let mut cloud = AwsCloud::beside(settings, there, now, entropy, server_time, link_local);
        let inner = Rc::get_mut(&mut cloud.0).expect("no call is running");
        // Nobody listens there, should a call ever pass by `Aws`.
        inner.endpoints = Endpoints::Sandbox("http://127.0.0.1:1".to_owned());
        inner.clients().map(drop).expect("clients without a certificate or a proxy");
        let said = Arc::<Mutex<Vec<u16>>>::default();
        let aws = Aws { say, server_time: time, said: said.clone() };
        let clients = inner.clients.get_mut().expect("made just now");
        clients.wire = SharedHttpClient::new(aws);
        Served { cloud, said }
    }

    /// The status of every answer so far.
    pub(super) fn said(&self) -> Vec<u16> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

pub(super) const FINGERPRINT: &str = "aws:294406891311:AWS/Marketplace:issuer-fingerprint";

/// The same 32 bytes each time.
struct Constant;

impl Entropy for Constant {
    fn seed(&self) -> Result<[u8; 32], String> {
        Ok(jwt::SEED)
    }
}

/// The platform's servers beside a container: each path that ends so is answered with these bytes.
pub(super) type Paths = Vec<(&'static str, Vec<u8>)>;

/// Runs `work` with a platform on loopback, as the shell runs a guard: one thread, with local tasks.
pub(super) fn beside<T, F: Future<Output = T>>(
    paths: Paths,
    work: impl FnOnce(SocketAddr) -> F,
) -> T {
    thread_local! {
        static RUNTIME: Runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    }
    RUNTIME.with(|runtime| {
        LocalSet::new().block_on(runtime, async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
            let address = listener.local_addr().expect("it is bound");
            let paths = Rc::new(paths);
            let server = tokio::task::spawn_local(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::task::spawn_local(serve(stream, paths.clone()));
                }
            });
            let done = work(address).await;
            server.abort();
            done
        })
    })
}

async fn serve(mut stream: TcpStream, paths: Rc<Paths>) {
    let mut asked = Vec::new();
    let mut part = [0; 1024];
    while !asked.ends_with(b"\r\n\r\n") {
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return,
            Ok(n) => asked.extend_from_slice(&part[..n]),
        }
    }
    let asked = String::from_utf8_lossy(&asked);
    let path = asked.split(' ').nth(1).unwrap_or_default();
    let found = paths.iter().find(|(end, _)| path.ends_with(end));
    let missing = b"HTTP/1.1 404 x\r\ncontent-length: 0\r\n\r\n".to_vec();
    let bytes = found.map_or(missing, |(_, bytes)| bytes.clone());
    // Whoever asked may have enough before the end.
    let _ = stream.write_all(&bytes).await;
    let _ = stream.shutdown().await;
}

pub(super) const TASK_ARN: &str =
    "arn:aws:ecs:eu-west-1:111122223333:task/default/0123456789abcdef";

/// An ECS task whose role has good credentials.
pub(super) fn task() -> (Surroundings, Paths) {
    let there = Surroundings {
        ecs_metadata: Some("http://169.254.170.2/v4/x".into()),
        ecs_credentials: Some("/credentials".into()),
        ..Surroundings::default()
    };
    let metadata = Answer::ok(&format!(r#"{{"TaskARN":"{TASK_ARN}"}}"#)).bytes();
    let credentials = Answer::ok(CREDENTIALS).bytes();
    (there, vec![("/task", metadata), ("/credentials", credentials)])
}

const CREDENTIALS: &str = r#"{"AccessKeyId":"AKIDEXAMPLE","SecretAccessKey":"secret","Token":"token",
    "Expiration":"2026-01-01T16:00:00Z"}"#;

/// The parts of an input.
pub(super) fn parts(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == BETWEEN)
}
