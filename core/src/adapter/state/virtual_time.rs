//! The time of a sandbox, asked for on the spot.
//!
//! A guard follows the virtual clock by a long poll, so a process that stood still for a moment may lead by a time
//! that is hours old. That is harmless but for one decision: whether a ledger of the future is of another run.

use super::super::sandbox_address::sandbox_address;
use crate::model::time::Timestamp;
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

/// Loopback: whoever is there answers at once.
const PATIENCE: Duration = Duration::from_secs(1);
const ANSWER_MAX: u64 = 64 << 10;

/// What the sandbox that `url` names says now; `None` when it does not say.
pub(super) fn now(url: &str) -> Option<Timestamp> {
    let (address, _) = sandbox_address(url)?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    let ask =
        format!("GET /_sandbox/clock HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.take(ANSWER_MAX).read_to_string(&mut answer).ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    let said: serde_json::Value = serde_json::from_str(body).ok()?;
    said["now_ms"].as_i64().map(Timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{net::TcpListener, thread};

    #[test]
    fn the_sandbox_is_asked_and_nobody_is_waited_for() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let address = listener.local_addr().expect("it is bound");
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a caller");
            let mut asked = [0; 256];
            let n = stream.read(&mut asked).expect("a request");
            let body = r#"{"now_ms":1767265200000,"rate":0,"version":1}"#;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(head.as_bytes()).expect("it listens");
            String::from_utf8_lossy(&asked[..n]).into_owned()
        });
        let url = format!("http://{address}/t/app");
        assert_eq!(now(&url), Some(Timestamp(1_767_265_200_000)));
        let asked = server.join().expect("it ends");
        assert!(asked.starts_with("GET /_sandbox/clock HTTP/1.1\r\n"), "{asked}");
        assert_eq!(now(&url), None, "nobody listens any more");
        assert_eq!(now("no address"), None);
    }
}
