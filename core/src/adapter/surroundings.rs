//! What the platform tells a container through its environment, read once.
//!
//! The only place of the core that reads the process environment. Nothing in here can move a call to
//! another server: addresses are compared with AWS's link-local ones before use, Regions are validated.

use std::path::PathBuf;

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
    /// `AWS_ACCESS_KEY_ID` is set: named in texts, never used.
    pub static_keys: bool,
    /// `AWS_PROFILE` is set: named in texts, never used.
    pub profile: bool,
    /// `HTTPS_PROXY`, read only for `proxy = environment`.
    pub https_proxy: Option<String>,
    /// `NO_PROXY`, read only for `proxy = environment`.
    pub no_proxy: Option<String>,
    /// `KUBERNETES_SERVICE_HOST` is set.
    pub kubernetes: bool,
    /// `SMITHY_CLIENT_SDK_CUSTOM_PARTITION`, which the SDK opens when its first client is made.
    ///
    /// It cannot redirect our clients, whose endpoints are fixed, but a file that cannot be read makes
    /// the SDK panic; we look first.
    pub custom_partition: Option<PathBuf>,
}

impl Surroundings {
    /// Reads the environment of this process. Call it on the thread that starts the guard.
    #[must_use]
    pub(crate) fn read() -> Surroundings {
        Surroundings::from(&|name| std::env::var(name).ok())
    }

    /// What a guard in a sandbox knows of its environment: nothing, but what the SDK would trip over.
    #[must_use]
    pub(crate) fn sandboxed(self) -> Surroundings {
        Surroundings { custom_partition: self.custom_partition, ..Surroundings::default() }
    }

    fn from(lookup: &dyn Fn(&str) -> Option<String>) -> Surroundings {
        // An empty value is how a manifest unsets a variable.
        let text = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let either = |upper: &str| text(upper).or_else(|| text(&upper.to_ascii_lowercase()));
        Surroundings {
            region: text("AWS_REGION"),
            default_region: text("AWS_DEFAULT_REGION"),
            ecs_metadata: text("ECS_CONTAINER_METADATA_URI_V4"),
            ecs_credentials: text("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
            pod_identity: text("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
            pod_identity_token: text("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").map(PathBuf::from),
            web_identity_token: text("AWS_WEB_IDENTITY_TOKEN_FILE").map(PathBuf::from),
            role_arn: text("AWS_ROLE_ARN"),
            license_token: text("AWS_WEB_IDENTITY_REFRESH_TOKEN_FILE")
                .or_else(|| text("AWS_LICENSE_ACCESS_FILE"))
                .map(PathBuf::from),
            role_session_name: text("AWS_ROLE_SESSION_NAME"),
            instance_metadata_disabled: text("AWS_EC2_METADATA_DISABLED")
                .is_some_and(|value| value.eq_ignore_ascii_case("true")),
            static_keys: text("AWS_ACCESS_KEY_ID").is_some(),
            profile: text("AWS_PROFILE").is_some(),
            https_proxy: either("HTTPS_PROXY"),
            no_proxy: either("NO_PROXY"),
            kubernetes: text("KUBERNETES_SERVICE_HOST").is_some(),
            custom_partition: text("SMITHY_CLIENT_SDK_CUSTOM_PARTITION").map(PathBuf::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Surroundings {
        Surroundings::from(&|name| {
            variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let there = with(&[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "eu-west-1")]);
        assert_eq!(there.region, None);
        assert_eq!(there.default_region.as_deref(), Some("eu-west-1"));
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
