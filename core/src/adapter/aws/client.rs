//! SDK clients with every setting made by hand, so that no variable or file of the container has a say.
//!
//! [AC §7.3] lists what the SDK's own loader would listen to; docs/decisions/0001-aws-sdk.md says why each
//! setting is here. Nothing is retried inside: machines decide that, and each attempt ends by itself.

use super::{
    Now,
    credentials::Cached,
    endpoint::{Endpoints, Fixed, Service},
    http::Wire,
    lenient::Lenient,
    region::Region,
    veil::Veil,
};
use aws_config::{
    BehaviorVersion, SdkConfig, identity::IdentityCache, retry::RetryConfig,
    stalled_stream_protection::StalledStreamProtectionConfig, timeout::TimeoutConfig,
};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::{
    rt::sleep::{SharedAsyncSleep, TokioSleep},
    time::{SharedTimeSource, SystemTimeSource, TimeSource},
};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        http::SharedHttpClient,
        interceptors::{Intercept, context::BeforeDeserializationInterceptorContextRef},
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    time::{Duration, SystemTime},
};

/// What every client shares.
pub(super) struct Clients {
    pub(super) endpoints: Endpoints,
    pub(super) wire: SharedHttpClient,
    pub(super) now: Now,
    pub(super) credentials: Cached,
    pub(super) custom_partition: Option<PathBuf>,
}

impl Clients {
    /// For a guard that talks to `endpoints` over `wire`.
    pub(super) fn new(
        endpoints: Endpoints,
        wire: Wire,
        now: Now,
        credentials: Cached,
        custom_partition: Option<PathBuf>,
    ) -> Clients {
        Clients { endpoints, wire: SharedHttpClient::new(wire), now, credentials, custom_partition }
    }

    /// A client of AWS Marketplace Metering.
    pub(super) fn metering(
        &self,
        region: &Region,
    ) -> Result<aws_sdk_marketplacemetering::Client, String> {
        let (config, endpoint) = self.config(Service::Metering, region)?;
        self.fenced(|| {
            let builder = aws_sdk_marketplacemetering::config::Builder::from(&config)
                .endpoint_resolver(endpoint)
                .interceptor(Spoken)
                .interceptor(self.veil());
            aws_sdk_marketplacemetering::Client::from_conf(builder.build())
        })
    }

    /// A client of License Manager.
    pub(super) fn licensing(
        &self,
        region: &Region,
    ) -> Result<aws_sdk_licensemanager::Client, String> {
        let (config, endpoint) = self.config(Service::Licensing, region)?;
        self.fenced(|| {
            let builder = aws_sdk_licensemanager::config::Builder::from(&config)
                .endpoint_resolver(endpoint)
                .interceptor(Lenient)
                .interceptor(self.veil());
            aws_sdk_licensemanager::Client::from_conf(builder.build())
        })
    }

    /// A client of License Manager that signs nothing: `GetAccessToken` takes callers without credentials.
    pub(super) fn anonymous(
        &self,
        region: &Region,
    ) -> Result<aws_sdk_licensemanager::Client, String> {
        let (config, endpoint) = self.config(Service::Licensing, region)?;
        let mut config = config.into_builder();
        config.set_credentials_provider(None);
        let config = config.build();
        self.fenced(|| {
            let builder = aws_sdk_licensemanager::config::Builder::from(&config)
                .endpoint_resolver(endpoint)
                .allow_no_auth()
                .interceptor(Lenient)
                .interceptor(self.veil());
            aws_sdk_licensemanager::Client::from_conf(builder.build())
        })
    }

    /// A client of the Security Token Service.
    pub(super) fn tokens(&self, region: &Region) -> Result<aws_sdk_sts::Client, String> {
        let (config, endpoint) = self.config(Service::Tokens, region)?;
        self.fenced(|| {
            let builder = aws_sdk_sts::config::Builder::from(&config).interceptor(self.veil());
            aws_sdk_sts::Client::from_conf(builder.endpoint_resolver(endpoint).build())
        })
    }

    fn veil(&self) -> Veil {
        Veil(self.credentials.clone())
    }

    fn config(&self, service: Service, region: &Region) -> Result<(SdkConfig, Fixed), String> {
        let url = self.endpoints.url(service, region).ok_or_else(|| {
            format!(
                "cannot call AWS in Region {region}: it is in a partition that mpguard does not know; use a newer version"
            )
        })?;
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(aws_config::Region::new(region.name().to_owned()))
            // Said twice: the URL keeps the SDK from looking for another one, the resolver ignores all.
            .endpoint_url(url.clone())
            .use_fips(false)
            .use_dual_stack(false)
            .credentials_provider(SharedCredentialsProvider::new(self.credentials.clone()))
            .identity_cache(IdentityCache::no_cache())
            .http_client(self.wire.clone())
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .time_source(self.time())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        Ok((config, Fixed(url)))
    }

    /// In a sandbox signatures follow the virtual clock. In production they follow this computer's, which the
    /// SDK corrects by itself: the guard's clock is corrected already, and twice would be wrong.
    fn time(&self) -> SharedTimeSource {
        match self.endpoints {
            Endpoints::Sandbox(_) => SharedTimeSource::new(GuardTime(self.now.clone())),
            Endpoints::Production(_) => SharedTimeSource::new(SystemTimeSource::new()),
        }
    }

    /// Runs `make`, which may panic inside the SDK: it opens the file that a variable names.
    fn fenced<C>(&self, make: impl FnOnce() -> C) -> Result<C, String> {
        if let Some(path) = &self.custom_partition {
            let readable = std::fs::read(path)
                .ok()
                .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
            if readable.is_none() {
                return Err(self.partition_text());
            }
        }
        catch_unwind(AssertUnwindSafe(make)).map_err(|_| self.partition_text())
    }

    fn partition_text(&self) -> String {
        format!(
            "cannot set up the AWS SDK: it cannot read `{}`, the file that SMITHY_CLIENT_SDK_CUSTOM_PARTITION names; \
             unset that variable",
            self.custom_partition.as_deref().unwrap_or(std::path::Path::new("")).display()
        )
    }
}

/// One attempt: connecting, sending, and reading the whole answer.
///
/// Source: Containers Anywhere sample of the Seller Guide: 10 s per attempt.
pub(super) const ATTEMPT: Duration = Duration::from_secs(10);

/// The SDK's own defaults wait for ever on a silent server. [`http`](super::http) bounds the steps of connecting
/// by itself.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(super::http::CONNECT)
        .read_timeout(ATTEMPT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(Duration::from_secs(12))
        .build()
}

/// Takes a 200 without a body for no answer at all.
///
/// The SDK reads it as an answer without members, and for a dry run that would be a yes.
#[derive(Debug)]
struct Spoken;

impl Intercept for Spoken {
    fn name(&self) -> &'static str {
        "Spoken"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // `Wire` has read the body whole.
        match context.response().body().bytes() {
            Some([]) if context.response().status().is_success() => {
                Err("the answer is empty".into())
            }
            _ => Ok(()),
        }
    }
}

/// The guard's clock as the SDK asks for it.
struct GuardTime(Now);

impl TimeSource for GuardTime {
    fn now(&self) -> SystemTime {
        let ms = (self.0)().0;
        SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(ms).unwrap_or(0))
    }
}

impl fmt::Debug for GuardTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GuardTime")
    }
}
