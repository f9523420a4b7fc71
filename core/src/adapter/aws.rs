//! Everything that speaks AWS's wire.
//!
//! | file | idea |
//! | --- | --- |
//! | `region`, `endpoint` | where to call |
//! | `identity`, `link_local` | who we are |
//! | `credentials`, `claims`, `token_file` | who signs |
//! | `http`, `plain` | how bytes travel |
//! | `client` | SDK clients that listen to no variable |
//! | `lenient`, `veil` | answers that are not quite what the model says, or say what they should not |
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
pub(crate) mod examine;
mod exceptions;
pub(crate) mod http;
mod identity;
mod lenient;
mod licensing;
mod link_local;
mod metering;
#[cfg(any(test, fuzzing))]
pub(crate) mod outside;
pub(crate) mod plain;
mod region;
pub(crate) mod server_time;
pub(crate) mod signature;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod token_file;
mod veil;

use crate::{
    adapter::{sandbox_address::sandbox_address, surroundings::Surroundings},
    model::{
        finding::{Candidate, Fate},
        ids::{ClientToken, ConsumptionToken, EntitlementName, Identity, ProductCode},
        key::PublicKey,
        license::Entitlement,
        outcome::{
            CheckedIn, CheckedOut, Consumption, Details, Drawn, Failure, FailureClass, Permitted,
            Registered, Sent, Tiers,
        },
        proxy::{NoProxy, ProxyChoice, ProxyUrl},
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
use identity::{Found, Search, Unfound};
use link_local::{Instance, LinkLocal};
use once_cell::unsync::OnceCell;
use region::Region;
pub(crate) use server_time::ServerTime;
use std::{cell::RefCell, net::SocketAddr, rc::Rc, sync::Arc};
use tokio::sync::Mutex;

/// The first `most` characters of somebody else's words, fit for a text.
fn shown(words: &str, most: usize) -> String {
    words.chars().filter(|c| !c.is_control()).take(most).collect()
}

/// True for a well-formed name of a Region.
pub(crate) fn is_named_region(name: &str) -> bool {
    region::well_formed(name)
}

/// True for a URL at the address of ECS task metadata.
pub(crate) fn is_on_ecs(url: &str) -> bool {
    LinkLocal::default().ecs_path(url).is_some()
}

/// True for a URL at an address of EKS Pod Identity.
pub(crate) fn is_pod_identity(url: &str) -> bool {
    LinkLocal::default().pod_identity_at(url).is_some()
}

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
            endpoints: Endpoints::of(&settings),
            settings,
            there,
            instance: Instance::at(&link_local),
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
    instance: Instance,
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
        self.search().await.map_err(|unfound| unfound.why)
    }

    /// The same, with everything that was asked where nobody was found.
    async fn search(&self) -> Result<Found, Unfound> {
        let mut found = self.found.lock().await;
        if let Some(found) = found.as_ref() {
            return Ok(found.clone());
        }
        let random = self.entropy.seed().map_err(|why| format!("no randomness: {why}"))?;
        let random = signature::nonce(&random);
        let search = Search {
            there: &self.there,
            link_local: &self.link_local,
            instance: &self.instance,
            sandbox: self.sandbox()?,
            metering: self.settings.metering,
            random: &random,
        };
        Ok(found.insert(search.run().await?).clone())
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
        let source = self.source().await?;
        match credentials::ask(self, &source).await {
            Ok(given) => {
                self.credentials.put(Some(given));
                Ok(())
            }
            Err(_) if self.credentials.serve((self.now)()) => {
                self.credentials.be_patient((self.now)());
                Ok(())
            }
            Err(missing) => Err(missing),
        }
    }

    /// Who signs.
    async fn source(&self) -> Result<Source, String> {
        let sandbox = self.played().await?;
        if let Some(why) = self.unmetered().await? {
            return Err(why.to_owned());
        }
        let (there, metering) = (&self.there, self.settings.metering);
        let nobody = metering
            && sandbox.is_none()
            && there.pod_identity.is_none()
            && there.license_token.is_none()
            && !there.instance_metadata_disabled;
        match Source::find(there, sandbox, metering, &self.link_local) {
            // The role that a machine would sign with is told by its name, and never asked for its keys.
            Err(why) if nobody => Err(match credentials::role_of_instance(&self.instance).await {
                Ok(role) => {
                    format!("{why}; role `{role}` of the machine was found and is not used")
                }
                Err(_) => why,
            }),
            found => found,
        }
    }

    /// Every source of credentials, and what becomes of it.
    async fn sources(&self) -> Result<Vec<Candidate>, String> {
        let sandbox = self.played().await?;
        let metering = self.settings.metering;
        let mut all = Source::candidates(&self.there, sandbox, metering, &self.link_local);
        if let Some(why) = self.unmetered().await? {
            for won in all.iter_mut().filter(|candidate| candidate.fate == Fate::Won) {
                (won.fate, won.why) = (Fate::Refused, why.to_owned());
            }
        }
        Ok(all)
    }

    /// A sandbox task plays a platform, and what it is decides who signs.
    async fn played(&self) -> Result<Option<(SocketAddr, String, Found)>, String> {
        Ok(match self.sandbox()? {
            Some((address, task)) => Some((address, task, self.found().await?)),
            None => None,
        })
    }

    /// Why nobody may sign for metering here, whatever there is.
    async fn unmetered(&self) -> Result<Option<&'static str>, String> {
        if !self.settings.metering || self.there.ecs_metadata.is_none() {
            return Ok(None);
        }
        Ok(credentials::unmetered(self.found().await?.place))
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
                Endpoints::Production(_) => Wire::tls(
                    self.settings.extra_ca_pem.as_deref(),
                    &self.proxy()?,
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

    fn proxy(&self) -> Result<Proxy, String> {
        match &self.settings.proxy {
            ProxyChoice::None => Ok(Proxy::Direct),
            ProxyChoice::Url(url, except) => {
                Ok(Proxy::Through { url: url.clone(), except: except.clone() })
            }
            ProxyChoice::Environment => {
                let https = self.there.https_proxy.as_deref().map(|url| ("HTTPS_PROXY", url));
                let all = self.there.all_proxy.as_deref().map(|url| ("ALL_PROXY", url));
                let Some((variable, url)) = https.or(all) else { return Ok(Proxy::Direct) };
                let url = ProxyUrl::read(url)
                    .map_err(|why| format!("cannot use the proxy that {variable} names: {why}"))?;
                let except = self.there.no_proxy.as_deref().unwrap_or_default();
                Ok(Proxy::Through { url, except: NoProxy::read(except) })
            }
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
        if let Some(pause) = exceptions::pause(&reading) {
            tokio::time::sleep(pause).await;
        }
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
