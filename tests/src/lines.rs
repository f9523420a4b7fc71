//! A child process that is spoken to in lines and answers in lines.

use crate::Done;
use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// A running child. It is killed when this is dropped.
#[derive(Debug)]
pub struct Lines {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Receiver<String>,
    stderr: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

impl Lines {
    /// Starts `command`; `name` stands for it in errors.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(name: &str, command: &mut Command) -> Done<Lines> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| {
                format!("cannot start {name} (`{}`): {e}", command.get_program().to_string_lossy())
            })?;
        let (sender, stdout) = mpsc::channel();
        let stderr = Arc::new(Mutex::new(String::new()));
        let mut readers = Vec::new();
        if let Some(pipe) = child.stdout.take() {
            readers.push(thread::spawn(move || {
                for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            }));
        }
        if let Some(mut pipe) = child.stderr.take() {
            let kept = Arc::clone(&stderr);
            readers.push(thread::spawn(move || {
                let mut bytes = [0; 4096];
                while let Ok(n @ 1..) = pipe.read(&mut bytes) {
                    if let Ok(mut kept) = kept.lock() {
                        kept.push_str(&String::from_utf8_lossy(&bytes[..n]));
                    }
                }
            }));
        }
        let stdin = child.stdin.take();
        Ok(Lines { name: name.to_owned(), child, stdin, stdout, stderr, readers })
    }

    /// Process id of the child.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Writes one line.
    ///
    /// # Errors
    /// When the child no longer reads.
    pub fn say(&mut self, line: &str) -> Done {
        let stdin = self.stdin.as_mut().ok_or_else(|| format!("{} was told to end", self.name))?;
        let wrote = stdin.write_all(format!("{line}\n").as_bytes()).and_then(|()| stdin.flush());
        wrote.map_err(|e| self.trouble(&format!("takes no more input: {e}")))
    }

    /// The next line of its output.
    ///
    /// # Errors
    /// When none comes within `timeout`, or the child has ended.
    pub fn hear(&mut self, timeout: Duration) -> Done<String> {
        match self.hear_within(timeout)? {
            Some(line) => Ok(line),
            None => Err(self.trouble(&format!("said nothing for {} s", timeout.as_secs_f32()))),
        }
    }

    /// The next line, when one comes within `timeout`.
    ///
    /// # Errors
    /// When the child has ended.
    pub fn hear_within(&mut self, timeout: Duration) -> Done<Option<String>> {
        match self.stdout.recv_timeout(timeout) {
            Ok(line) => Ok(Some(line)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(self.trouble("ended")),
        }
    }

    /// Ends its input and gives the lines that are left and whether it ended well.
    ///
    /// # Errors
    /// When it still runs after `timeout`, or does not end with success.
    pub fn finish(mut self, timeout: Duration) -> Done<Vec<String>> {
        drop(self.stdin.take());
        let end = Instant::now() + timeout;
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if Instant::now() < end => thread::sleep(Duration::from_millis(2)),
                Ok(None) => return Err(self.trouble("did not end with its input")),
                Err(e) => return Err(self.trouble(&format!("cannot be waited for: {e}"))),
            }
        };
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        if !status.success() {
            return Err(self.trouble(&format!("ended with {status}")));
        }
        Ok(self.stdout.try_iter().collect())
    }

    /// Kills it at once, as the kernel would when memory runs out.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn trouble(&mut self, what: &str) -> String {
        // What it said last often comes a moment after its end.
        thread::sleep(Duration::from_millis(50));
        let status = match self.child.try_wait() {
            Ok(Some(status)) => format!(" ({status})"),
            _ => String::new(),
        };
        let said = self.stderr.lock().map(|text| text.clone()).unwrap_or_default();
        let said =
            if said.is_empty() { "nothing".to_owned() } else { format!("\n{}", said.trim_end()) };
        format!("{} {what}{status}; on stderr: {said}", self.name)
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.kill();
    }
}
