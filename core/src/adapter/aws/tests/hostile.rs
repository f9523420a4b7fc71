//! T67: a container whose variables and files all point elsewhere.
//!
//! Variables belong to a process, so the test runs itself once more with all of them set.

use super::super::testing::{
    Act, Canned, KEY, cloud_of, run, settings,
    tls::{authority, dry_run, not_sent, serve},
};
use crate::{
    adapter::{aws::http::Proxy, surroundings::Surroundings},
    model::outcome::{Permitted, Registered},
    port::cloud::Cloud,
};
use std::{net::TcpListener, path::PathBuf, process::Command};

const CHILD: &str = "MPGUARD_TEST_TLS_PORT";
const NAME: &str =
    "adapter::aws::tests::hostile::no_variable_or_file_of_the_container_moves_a_call";

#[test]
fn no_variable_or_file_of_the_container_moves_a_call() {
    match std::env::var(CHILD) {
        Ok(port) => inside(port.parse().expect("the parent wrote a port")),
        Err(_) => outside(),
    }
}

/// Sets the trap, and looks that nobody stepped into it.
fn outside() {
    run(async {
        let decoy = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        decoy.set_nonblocking(true).expect("a socket option");
        let elsewhere = format!("http://{}", decoy.local_addr().expect("bound"));
        let authority = authority();
        let port = serve(authority.acceptor, std::rc::Rc::default()).await;
        let files = Files::of(&elsewhere, &authority.pem);

        let mut child = Command::new(std::env::current_exe().expect("we run"));
        child.args(["--exact", NAME, "--nocapture"]).env(CHILD, port.to_string());
        for name in [
            "AWS_ENDPOINT_URL",
            "AWS_ENDPOINT_URL_MARKETPLACE_METERING",
            "AWS_ENDPOINT_URL_LICENSE_MANAGER",
            "AWS_ENDPOINT_URL_STS",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "ECS_CONTAINER_METADATA_URI_V4",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "ALL_PROXY",
            "http_proxy",
            "https_proxy",
            "all_proxy",
        ] {
            child.env(name, &elsewhere);
        }
        child
            .env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/elsewhere")
            .env("AWS_REGION", "us-west-2")
            .env("AWS_ACCESS_KEY_ID", "STOLEN")
            .env("AWS_SECRET_ACCESS_KEY", "s")
            .env("AWS_SESSION_TOKEN", "t")
            .env("AWS_WEB_IDENTITY_TOKEN_FILE", &files.ca)
            .env("AWS_WEB_IDENTITY_REFRESH_TOKEN_FILE", &files.ca)
            .env("AWS_LICENSE_ACCESS_FILE", &files.ca)
            .env("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/other")
            .env("AWS_CONFIG_FILE", &files.profile)
            .env("AWS_SHARED_CREDENTIALS_FILE", &files.profile)
            .env("AWS_PROFILE", "default")
            .env("AWS_USE_FIPS_ENDPOINT", "true")
            .env("AWS_USE_DUALSTACK_ENDPOINT", "true")
            .env("AWS_MAX_ATTEMPTS", "0")
            .env("AWS_RETRY_MODE", "nonsense")
            .env("SMITHY_CLIENT_SDK_CUSTOM_PARTITION", &files.partitions)
            .env("SSL_CERT_FILE", &files.ca)
            .env("AWS_CA_BUNDLE", &files.ca)
            .env_remove("SSL_CERT_DIR");
        let output = tokio::task::spawn_blocking(move || child.output()).await;
        let output = output.expect("the thread lives").expect("it can be run");
        let said =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        assert!(decoy.accept().is_err(), "somebody called the decoy");
    });
}

/// Calls as a guard does, with the real environment.
fn inside(tls: u16) {
    run(async {
        // In a sandbox: its task, its credentials, its server, one attempt.
        let server = Canned::start(vec![Act::error(500, "InternalFailure")]).await;
        let url = format!("{}/t/app", server.url());
        let there = Surroundings::read();
        assert_eq!(there.region.as_deref(), Some("us-west-2"), "the trap is set");
        let cloud = cloud_of(settings(Some(url)), there);
        let answer = cloud.register("abc".into(), KEY.public()).await;
        assert!(matches!(answer, Registered::Failed(_)), "{answer:?}");
        let calls = server.calls();
        assert_eq!(calls.len(), 1);
        let signed = calls[0].header("authorization").expect("it is signed");
        assert!(signed.contains("=AKIDEXAMPLE/20260101/eu-west-1/"), "{signed}");

        // Over TLS: the system's roots, replaced by the trap's, are not ours.
        let answer = dry_run(tls, None, &Proxy::Direct).await;
        assert!(not_sent(&answer), "{answer:?}");
        let ca = std::env::var("SSL_CERT_FILE").expect("the trap is set");
        let ca = std::fs::read_to_string(ca).expect("the parent wrote it");
        assert_eq!(dry_run(tls, Some(&ca), &Proxy::Direct).await, Permitted::Yes);
    });
}

/// Files of the trap, gone when the test ends.
struct Files {
    ca: PathBuf,
    profile: PathBuf,
    partitions: PathBuf,
}

impl Files {
    fn of(elsewhere: &str, ca: &str) -> Files {
        let write = |name: &str, content: &str| {
            let name = format!("mpguard-{}-hostile-{name}", std::process::id());
            let path = std::env::temp_dir().join(name);
            std::fs::write(&path, content).expect("a temporary file");
            path
        };
        let profile = format!(
            "[default]\nregion = us-west-2\nendpoint_url = {elsewhere}\naws_access_key_id = STOLEN\n\
             aws_secret_access_key = s\n"
        );
        let partitions = r#"{"version":"1.1","partitions":[{"id":"aws","regionRegex":"^.*$","regions":{},
            "outputs":{"name":"aws","dnsSuffix":"evil.example","dualStackDnsSuffix":"evil.example",
            "implicitGlobalRegion":"us-east-1","supportsFIPS":true,"supportsDualStack":true}}]}"#;
        Files {
            ca: write("ca.pem", ca),
            profile: write("profile", &profile),
            partitions: write("partitions.json", partitions),
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        for path in [&self.ca, &self.profile, &self.partitions] {
            let _ = std::fs::remove_file(path);
        }
    }
}
