//! Everything that speaks AWS's wire.
//!
//! | file | idea |
//! | --- | --- |
//! | `region`, `endpoint` | where to call |
//! | `identity`, `link_local` | who we are |
//! | `credentials`, `claims` | who signs |
//! | `http`, `plain` | how bytes travel |
//! | `client` | SDK clients that listen to no variable |
//! | `lenient` | answers that are not quite what the model says |
//! | `metering`, `licensing` | the calls |
//! | `decimal` | quantities that the SDK has no member for |
//! | `exceptions` | what the answers mean; the only file that knows AWS's names for them |
//! | `signature` | the one signed answer |
//! | `server_time` | AWS's clock |

mod claims;
mod client;
mod credentials;
mod dates;
mod decimal;
mod endpoint;
mod exceptions;
pub(crate) mod http;
mod identity;
mod lenient;
mod licensing;
mod link_local;
mod metering;
pub(crate) mod plain;
mod region;
pub(crate) mod server_time;
pub(crate) mod signature;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use crate::{
    adapter::{sandbox_address::sandbox_address, surroundings::Surroundings},
    model::{
        ids::{ClientToken, ConsumptionToken, EntitlementName, Identity, ProductCode},
        key::PublicKey,
        license::Entitlement,
        outcome::{
            CheckedIn, CheckedOut, Consumption, Details, Drawn, Failure, FailureClass, Permitted,
            Registered, Sent, Tiers,
        },
        time::Timestamp,
        usage::Record,
    },
    port::{
        cloud::{Call, Cloud, CloudSettings, UsageProbe},
        entropy::Entropy,
    },
};
use client::Clients;
use credentials::{Cached, Missing, Source, anywhere::Access};
use endpoint::Endpoints;
use exceptions::{Reading, SdkFailure};
use http::{Proxy, Wire};
use identity::{Found, Search};
use link_local::LinkLocal;
use once_cell::unsync::OnceCell;
use region::Region;
pub(crate) use server_time::ServerTime;
use std::{cell::RefCell, net::SocketAddr, rc::Rc, sync::Arc};
use tokio::sync::Mutex;

/// The instant by the guard's clock, for signatures and expiries.
pub(crate) type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// AWS, or a sandbox of it.
pub(crate) struct AwsCloud(Rc<Inner>);

impl AwsCloud {
    /// For one guard. Nothing is connected, read or built before the first call; `server_time` learns from
    /// the answers.
    pub(crate) fn new(
        settings: CloudSettings,
        surroundings: Surroundings,
        now: Now,
        entropy: Arc<dyn Entropy>,
        server_time: Arc<ServerTime>,
    ) -> AwsCloud {
        let sandbox = settings.sandbox.as_deref().and_then(sandbox_address);
        let link_local = match &sandbox {
            Some((address, task)) => LinkLocal::of_sandbox(*address, task),
            None => LinkLocal::default(),
        };
        AwsCloud::beside(settings, surroundings, now, entropy, server_time, link_local)
    }

    fn beside(
        settings: CloudSettings,
        surroundings: Surroundings,
        now: Now,
        entropy: Arc<dyn Entropy>,
        server_time: Arc<ServerTime>,
        link_local: LinkLocal,
    ) -> AwsCloud {
        let there =
            if settings.sandbox.is_some() { surroundings.sandboxed() } else { surroundings };
        AwsCloud(Rc::new(Inner {
            endpoints: Endpoints::of(settings.sandbox.as_deref()),
            settings,
            there,
            link_local,
            now,
            entropy,
            server_time,
            found: Mutex::default(),
            credentials: Cached::default(),
            access: Access::default(),
            renewing: Mutex::default(),
            clients: OnceCell::new(),
            metering: OnceCell::new(),
            licensing: RefCell::default(),
        }))
    }

    fn call<T: 'static>(&self, call: impl AsyncFnOnce(&Inner) -> T + 'static) -> Call<T> {
        let inner = self.0.clone();
        Box::pin(async move { call(&inner).await })
    }
}

/// What all calls share.
struct Inner {
    settings: CloudSettings,
    there: Surroundings,
    link_local: LinkLocal,
    now: Now,
    entropy: Arc<dyn Entropy>,
    server_time: Arc<ServerTime>,
    endpoints: Endpoints,
    found: Mutex<Option<Found>>,
    credentials: Cached,
    /// What a license token has given so far.
    access: Access,
    /// Held while credentials are fetched, so that two calls fetch them once.
    renewing: Mutex<()>,
    clients: OnceCell<Clients>,
    metering: OnceCell<aws_sdk_marketplacemetering::Client>,
    /// License Manager, in the Region that has served us last.
    licensing: RefCell<Option<(Region, aws_sdk_licensemanager::Client)>>,
}

impl Inner {
    /// Finds out who we are, once; a failure is asked again next time.
    async fn found(&self) -> Result<Found, String> {
        let mut found = self.found.lock().await;
        if found.is_none() {
            let random = match self.entropy.seed() {
                Ok(seed) => signature::nonce(&seed),
                Err(why) => return Err(format!("no randomness: {why}")),
            };
            let search = Search {
                there: &self.there,
                link_local: &self.link_local,
                sandbox: self.sandbox()?,
                metering: self.settings.metering,
                random: &random,
            };
            *found = Some(search.run().await?);
        }
        found.clone().ok_or_else(|| "no identity".to_owned())
    }

    /// Address and task path of the sandbox.
    fn sandbox(&self) -> Result<Option<(SocketAddr, String)>, String> {
        let Some(url) = self.settings.sandbox.as_deref() else {
            return Ok(None);
        };
        sandbox_address(url)
            .map(Some)
            .ok_or_else(|| format!("cannot use sandbox `{url}`: give a loopback address and port"))
    }

    /// Sees to fresh credentials. Old ones serve on while they last and new ones cannot be had.
    async fn renew(&self) -> Result<(), Missing> {
        if self.credentials.fresh((self.now)()) {
            return Ok(());
        }
        let _renewing = self.renewing.lock().await;
        if self.credentials.fresh((self.now)()) {
            return Ok(());
        }
        // A sandbox task plays a platform, and what it is decides who signs.
        let sandbox = match self.sandbox()? {
            Some((address, task)) => Some((address, task, self.found().await?)),
            None => None,
        };
        let source = Source::find(&self.there, sandbox, self.settings.metering, &self.link_local)?;
        match credentials::ask(self, &source).await {
            Ok(given) => {
                self.credentials.put(Some(given));
                Ok(())
            }
            Err(_) if self.credentials.serve((self.now)()) => {
                self.credentials.be_patient();
                Ok(())
            }
            Err(missing) => Err(missing),
        }
    }

    /// Region and credentials, side by side; what is missing is a call that was not sent.
    async fn ready(&self, operation: &'static str, about: &str) -> Result<Region, Failure> {
        let found = async { self.found().await.map_err(Missing::from) };
        match tokio::try_join!(found, self.renew()) {
            Ok((found, ())) => Ok(found.region),
            Err(Missing { class, text }) => Err(Failure {
                class,
                text: format!("{operation} for {about} was not sent: {text}"),
            }),
        }
    }

    fn clients(&self) -> Result<&Clients, String> {
        self.clients.get_or_try_init(|| {
            let wire = match &self.endpoints {
                Endpoints::Sandbox(_) => Wire::plain(),
                Endpoints::Production => Wire::tls(
                    self.settings.extra_ca_pem.as_deref(),
                    &self.proxy(),
                    self.server_time.clone(),
                )?,
            };
            Ok(Clients::new(
                self.endpoints.clone(),
                wire,
                self.now.clone(),
                self.credentials.clone(),
                self.there.custom_partition.clone(),
            ))
        })
    }

    fn proxy(&self) -> Proxy {
        let url = match self.settings.proxy.as_str() {
            "" | "none" => None,
            "environment" => self.there.https_proxy.clone(),
            url => Some(url.to_owned()),
        };
        let from_environment = self.settings.proxy == "environment";
        match url {
            None => Proxy::Direct,
            Some(url) => Proxy::Through {
                url,
                except: self.there.no_proxy.clone().filter(|_| from_environment),
            },
        }
    }

    /// Asks once, and once more when AWS refused to look because of who signed, or when.
    async fn attempt<T, E: SdkFailure>(
        &self,
        mut ask: impl AsyncFnMut() -> Result<T, E>,
    ) -> Result<T, Reading> {
        let reading = match ask().await {
            Ok(answer) => return Ok(answer),
            Err(error) => exceptions::read(&error),
        };
        if !exceptions::is_worth_another(&reading) {
            return Err(reading);
        }
        self.credentials.put(None);
        if self.renew().await.is_err() {
            return Err(reading);
        }
        ask().await.map_err(|error| exceptions::read(&error))
    }
}

impl Cloud for AwsCloud {
    fn identify(&self) -> Call<Result<Identity, Failure>> {
        self.call(async |inner: &Inner| {
            // Every guard that identifies itself calls next, so its credentials are fetched meanwhile.
            // If they cannot be had, that call says so.
            let (found, _) = tokio::join!(inner.found(), inner.renew());
            found.map(|found| found.identity()).map_err(|why| Failure {
                class: FailureClass::NotSent,
                text: format!("cannot find out which task or pod this is: {why}"),
            })
        })
    }

    fn register(&self, product: ProductCode, key: PublicKey) -> Call<Registered> {
        self.call(async move |inner: &Inner| metering::register(inner, &product, &key).await)
    }

    fn check_usage(&self, probe: UsageProbe) -> Call<Permitted> {
        self.call(async move |inner: &Inner| metering::check_usage(inner, &probe).await)
    }

    fn probe(&self, probe: UsageProbe) -> Call<Permitted> {
        self.call(async move |inner: &Inner| metering::probe(inner, &probe).await)
    }

    fn meter(&self, product: ProductCode, record: Record) -> Call<Sent> {
        self.call(async move |inner: &Inner| metering::meter(inner, &product, &record).await)
    }

    fn tiers(&self, want: Vec<EntitlementName>, token: ClientToken) -> Call<Tiers> {
        self.call(async move |inner: &Inner| licensing::tiers(inner, &want, &token).await)
    }

    fn details(&self, license_arn: Option<String>) -> Call<Details> {
        self.call(async move |inner: &Inner| {
            licensing::details(inner, license_arn.as_deref()).await
        })
    }

    fn check_out(&self, want: Vec<Entitlement>, token: ClientToken) -> Call<CheckedOut> {
        self.call(async move |inner: &Inner| licensing::check_out(inner, &want, &token).await)
    }

    fn extend(&self, token: ConsumptionToken) -> Call<CheckedOut> {
        self.call(async move |inner: &Inner| licensing::extend(inner, &token).await)
    }

    fn draw(&self, want: Entitlement, token: ClientToken) -> Call<Drawn> {
        self.call(async move |inner: &Inner| licensing::draw(inner, &want, &token).await)
    }

    fn consumption(&self, license_arn: String) -> Call<Consumption> {
        self.call(async move |inner: &Inner| licensing::consumption(inner, &license_arn).await)
    }

    fn check_in(&self, token: ConsumptionToken) -> Call<CheckedIn> {
        self.call(async move |inner: &Inner| licensing::check_in(inner, &token).await)
    }
}
