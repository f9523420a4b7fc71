//! What of the environment would redirect or weaken a program that is made with an AWS SDK.
//!
//! mpguard obeys none of it, and tells which ones are there: whoever set one did so for a reason, or against
//! somebody. Values are never kept, because some are secrets.

use super::{is_named_region, is_on_ecs, is_pod_identity};
use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
};

/// A variable that is set, and that somebody should know of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    /// Its name, as it is spelled in the environment.
    pub name: String,
    /// What it does to programs that are made with an AWS SDK; a clause without a subject.
    pub effect_elsewhere: &'static str,
    /// mpguard reads it too, and checks what it says before use.
    pub used: bool,
}

/// A file that AWS's SDKs read although no variable names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// Where it is. mpguard does not read it.
    pub path: PathBuf,
    /// What it does to programs that are made with an AWS SDK; a clause without a subject.
    pub effect_elsewhere: &'static str,
}

/// A row of the table.
struct Row {
    name: &'static str,
    effect: &'static str,
    used: bool,
    /// True for a value that somebody should know of. What a platform sets by itself is none.
    counts: fn(&str) -> bool,
}

/// No effect on mpguard, whatever it says.
const fn ignored(name: &'static str, effect: &'static str) -> Row {
    Row { name, effect, used: false, counts: any }
}

/// Read by mpguard as well.
const fn read(name: &'static str, counts: fn(&str) -> bool, effect: &'static str) -> Row {
    Row { name, effect, used: true, counts }
}

fn any(_: &str) -> bool {
    true
}

const ENDPOINT_OF_A_SERVICE: &str = "sends the calls of one service to another server";
const PROXY: &str = "sends calls through a proxy, which sees their addresses";
const PROFILE: &str =
    "brings in a profile: another endpoint, other credentials, or a command that gives them";
const ROOTS: &str = "replaces the authorities that servers are trusted by";
const KEYS: &str = "signs as whoever these keys belong to";
const REGION: &str = "becomes part of a host name, and it is not a Region's name";

/// The table. Where nothing else is said its source is [AC §7.2], which was read off the Rust SDK.
const TABLE: &[Row] = &[
    ignored("AWS_ENDPOINT_URL", "sends every call to another server"),
    ignored(
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "switches other servers off, but not for the STS of a web identity",
    ),
    ignored(
        "SMITHY_CLIENT_SDK_CUSTOM_PARTITION",
        "replaces the table of AWS's host names, also for clients that are built by hand",
    ),
    ignored("AWS_CONFIG_FILE", PROFILE),
    ignored("AWS_SHARED_CREDENTIALS_FILE", PROFILE),
    ignored("AWS_PROFILE", PROFILE),
    // Source: botocore 1.x, `configprovider.py`: read before `AWS_PROFILE`.
    ignored("AWS_DEFAULT_PROFILE", PROFILE),
    // Source: botocore 1.x, `configprovider.py`: where service models and endpoint rules are read from.
    ignored("AWS_DATA_PATH", "replaces the tables of services and endpoints"),
    ignored("AWS_USE_FIPS_ENDPOINT", "chooses other hosts"),
    ignored("AWS_USE_DUALSTACK_ENDPOINT", "chooses other hosts"),
    ignored("AWS_CA_BUNDLE", ROOTS),
    ignored("SSL_CERT_FILE", ROOTS),
    ignored("SSL_CERT_DIR", ROOTS),
    // Source: botocore 1.x, `endpoint.py`.
    ignored("REQUESTS_CA_BUNDLE", ROOTS),
    ignored("NODE_EXTRA_CA_CERTS", "adds authorities that Node trusts servers by"),
    // Source: Node.js documentation, command-line options.
    ignored("NODE_TLS_REJECT_UNAUTHORIZED", "can make Node trust every server"),
    // Source: botocore 1.x, `httpsession.py`.
    ignored("SSLKEYLOGFILE", "writes down keys by which recorded traffic can be read"),
    ignored("HTTP_PROXY", PROXY),
    ignored("http_proxy", PROXY),
    read("HTTPS_PROXY", any, PROXY),
    read("https_proxy", any, PROXY),
    read("ALL_PROXY", any, PROXY),
    read("all_proxy", any, PROXY),
    read("NO_PROXY", any, "names hosts that are reached without a proxy"),
    read("no_proxy", any, "names hosts that are reached without a proxy"),
    ignored("AWS_ACCESS_KEY_ID", KEYS),
    ignored("AWS_SECRET_ACCESS_KEY", KEYS),
    ignored("AWS_SESSION_TOKEN", KEYS),
    ignored("AWS_ACCOUNT_ID", "names the account of static keys"),
    ignored("AWS_ACCOUNT_ID_ENDPOINT_MODE", "can put an account's number into host names"),
    read(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        |value| !is_pod_identity(value),
        "takes credentials from another server than EKS Pod Identity's",
    ),
    read(
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        |value| !value.starts_with('/'),
        "takes credentials from a path that is none",
    ),
    ignored(
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "is sent to whoever is asked for credentials, and stands in the environment for all to read",
    ),
    read(
        "ECS_CONTAINER_METADATA_URI_V4",
        |value| !is_on_ecs(value),
        "takes the task's name and Region from another server than ECS's",
    ),
    ignored(
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        "takes Region and credentials from another server",
    ),
    ignored("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "asks for Region and credentials elsewhere"),
    read("AWS_EC2_METADATA_DISABLED", any, "switches instance metadata off"),
    read("AWS_REGION", |value| !is_named_region(value), REGION),
    read("AWS_DEFAULT_REGION", |value| !is_named_region(value), REGION),
    ignored("AWS_MAX_ATTEMPTS", "changes how often a call is tried; `0` ends a Rust program"),
    ignored(
        "AWS_RETRY_MODE",
        "changes how a call is tried again; an unknown value ends a Rust program",
    ),
    ignored("AWS_NEW_RETRIES_2026", "changes how a call is tried again"),
    ignored("AWS_DISABLE_CLOCK_SKEW_CORRECTION", "lets a wrong clock fail every call"),
    ignored("AWS_SIGV4A_SIGNING_REGION_SET", "changes how calls are signed"),
    ignored("AWS_AUTH_SCHEME_PREFERENCE", "changes how calls are signed"),
    ignored("AWS_LOGIN_CACHE_DIRECTORY", "takes credentials from a folder"),
    ignored("LOG_SENSITIVE_BODIES", "writes what AWS answers into logs, tokens included"),
    // What runs in our own process is beyond a library. Its root is the buyer's in any case.
    ignored(
        "LD_PRELOAD",
        "loads a library into every program, this one too: it can change anything",
    ),
    ignored("LD_AUDIT", "loads a library into every program, this one too: it can change anything"),
    ignored("PYTHONPATH", "can put other modules before a Python program's own"),
    ignored("NODE_OPTIONS", "can load other modules into a Node program"),
];

/// Variables that begin with this name a server for one service, whichever that is.
const OF_A_SERVICE: &str = "AWS_ENDPOINT_URL_";

/// Other letters are in no service's name, and somebody's terminal will show this one.
fn is_of_a_service(name: &str) -> bool {
    let service = name.strip_prefix(OF_A_SERVICE);
    service
        .is_some_and(|s| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}

/// Those of `environment` that somebody should know of: the table's order, then by name.
pub(super) fn present(environment: &[(OsString, OsString)]) -> Vec<Variable> {
    let set = |name: &str| environment.iter().find(|(n, _)| n == name).map(|(_, value)| value);
    let of_table = TABLE.iter().filter_map(|row| {
        let value = text(set(row.name)?)?;
        (row.counts)(&value).then(|| Variable {
            name: row.name.to_owned(),
            effect_elsewhere: row.effect,
            used: row.used,
        })
    });
    let mut of_services: Vec<Variable> = environment
        .iter()
        .filter(|(_, value)| text(value).is_some())
        .filter_map(|(name, _)| name.to_str().filter(|name| is_of_a_service(name)))
        .map(|name| Variable {
            name: name.to_owned(),
            effect_elsewhere: ENDPOINT_OF_A_SERVICE,
            used: false,
        })
        .collect();
    of_services.sort_by(|a, b| a.name.cmp(&b.name));
    of_table.chain(of_services).collect()
}

/// The text of `value`, if there is any: an empty value is how a manifest unsets a variable.
///
/// A value that is no UTF-8 is not unset. What cannot be read of it becomes U+FFFD, which no check lets pass.
pub(super) fn text(value: &OsStr) -> Option<String> {
    Some(value.to_string_lossy().into_owned()).filter(|value| !value.trim().is_empty())
}

/// The default files in `home` that are there. Source: AWS SDKs and Tools reference guide, shared files.
pub(super) fn files(home: &std::path::Path) -> Vec<File> {
    let file = |name: &str| File { path: home.join(".aws").join(name), effect_elsewhere: PROFILE };
    let named = [file("config"), file("credentials")];
    named.into_iter().filter(|file| file.path.symlink_metadata().is_ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    fn names(variables: &[(&str, &str)]) -> Vec<String> {
        present(&environment(variables)).into_iter().map(|variable| variable.name).collect()
    }

    /// Every variable that issue 5 names as an attack, with a value that is one. T67.
    #[test]
    fn every_variable_that_attacks_is_named() {
        let attacks = [
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("AWS_ENDPOINT_URL_LICENSE_MANAGER", "http://127.0.0.1:1"),
            ("AWS_ENDPOINT_URL_MARKETPLACE_METERING", "http://127.0.0.1:1"),
            ("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1"),
            ("AWS_ENDPOINT_URL_SOMETHING_NEW", "http://127.0.0.1:1"),
            ("AWS_CONFIG_FILE", "/tmp/config"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/tmp/credentials"),
            ("AWS_PROFILE", "evil"),
            ("SSL_CERT_FILE", "/tmp/ca.pem"),
            ("SSL_CERT_DIR", "/tmp"),
            ("AWS_CA_BUNDLE", "/tmp/ca.pem"),
            ("HTTP_PROXY", "http://127.0.0.1:1"),
            ("https_proxy", "http://127.0.0.1:1"),
            ("ALL_PROXY", "http://127.0.0.1:1"),
            ("SMITHY_CLIENT_SDK_CUSTOM_PARTITION", "/tmp/partitions.json"),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1"),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6"),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/v1/credentials"),
            ("ECS_CONTAINER_METADATA_URI_V4", "http://127.0.0.1:1/v4/x"),
            ("AWS_REGION", "a.b"),
            ("AWS_DEFAULT_REGION", "evil.example/#"),
            ("AWS_MAX_ATTEMPTS", "0"),
            ("AWS_RETRY_MODE", "x"),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("LD_PRELOAD", "/tmp/liar.so"),
        ];
        let mut named = names(&attacks);
        named.sort();
        let mut expected: Vec<&str> = attacks.iter().map(|(name, _)| *name).collect();
        expected.sort_unstable();
        assert_eq!(named, expected);
    }

    #[test]
    fn what_a_platform_sets_by_itself_is_not_named() {
        let ecs = [
            ("AWS_REGION", "eu-west-1"),
            ("AWS_DEFAULT_REGION", "eu-west-1"),
            ("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE"),
            ("ECS_CONTAINER_METADATA_URI_V4", "http://169.254.170.2/v4/abc"),
            ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/abc"),
        ];
        assert_eq!(names(&ecs), Vec::<String>::new());
        let eks = [
            ("AWS_REGION", "us-gov-west-1"),
            ("AWS_STS_REGIONAL_ENDPOINTS", "regional"),
            ("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/app"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "/token"),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/token"),
        ];
        assert_eq!(names(&eks), Vec::<String>::new());
        let harmless = [
            ("AWS_ENDPOINT_URL", " "),
            ("AWS_ENDPOINT_URL_STS", ""),
            ("AWS_ENDPOINT_URL_\x1b[2J", "x"),
        ];
        assert_eq!(names(&harmless), Vec::<String>::new());
    }

    /// A variable's value may be a secret, a password of a proxy for example.
    #[test]
    fn no_value_is_kept() {
        let secret = "hunter2";
        let all: Vec<(&str, &str)> = TABLE.iter().map(|row| (row.name, secret)).collect();
        let named = present(&environment(&all));
        assert_eq!(named.len(), TABLE.len(), "no row lets `{secret}` pass for a platform's value");
        assert!(!format!("{named:?}").contains(secret));
    }

    #[test]
    fn a_row_stands_once_and_reads_as_a_clause() {
        for row in TABLE {
            assert_eq!(TABLE.iter().filter(|other| other.name == row.name).count(), 1);
            assert!(row.effect.starts_with(|c: char| c.is_ascii_lowercase()), "{}", row.name);
            assert!(!row.effect.ends_with('.'), "{}", row.name);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_no_text_is_not_unset() {
        use std::os::unix::ffi::OsStringExt;
        let odd = |name: &str| (OsString::from(name), OsString::from_vec(b"eu-west-1\xff".into()));
        let named = present(&[odd("AWS_REGION"), odd("AWS_PROFILE"), odd("AWS_ENDPOINT_URL_STS")]);
        let names: Vec<&str> = named.iter().map(|variable| variable.name.as_str()).collect();
        assert_eq!(names, ["AWS_PROFILE", "AWS_REGION", "AWS_ENDPOINT_URL_STS"]);
    }

    #[test]
    fn default_files_are_named_when_they_are_there() {
        let home = std::env::temp_dir().join(format!("mpguard-{}-home", std::process::id()));
        std::fs::create_dir_all(home.join(".aws")).expect("a temporary folder");
        assert_eq!(files(&home), []);
        std::fs::write(home.join(".aws/credentials"), "").expect("a temporary file");
        let found = files(&home);
        std::fs::remove_dir_all(&home).expect("it is there");
        assert_eq!(found.len(), 1);
        assert!(found[0].path.ends_with(".aws/credentials"));
    }
}
