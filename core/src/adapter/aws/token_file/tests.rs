use super::*;
use crate::adapter::aws::testing::run;
use std::{fs, path::PathBuf};

/// A folder that is gone when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn of(test: &str) -> Folder {
        let path =
            std::env::temp_dir().join(format!("mpguard-{}-tokens-{test}", std::process::id()));
        fs::create_dir_all(&path).expect("a temporary folder");
        Folder(path)
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).expect("a temporary file");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn each_read_sees_the_newest_token() {
    run(async {
        let folder = Folder::of("newest");
        let path = folder.file("token", b" one\n");
        assert_eq!(read(&path).await.as_deref(), Ok("one"));
        folder.file("token", b"two");
        assert_eq!(read(&path).await.as_deref(), Ok("two"));
    });
}

/// The kubelet writes a new folder and moves the link `..data` to it, then removes the old one.
#[cfg(unix)]
#[test]
fn a_reader_never_sees_the_middle_of_a_swap_of_links() {
    use std::{
        os::unix::fs::symlink,
        sync::atomic::{AtomicBool, Ordering},
    };
    let folder = Folder::of("swap");
    let version = |n: u32| {
        let name = format!("..version{n}");
        fs::create_dir(folder.0.join(&name)).expect("a folder");
        fs::write(folder.0.join(&name).join("token"), format!("token{n}")).expect("a file");
        symlink(&name, folder.0.join("..new")).expect("a link");
        fs::rename(folder.0.join("..new"), folder.0.join("..data")).expect("the swap");
        if n > 0 {
            let _ = fs::remove_dir_all(folder.0.join(format!("..version{}", n - 1)));
        }
    };
    version(0);
    symlink("..data/token", folder.0.join("token")).expect("a link");
    let path = folder.0.join("token");
    let done = AtomicBool::new(false);
    let last = 700;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            run(async {
                let mut newest = 0;
                while !done.load(Ordering::Relaxed) {
                    let token = read(&path).await.expect("some version is there");
                    let n: u32 =
                        token.strip_prefix("token").expect("whole").parse().expect("whole");
                    assert!(n >= newest, "{n} after {newest}");
                    newest = n;
                }
            });
        });
        for n in 1..=last {
            version(n);
        }
        done.store(true, Ordering::Relaxed);
    });
    run(async { assert_eq!(read(&path).await, Ok(Secret::from(format!("token{last}")))) });
}

#[test]
fn a_file_that_is_empty_or_absent_for_a_moment_is_waited_for() {
    for empty in [true, false] {
        run(async {
            let folder = Folder::of(if empty { "empty" } else { "absent" });
            let path = folder.0.join("token");
            if empty {
                folder.file("token", b"");
            }
            let late = async {
                sleep(Duration::from_millis(80)).await;
                folder.file("token", b"late");
            };
            let (token, ()) = tokio::join!(read(&path), late);
            assert_eq!(token.as_deref(), Ok("late"));
        });
    }
}

#[test]
fn what_is_no_token_is_named_and_never_shown() {
    run(async {
        let folder = Folder::of("odd");
        let secret = "eyJhbGciOiJub25l";
        let huge = secret.repeat(MAX / secret.len() + 1);
        for (name, content, word) in [
            ("empty", b"".as_slice(), "is empty"),
            ("blank", b" \n\t\n", "is empty"),
            ("huge", huge.as_bytes(), "longer than any token"),
            ("bytes", b"eyJhbGciOiJub25l\xff", "holds no text"),
            ("words", b"eyJhbGciOiJub25l second", "one word"),
            ("lines", b"eyJhbGciOiJub25l\r\nx-evil: 1", "one word"),
        ] {
            let why = read(&folder.file(name, content)).await.expect_err("it is no token");
            assert!(why.contains(word) && why.contains(name), "{why}");
            assert!(!why.contains("eyJ"), "{why}");
        }
        let whole = vec![b'a'; MAX];
        assert!(read(&folder.file("longest", &whole)).await.is_ok());
    });
}

/// Opening a pipe waits for its other end, and reading `/dev/zero` has no end.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_at_once() {
    use std::{ffi::CString, os::unix::ffi::OsStrExt};
    run(async {
        let folder = Folder::of("kinds");
        let pipe = folder.0.join("pipe");
        let name = CString::new(pipe.as_os_str().as_bytes()).expect("no zero in it");
        // SAFETY: `name` is a C string that lives through the call.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        let zero = PathBuf::from("/dev/zero");
        for path in [&folder.0, &pipe, &zero] {
            let why = read(path).await.expect_err("it is no file");
            assert!(why.contains("a folder, a pipe or a device"), "{why}");
        }
        let why = read(&folder.0.join("absent")).await.expect_err("nobody writes it");
        assert!(why.contains("absent"), "{why}");
    });
}
