//! What the platform tells a container through its environment, read once.
//!
//! The only place of the core that reads the process environment. Nothing in here can move a call to
//! another server: addresses are compared with AWS's link-local ones before use, Regions are validated.

mod variables;

use super::aws::{is_named_region, is_on_ecs, is_pod_identity};
use crate::model::secret::Secret;
use std::{ffi::OsString, path::PathBuf};
use variables::text;
pub(crate) use variables::{File, Variable};

/// The variables that ECS, EKS and the buyer's network set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Surroundings {
    /// `AWS_REGION`.
    pub region: Option<String>,
    /// `AWS_DEFAULT_REGION`.
    pub default_region: Option<String>,
    /// `ECS_CONTAINER_METADATA_URI_V4`.
    pub ecs_metadata: Option<String>,
    /// `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`: the ECS task role.
    pub ecs_credentials: Option<String>,
    /// `AWS_CONTAINER_CREDENTIALS_FULL_URI`: EKS Pod Identity.
    pub pod_identity: Option<String>,
    /// `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`: the token of EKS Pod Identity.
    pub pod_identity_token: Option<PathBuf>,
    /// `AWS_WEB_IDENTITY_TOKEN_FILE`: the token of an IAM role for service accounts.
    pub web_identity_token: Option<PathBuf>,
    /// `AWS_ROLE_ARN`: the role of an IAM role for service accounts.
    pub role_arn: Option<String>,
    /// `AWS_WEB_IDENTITY_REFRESH_TOKEN_FILE`, or `AWS_LICENSE_ACCESS_FILE`: the refresh token of a license, by
    /// which a container outside AWS gets its role. AWS's samples use both names. [AC §5.2, Q33]
    pub license_token: Option<PathBuf>,
    /// `AWS_ROLE_SESSION_NAME`, for the role of a license token.
    pub role_session_name: Option<String>,
    /// `AWS_EC2_METADATA_DISABLED` is `true`.
    pub instance_metadata_disabled: bool,
    /// `AWS_EXECUTION_ENV`: what ECS says of itself.
    pub execution_env: Option<String>,
    /// `AWS_ACCESS_KEY_ID` is set: named in texts, never used.
    pub static_keys: bool,
    /// `AWS_PROFILE`, or a file of profiles, is set: named in texts, never used.
    pub profile: bool,
    /// `HOME`, where AWS's SDKs look for files of profiles.
    pub home: Option<PathBuf>,
    /// `HTTPS_PROXY`, read only for `proxy = environment`.
    pub https_proxy: Option<Secret>,
    /// `ALL_PROXY`, read only for `proxy = environment` and where there is no `HTTPS_PROXY`.
    pub all_proxy: Option<Secret>,
    /// `NO_PROXY`, read only for `proxy = environment`.
    pub no_proxy: Option<String>,
    /// `KUBERNETES_SERVICE_HOST` is set.
    pub kubernetes: bool,
    /// `SMITHY_CLIENT_SDK_CUSTOM_PARTITION`, which the SDK opens when its first client is made.
    ///
    /// It cannot redirect our clients, whose endpoints are fixed, but a file that cannot be read makes
    /// the SDK panic; we look first.
    pub custom_partition: Option<PathBuf>,
    /// What `present` tells.
    pub named: Vec<Variable>,
}

impl Surroundings {
    /// Reads the environment of this process. Call it on the thread that starts the guard.
    #[must_use]
    pub(crate) fn read() -> Surroundings {
        Surroundings::from(&std::env::vars_os().collect::<Vec<_>>())
    }

    /// What is set, and would redirect or weaken a program that is made with an AWS SDK.
    pub(crate) fn present(&self) -> &[Variable] {
        &self.named
    }

    /// The files of AWS's SDKs that are there although no variable names them.
    pub(crate) fn files(&self) -> Vec<File> {
        self.home.as_deref().map(variables::files).unwrap_or_default()
    }

    /// What a guard in a sandbox knows of its environment: nothing, but what the SDK would trip over.
    #[must_use]
    pub(crate) fn sandboxed(self) -> Surroundings {
        Surroundings { custom_partition: self.custom_partition, ..Surroundings::default() }
    }

    fn from(environment: &[(OsString, OsString)]) -> Surroundings {
        let set = |name: &str| {
            let set = environment.iter().find(|(n, _)| n == name).map(|(_, value)| value);
            set.filter(|value| text(value).is_some())
        };
        let text = |name: &str| set(name).and_then(|value| text(value));
        // A path need not be UTF-8.
        let path = |name: &str| set(name).map(PathBuf::from);
        let either = |upper: &str| text(upper).or_else(|| text(&upper.to_ascii_lowercase()));
        Surroundings {
            region: text("AWS_REGION"),
            default_region: text("AWS_DEFAULT_REGION"),
            ecs_metadata: text("ECS_CONTAINER_METADATA_URI_V4"),
            ecs_credentials: text("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
            pod_identity: text("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
            pod_identity_token: path("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
            web_identity_token: path("AWS_WEB_IDENTITY_TOKEN_FILE"),
            role_arn: text("AWS_ROLE_ARN"),
            license_token: path("AWS_WEB_IDENTITY_REFRESH_TOKEN_FILE")
                .or_else(|| path("AWS_LICENSE_ACCESS_FILE")),
            role_session_name: text("AWS_ROLE_SESSION_NAME"),
            instance_metadata_disabled: text("AWS_EC2_METADATA_DISABLED")
                .is_some_and(|value| value.eq_ignore_ascii_case("true")),
            execution_env: text("AWS_EXECUTION_ENV"),
            static_keys: text("AWS_ACCESS_KEY_ID").is_some(),
            profile: [
                "AWS_PROFILE",
                "AWS_DEFAULT_PROFILE",
                "AWS_CONFIG_FILE",
                "AWS_SHARED_CREDENTIALS_FILE",
            ]
            .into_iter()
            .any(|name| text(name).is_some()),
            home: path("HOME"),
            // Each may hold a password.
            https_proxy: either("HTTPS_PROXY").map(Secret::from),
            all_proxy: either("ALL_PROXY").map(Secret::from),
            no_proxy: either("NO_PROXY"),
            kubernetes: text("KUBERNETES_SERVICE_HOST").is_some(),
            custom_partition: path("SMITHY_CLIENT_SDK_CUSTOM_PARTITION"),
            named: variables::present(environment),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Surroundings {
        let set = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        Surroundings::from(&set.collect::<Vec<_>>())
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let there = with(&[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "eu-west-1")]);
        assert_eq!(there.region, None);
        assert_eq!(there.default_region.as_deref(), Some("eu-west-1"));
    }

    /// A value that nobody can read must not look like one that nobody has set: the next source would win.
    #[cfg(unix)]
    #[test]
    fn a_value_that_is_no_text_is_set_and_no_check_lets_it_pass() {
        use std::os::unix::ffi::OsStringExt;
        let odd = |value: &[u8]| OsString::from_vec([value, b"\xff"].concat());
        let there = Surroundings::from(&[
            ("AWS_REGION".into(), odd(b"eu-west-1")),
            ("AWS_DEFAULT_REGION".into(), "eu-west-2".into()),
            ("ECS_CONTAINER_METADATA_URI_V4".into(), odd(b"http://169.254.170.2/v4/abc")),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI".into(), odd(b"http://169.254.170.23/v1")),
            ("AWS_WEB_IDENTITY_TOKEN_FILE".into(), odd(b"/token")),
            ("AWS_ACCESS_KEY_ID".into(), odd(b"A")),
            ("AWS_PROFILE".into(), odd(b"p")),
        ]);
        assert!(!is_named_region(&there.region.expect("it is set")));
        assert!(!is_on_ecs(&there.ecs_metadata.expect("it is set")));
        assert!(!is_pod_identity(&there.pod_identity.expect("it is set")));
        assert!(there.static_keys && there.profile);
        // A path is bytes, and this one may be there.
        assert_eq!(there.web_identity_token, Some(odd(b"/token").into()));
    }

    #[test]
    fn a_license_token_is_named_by_either_variable_and_the_helm_samples_wins() {
        let there = with(&[("AWS_LICENSE_ACCESS_FILE", "/go")]);
        assert_eq!(there.license_token, Some("/go".into()));
        let both =
            [("AWS_LICENSE_ACCESS_FILE", "/go"), ("AWS_WEB_IDENTITY_REFRESH_TOKEN_FILE", "/helm")];
        assert_eq!(with(&both).license_token, Some("/helm".into()));
        let emptied =
            [("AWS_LICENSE_ACCESS_FILE", "/go"), ("AWS_WEB_IDENTITY_REFRESH_TOKEN_FILE", " ")];
        assert_eq!(with(&emptied).license_token, Some("/go".into()));
    }

    #[test]
    fn a_proxy_is_read_in_both_spellings_and_upper_case_wins() {
        assert_eq!(
            with(&[("https_proxy", "http://a:1")]).https_proxy.as_deref(),
            Some("http://a:1")
        );
        let both = with(&[("https_proxy", "http://a:1"), ("HTTPS_PROXY", "http://b:1")]);
        assert_eq!(both.https_proxy.as_deref(), Some("http://b:1"));
    }

    #[test]
    fn a_sandbox_leaves_no_variable_in_effect() {
        let there = with(&[
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ROLE_ARN", "arn:aws:iam::1:role/x"),
            ("AWS_LICENSE_ACCESS_FILE", "/license"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "/token"),
            ("HTTPS_PROXY", "http://proxy:3128"),
        ]);
        assert_ne!(there, Surroundings::default());
        assert_eq!(there.sandboxed(), Surroundings::default());
    }
}
