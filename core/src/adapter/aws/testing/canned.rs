//! A server that answers with the bytes it is told, and remembers what it was asked.

use std::{cell::RefCell, collections::VecDeque, net::SocketAddr, rc::Rc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What the server does with one request of an AWS API.
#[derive(Clone, Debug)]
pub(in crate::adapter::aws) enum Act {
    /// Sends these bytes.
    Say(String),
    /// Reads the whole request and closes without a word.
    Close,
    /// Reads the whole request and resets the connection.
    Reset,
    /// Reads the whole request and says nothing for this long.
    Wait(Duration),
    /// Sends these bytes after this long.
    Late(Duration, String),
    /// Sends these bytes as the head and then one body byte each 50 ms.
    Drip(String),
}

impl Act {
    /// Status 200 with this JSON.
    pub(in crate::adapter::aws) fn ok(json: &str) -> Act {
        Act::answer(200, &[], json)
    }

    /// An error of awsJson 1.1.
    pub(in crate::adapter::aws) fn error(status: u16, code: &str) -> Act {
        Act::answer(status, &[], &format!(r#"{{"__type":"{code}","message":"because"}}"#))
    }

    /// Anything.
    pub(in crate::adapter::aws) fn answer(status: u16, headers: &[&str], body: &str) -> Act {
        let mut head = format!(
            "HTTP/1.1 {status} x\r\ncontent-type: application/x-amz-json-1.1\r\nx-amzn-requestid: req-1\r\ncontent-length: {}\r\n",
            body.len()
        );
        for header in headers {
            head.push_str(header);
            head.push_str("\r\n");
        }
        Act::Say(format!("{head}\r\n{body}"))
    }
}

/// One request as it came.
#[derive(Clone, Debug)]
pub(in crate::adapter::aws) struct Request {
    pub(in crate::adapter::aws) head: String,
    pub(in crate::adapter::aws) body: String,
}

impl Request {
    pub(in crate::adapter::aws) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// `METHOD path`.
    pub(in crate::adapter::aws) fn line(&self) -> String {
        let line = self.head.lines().next().unwrap_or_default();
        line.rsplit_once(' ').map_or_else(|| line.to_owned(), |(line, _)| line.to_owned())
    }
}

/// The server. It answers the paths of a task by itself, and everything else by its script.
pub(in crate::adapter::aws) struct Canned {
    address: SocketAddr,
    state: Rc<State>,
}

#[derive(Default)]
struct State {
    script: RefCell<VecDeque<Act>>,
    paths: RefCell<Vec<(String, Act)>>,
    once: RefCell<VecDeque<(String, Act)>>,
    needles: RefCell<Vec<(String, Act)>>,
    requests: RefCell<Vec<Request>>,
}

pub(in crate::adapter::aws) const TASK_ARN: &str =
    "arn:aws:ecs:eu-west-1:111122223333:task/default/0123456789abcdef";
const CREDENTIALS: &str = r#"{"RoleArn":"arn:aws:iam::111122223333:role/app","AccessKeyId":"AKIDEXAMPLE",
    "SecretAccessKey":"secret","Token":"token","Expiration":"2026-01-01T16:00:00Z"}"#;

impl Canned {
    /// Listens, with `script` for the calls of AWS APIs.
    pub(in crate::adapter::aws) async fn start(script: Vec<Act>) -> Canned {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let address = listener.local_addr().expect("it is bound");
        let state = Rc::new(State { script: RefCell::new(script.into()), ..State::default() });
        let served = state.clone();
        tokio::task::spawn_local(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::task::spawn_local(serve(stream, served.clone()));
            }
        });
        let server = Canned { address, state };
        server.at("/v4/task", Act::ok(&format!(r#"{{"TaskARN":"{TASK_ARN}"}}"#)));
        server.at("/credentials", Act::ok(CREDENTIALS));
        server
    }

    /// Answers a `GET` or `PUT` whose path ends with `path` like this from now on.
    pub(in crate::adapter::aws) fn at(&self, path: &str, act: Act) {
        self.state.paths.borrow_mut().insert(0, (path.to_owned(), act));
    }

    /// Answers the next `GET` or `PUT` whose path ends with `path` like this, before what `at` says.
    pub(in crate::adapter::aws) fn once(&self, path: &str, act: Act) {
        self.state.once.borrow_mut().push_back((path.to_owned(), act));
    }

    /// Answers each call of an AWS API that has `needle` in it like this from now on.
    pub(in crate::adapter::aws) fn when(&self, needle: &str, act: Act) {
        self.state.needles.borrow_mut().insert(0, (needle.to_owned(), act));
    }

    pub(in crate::adapter::aws) fn then(&self, act: Act) {
        self.state.script.borrow_mut().push_back(act);
    }

    pub(in crate::adapter::aws) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(in crate::adapter::aws) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Calls of AWS APIs, in order.
    pub(in crate::adapter::aws) fn calls(&self) -> Vec<Request> {
        let requests = self.state.requests.borrow();
        requests.iter().filter(|r| r.head.starts_with("POST")).cloned().collect()
    }

    /// Everything that was asked, as `METHOD path`.
    pub(in crate::adapter::aws) fn lines(&self) -> Vec<String> {
        self.state.requests.borrow().iter().map(Request::line).collect()
    }

    pub(in crate::adapter::aws) fn requests(&self) -> Vec<Request> {
        self.state.requests.borrow().clone()
    }
}

async fn serve(mut stream: TcpStream, state: Rc<State>) {
    while let Some(request) = read(&mut stream).await {
        let target = request.line();
        let path = target.split(' ').nth(1).unwrap_or_default().to_owned();
        let path = path.split('?').next().unwrap_or_default().to_owned();
        let planned = {
            let mut once = state.once.borrow_mut();
            let at = once.iter().position(|(p, _)| path.ends_with(p.as_str()));
            at.filter(|_| !target.starts_with("POST")).and_then(|at| once.remove(at))
        };
        let fixed = planned.or_else(|| {
            state.paths.borrow().iter().find(|(p, _)| path.ends_with(p.as_str())).cloned()
        });
        let has = |needle: &str| request.head.contains(needle) || request.body.contains(needle);
        let known = state.needles.borrow().iter().find(|(needle, _)| has(needle)).cloned();
        state.requests.borrow_mut().push(request);
        let act = match fixed {
            Some((_, act)) if !target.starts_with("POST") => Some(act),
            _ if target.starts_with("POST") && known.is_some() => known.map(|(_, act)| act),
            _ if target.starts_with("POST") => state.script.borrow_mut().pop_front(),
            _ => None,
        };
        match act.unwrap_or_else(|| Act::answer(404, &[], "{}")) {
            Act::Say(bytes) => {
                if stream.write_all(bytes.as_bytes()).await.is_err() {
                    return;
                }
            }
            Act::Close => return,
            Act::Reset => {
                let _ = stream.set_zero_linger();
                return;
            }
            Act::Wait(time) => tokio::time::sleep(time).await,
            Act::Late(time, bytes) => {
                tokio::time::sleep(time).await;
                if stream.write_all(bytes.as_bytes()).await.is_err() {
                    return;
                }
            }
            Act::Drip(head) => {
                let mut next = stream.write_all(head.as_bytes()).await;
                while next.is_ok() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    next = stream.write_all(b" ").await;
                }
                return;
            }
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let request = Request { head: head.to_owned(), body: body.to_owned() };
            let length =
                request.header("content-length").and_then(|n| n.parse().ok()).unwrap_or(0_usize);
            if body.len() >= length {
                return Some(request);
            }
        }
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => bytes.extend_from_slice(&part[..n]),
        }
    }
}
