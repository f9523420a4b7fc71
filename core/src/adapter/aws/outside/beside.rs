//! What the platform's servers say, and what stands in token files.
//!
//! Parts, each with a letter in front. `!` behind the letter: the rest are the bytes of the answer as they go over the
//! wire; else it is an answer as `served` reads one.

use super::{
    super::region::{Region, Said},
    served::{self, Answer, Paths, Say, Served, beside, parts},
};
use crate::{
    adapter::surroundings::Surroundings,
    model::{
        ids::Platform,
        outcome::{Permitted, Tiers},
    },
    port::cloud::{Cloud, UsageProbe},
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// `t` the task's metadata; `k`, `n`, `r` token, instance id and Region of instance metadata; `a`, `d`, `e` the texts of
/// `AWS_REGION`, `AWS_DEFAULT_REGION` and `ECS_CONTAINER_METADATA_URI_V4`.
pub(crate) fn metadata(bytes: &[u8]) {
    let mut there = Surroundings::default();
    let mut paths = Paths::new();
    for part in parts(bytes) {
        let Some((letter, rest)) = part.split_first() else { continue };
        let text = || Some(String::from_utf8_lossy(rest).into_owned());
        match letter {
            b't' => {
                there.ecs_metadata.get_or_insert_with(|| "http://169.254.170.2/v4/x".to_owned());
                paths.push(("/task", wire(rest)));
            }
            b'k' => paths.push(("/api/token", wire(rest))),
            b'n' => paths.push(("/instance-id", wire(rest))),
            b'r' => paths.push(("/region", wire(rest))),
            b'a' => there.region = text(),
            b'd' => there.default_region = text(),
            b'e' => there.ecs_metadata = text(),
            _ => {}
        }
    }
    let ecs = there.ecs_metadata.is_some();
    let found = beside(paths, async |platform| {
        let say: Say = Arc::new(|_: &_| panic!("AWS is not asked who we are"));
        Served::new(false, there, platform, say).cloud.identify().await
    });
    match found {
        Ok(identity) => {
            assert!(
                Region::read(&identity.region, Said::Region).is_ok(),
                "`{}` is no Region",
                identity.region
            );
            assert_eq!(ecs, identity.platform == Platform::Ecs, "{identity:?}");
            let shown = |c: char| c.is_ascii_graphic();
            assert!(identity.name.chars().all(shown), "an identity to stumble over: {identity:?}");
            let length = identity.name.len();
            assert!((1..=2048).contains(&length), "an identity of {length} bytes");
        }
        Err(failure) => {
            assert!(failure.text.len() <= 4096, "a text of {} bytes", failure.text.len());
            assert!(!failure.text.chars().any(char::is_control), "{:?}", failure.text);
        }
    }
}

/// The first byte is the source: `e` an ECS task, `p` EKS Pod Identity, `w` an IAM role for service accounts, `l` a license
/// token, `i` an EC2 instance. Parts: `f` the token file; `c` container credentials; `n` name of the instance's role and
/// `k` its metadata's token; `s` STS; `g` `GetAccessToken`.
pub(crate) fn tokens(bytes: &[u8]) {
    let source = bytes.first().copied().unwrap_or(b'e');
    let folder = Folder::new();
    let file = folder.0.join("token");
    let role = Some("arn:aws:iam::111122223333:role/app".to_owned());
    let (mut there, mut paths) = served::task();
    paths.truncate(1);
    if source != b'e' {
        there = Surroundings { region: Some("eu-west-1".into()), ..Surroundings::default() };
    }
    match source {
        b'w' => (there.web_identity_token, there.role_arn) = (Some(file.clone()), role),
        b'l' => (there.license_token, there.role_arn) = (Some(file.clone()), role),
        b'p' => {
            there.pod_identity = Some("http://169.254.170.23/credentials".into());
            there.pod_identity_token = Some(file.clone());
        }
        _ => {}
    }
    let (mut sts, mut access, mut secrets) = (Answer::ok(""), Answer::ok("{}"), Vec::new());
    for part in parts(bytes.get(1..).unwrap_or_default()) {
        let Some((letter, rest)) = part.split_first() else { continue };
        match letter {
            b'f' => {
                std::fs::write(&file, rest).expect("a file in a folder of our own");
                secrets.push(String::from_utf8_lossy(rest).trim().to_owned());
            }
            b'c' => {
                secrets.extend(secret(rest));
                paths.push(("/credentials", wire(rest)));
                paths.push(("/security-credentials/app", wire(rest)));
            }
            b'n' => paths.push(("/security-credentials/", wire(rest))),
            b'k' => paths.push(("/api/token", wire(rest))),
            b's' => sts = Answer::read(rest),
            b'g' => access = Answer::read(rest),
            _ => {}
        }
    }
    let text = beside(paths, async |platform| {
        let say: Say = Arc::new(move |request: &HttpRequest| answer(request, &sts, &access));
        let metering = matches!(source, b'e' | b'w');
        let served = Served::new(metering, there, platform, say);
        signed(&served, metering).await
    });
    assert!(text.len() <= 4096, "a text of {} bytes", text.len());
    for secret in secrets.iter().filter(|secret| secret.len() >= 16) {
        assert!(!text.contains(secret.as_str()), "a secret in a text: {text}");
    }
}

/// Makes a call that needs credentials; what it says when it fails.
async fn signed(served: &Served, metering: bool) -> String {
    if metering {
        let probe = UsageProbe {
            product: "abc".into(),
            dimension: "requests".to_owned(),
            timestamp: served::NOW,
        };
        match served.cloud.check_usage(probe).await {
            Permitted::Yes => String::new(),
            Permitted::No(refusal) => panic!("nobody said no: {refusal:?}"),
            Permitted::Failed(failure) => failure.text,
        }
    } else {
        match served.cloud.tiers(vec!["Basic".into()], "token".into()).await {
            Tiers::Failed(failure) => failure.text,
            other => panic!("nobody said so: {other:?}"),
        }
    }
}

/// What AWS says: to the calls that give credentials what the bytes say, and to the call that needs them nothing.
fn answer(request: &HttpRequest, sts: &Answer, access: &Answer) -> Answer {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    let signature = request.headers().get("authorization");
    if target.ends_with("GetAccessToken") {
        assert_eq!(signature, None, "a call without credentials is signed");
        access.clone()
    } else if target.is_empty() {
        sts.clone()
    } else {
        let signature = signature.expect("a call with credentials is signed");
        assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential="), "{signature}");
        Answer::ok("{}")
    }
}

fn wire(part: &[u8]) -> Vec<u8> {
    match part.strip_prefix(b"!") {
        Some(bytes) => bytes.to_vec(),
        None => Answer::read(part).bytes(),
    }
}

/// The secret in an answer that has one.
fn secret(part: &[u8]) -> Option<String> {
    let body = Answer::read(part).body;
    let answer: serde_json::Value = serde_json::from_slice(&body).ok()?;
    Some(answer["SecretAccessKey"].as_str()?.to_owned())
}

/// A folder in memory, gone when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let memory = Path::new("/dev/shm");
        let above = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let thread = format!("{:?}", std::thread::current().id());
        let thread: String = thread.chars().filter(char::is_ascii_digit).collect();
        let path = above.join(format!("mpguard-outside-{}-{thread}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).expect("a folder");
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
