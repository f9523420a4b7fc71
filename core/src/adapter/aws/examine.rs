//! Looks at AWS as a guard would find it, and changes nothing there: no record, no billing, no seat, no unit.

mod endpoints;

use super::{
    AwsCloud, Inner,
    credentials::Source,
    exceptions::{self, Asked},
    identity::{Found, Trail, Unfound},
    licensing, metering,
};
pub(crate) use super::{
    exceptions::Permission,
    http::reach::{Reached, Unreached},
    identity::Place,
    licensing::Contract,
};
use crate::{
    adapter::examine::{Look, Until},
    model::{
        finding::Candidate,
        ids::{EntitlementName, Identity},
        outcome::Permitted,
        time::Timestamp,
    },
    port::cloud::UsageProbe,
};
pub(crate) use endpoints::{Endpoint, Needs, Through};

/// What the pricing needs to ask.
#[derive(Clone, Debug, Default)]
pub(crate) struct Questions {
    /// Whether `RegisterUsage` may be called.
    pub(crate) register: bool,
    /// The dry run of `MeterUsage`.
    pub(crate) meter: Option<UsageProbe>,
    /// The tiers of a contract, if there is one.
    pub(crate) contract: Option<Vec<EntitlementName>>,
    /// The hosts to reach; `None` without a configuration.
    pub(crate) needs: Option<Needs>,
}

/// Everything that was found.
#[derive(Debug)]
pub(crate) struct Aws {
    /// Who we are and in which Region, or why that is not known.
    pub(crate) identity: Look<Result<Identity, String>>,
    /// Where we are, as far as that is known.
    pub(crate) place: Place,
    /// By which signs.
    pub(crate) signs: Vec<Candidate>,
    /// Every source that was asked for the Region.
    pub(crate) regions: Vec<Candidate>,
    /// Every source of credentials, in the order in which they are looked at.
    pub(crate) sources: Vec<Candidate>,
    /// The end of the credentials if they have one, or why there are none.
    pub(crate) credentials: Look<Result<Option<Timestamp>, String>>,
    /// Who signs.
    pub(crate) principal: Look<Result<Principal, String>>,
    pub(crate) register: Option<Look<Permission>>,
    pub(crate) meter: Option<Look<Permitted>>,
    pub(crate) contract: Option<Contract>,
    pub(crate) through: Through,
    pub(crate) endpoints: Vec<Endpoint>,
}

/// Who signs, as AWS sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Principal {
    pub(crate) account: String,
    pub(crate) arn: String,
}

impl Aws {
    /// Who we are, when that is known.
    pub(crate) fn identity(&self) -> Option<&Identity> {
        match &self.identity {
            Look::Seen(Ok(identity)) => Some(identity),
            _ => None,
        }
    }
}

/// Looks, until that moment at most.
pub(crate) async fn look(cloud: &AwsCloud, questions: Questions, until: Until) -> Aws {
    let inner: &Inner = &cloud.0;
    let found = until.look(inner.search()).await;
    let region = match &found {
        Look::Seen(Ok(found)) => Some(found.region.clone()),
        _ => None,
    };
    let mut aws = Aws::of(found);
    aws.sources = sources(inner, &aws).await;
    aws.through = endpoints::through(inner);
    let needs = questions.needs;
    let reach = Box::pin(endpoints::endpoints(inner, region.as_ref(), needs, until));
    let ((), endpoints) = tokio::join!(Box::pin(aws.ask(inner, questions, until)), reach);
    aws.endpoints = endpoints;
    aws
}

/// Every source of credentials. Asks nobody who was not asked before.
async fn sources(inner: &Inner, aws: &Aws) -> Vec<Candidate> {
    let metering = inner.settings.metering;
    match (aws.identity(), &inner.settings.sandbox) {
        (Some(_), _) => inner.sources().await.unwrap_or_default(),
        (None, None) => Source::candidates(&inner.there, None, metering, &inner.link_local),
        // What a task of a sandbox has, only the sandbox knows.
        (None, Some(_)) => Vec::new(),
    }
}

impl Aws {
    fn of(found: Look<Result<Found, Unfound>>) -> Aws {
        let (identity, place, trail) = match found {
            Look::Seen(Ok(found)) => {
                (Look::Seen(Ok(found.identity())), found.place, (*found.trail).clone())
            }
            Look::Seen(Err(Unfound { why, place, trail })) => (Look::Seen(Err(why)), place, trail),
            Look::Late => (Look::Late, Place::default(), Trail::default()),
            Look::Not(why) => (Look::Not(why), Place::default(), Trail::default()),
        };
        Aws {
            identity,
            place,
            signs: trail.signs,
            regions: trail.regions,
            sources: Vec::new(),
            credentials: Look::Late,
            principal: Look::Late,
            register: None,
            meter: None,
            contract: None,
            through: Through::Direct,
            endpoints: Vec::new(),
        }
    }

    /// Asks AWS, if there is somebody to ask with.
    async fn ask(&mut self, inner: &Inner, questions: Questions, until: Until) {
        let credentials =
            until.look(async { inner.renew().await.map(|()| inner.credentials.end()) }).await;
        self.credentials = credentials.map(|known| known.map_err(|missing| missing.text));
        if !matches!((&self.identity, &self.credentials), (Look::Seen(Ok(_)), Look::Seen(Ok(_)))) {
            return self.unasked(&questions);
        }
        let Questions { register, meter, contract, .. } = questions;
        let register = async {
            if !register {
                return None;
            }
            Some(until.look(metering::register_permission(inner)).await)
        };
        let meter = async { Some(until.look(metering::dry_run(inner, meter?)).await) };
        let contract =
            async { Some(Box::pin(licensing::contract(inner, &contract?, until)).await) };
        (self.principal, self.register, self.meter, self.contract) =
            tokio::join!(until.look(principal(inner)), register, meter, contract);
    }

    /// Without Region and credentials nothing can be asked.
    fn unasked(&mut self, questions: &Questions) {
        let why = if self.identity().is_some() {
            "there are no credentials to ask with: see the finding `credentials`"
        } else {
            "nobody knows whom to ask: see the findings `identity` and `region`"
        };
        fn not<T>(why: &str) -> Look<T> {
            Look::Not(why.to_owned())
        }
        self.principal = not(why);
        self.register = questions.register.then(|| not(why));
        self.meter = questions.meter.as_ref().map(|_| not(why));
        self.contract = questions.contract.as_ref().map(|_| Contract {
            check_out: not(why),
            check_in: not(why),
            extend: not(why),
            received: not(why),
            license: not(why),
            usage: not(why),
        });
    }
}

/// `GetCallerIdentity`, which needs no permission. Source: its API reference.
async fn principal(inner: &Inner) -> Result<Principal, String> {
    const OPERATION: &str = "GetCallerIdentity";
    let about = "the credentials in use";
    let region = inner.ready(OPERATION, about).await.map_err(|failure| failure.text)?;
    let client = inner.clients().and_then(|clients| clients.tokens(&region))?;
    let answer = inner.attempt(async || client.get_caller_identity().send().await).await;
    let asked = Asked { operation: OPERATION, about: about.to_owned(), region };
    let answer = answer.map_err(|reading| exceptions::caller(&asked, &reading))?;
    match (answer.account(), answer.arn()) {
        (Some(account), Some(arn)) => {
            Ok(Principal { account: account.to_owned(), arn: arn.to_owned() })
        }
        _ => Err(asked.incomplete("account and ARN").text),
    }
}
