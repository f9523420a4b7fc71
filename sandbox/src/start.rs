//! Two ways to hold a sandbox: as a process of its own, or on a thread of a test.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::options::Options;
use crate::server::{Error, serve};

/// Runs a sandbox on this thread, as `mpguard sandbox` does: prints one JSON line when it is ready.
///
/// # Errors
///
/// See [`Error`].
pub fn run(options: Options) -> Result<(), Error> {
    let runtime = runtime()?;
    let exit_with_stdin = options.exit_with_stdin;
    let stop = async move {
        if exit_with_stdin {
            let ended = tokio::task::spawn_blocking(|| {
                std::io::copy(&mut std::io::stdin(), &mut std::io::sink())
            });
            let _ = ended.await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    let result = runtime.block_on(serve(options, announce, stop));
    runtime.shutdown_background();
    result
}

fn announce(address: SocketAddr) {
    let line = serde_json::json!({
        "address": format!("http://{address}"),
        "port": address.port(),
        "pid": std::process::id(),
    });
    let mut out = std::io::stdout();
    // Whoever does not want the line may close the pipe.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("sandbox")
        .enable_all()
        .build()?)
}

/// A sandbox on a thread of this process, for tests. Dropping it stops it.
pub struct Sandbox {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts a sandbox and waits until it accepts requests.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub fn start(options: Options) -> Result<Self, Error> {
        let runtime = runtime()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let (sender, receiver) = mpsc::channel();
        let failed = sender.clone();
        let thread =
            std::thread::Builder::new().name("sandbox-main".to_owned()).spawn(move || {
                let ready = move |address| {
                    let _ = sender.send(Ok(address));
                };
                let stop = async {
                    let _ = stopped.await;
                };
                if let Err(error) = runtime.block_on(serve(options, ready, stop)) {
                    let _ = failed.send(Err(error));
                }
                runtime.shutdown_background();
            })?;
        let gone = |_| Err(Error::Stopped(std::io::ErrorKind::BrokenPipe.into()));
        let address = receiver.recv().unwrap_or_else(gone)?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address as a URL without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
