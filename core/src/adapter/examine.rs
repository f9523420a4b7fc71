//! Gathers what an examination judges: looks at everything that a guard would need, and changes nothing.
//!
//! It runs on a thread of its own: the host may be inside of a runtime, and a name that nobody resolves or a disk that
//! does not answer must not hold it for longer than the deadline.

mod kept;

pub(crate) use kept::Kept;

use super::{
    aws::{
        self, AwsCloud, Now, ServerTime,
        examine::{Needs, Questions},
    },
    os_entropy::OsEntropy,
    sandbox_clock::SandboxClock,
    state::{
        Wishes,
        survey::{Survey, survey},
    },
    surroundings::{File, Surroundings, Variable},
    thread,
};
use crate::{
    config::Settings,
    model::{ids::Identity, license::EntitlementKind, proxy::ProxyChoice, time::Timestamp},
    port::cloud::{CloudSettings, UsageProbe},
};
use std::{
    future::Future,
    sync::{Arc, mpsc},
    time::Duration,
};
use tokio::time::Instant;

/// For everything together.
const DEADLINE: Duration = Duration::from_secs(30);
/// For the thread to hand over what it has, beyond the deadline.
const GRACE: Duration = Duration::from_secs(3);
/// Names of hosts are resolved by threads that block, and the disk is looked at by one.
const BLOCKING_MAX: usize = 8;

/// What became of one look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Look<T> {
    Seen(T),
    /// The examination ran out of time.
    Late,
    /// Why nobody could look.
    Not(String),
}

impl<T> Look<T> {
    pub(crate) fn map<U>(self, of: impl FnOnce(T) -> U) -> Look<U> {
        match self {
            Look::Seen(seen) => Look::Seen(of(seen)),
            Look::Late => Look::Late,
            Look::Not(why) => Look::Not(why),
        }
    }

    pub(crate) fn as_ref(&self) -> Look<&T> {
        match self {
            Look::Seen(seen) => Look::Seen(seen),
            Look::Late => Look::Late,
            Look::Not(why) => Look::Not(why.clone()),
        }
    }
}

/// Everything that was found.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) variables: Vec<Variable>,
    pub(crate) files: Vec<File>,
    pub(crate) aws: aws::examine::Aws,
    pub(crate) survey: Look<Survey>,
    /// What the identity's directory holds, when it has one.
    pub(crate) kept: Look<Kept>,
}

/// Looks, for half a minute at most. `None` when there is no thread to do it, or it has ended early.
pub(crate) fn gather(settings: Option<&Settings>) -> Option<Facts> {
    // On the caller's thread, like every reading of the environment.
    let surroundings = Surroundings::read();
    let asked = Asked::of(settings);
    let (give, take) = mpsc::channel();
    let look = move || {
        // Boxed: the future is large, and in a debug build every hand that it goes through holds a copy on the stack.
        let facts = on_runtime(Box::pin(async move {
            let until = Until::within(DEADLINE);
            Box::pin(look(asked, surroundings, until)).await
        }));
        if let Some(facts) = facts {
            let _ = give.send(facts);
        }
    };
    // A panic ends the examination, never the host.
    let fenced = move || drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(look)));
    thread::spawn_roomy("mpguard-doctor", Box::new(fenced)).ok()?;
    take.recv_timeout(DEADLINE + GRACE).ok()
}

fn on_runtime<T>(work: impl Future<Output = T>) -> Option<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_MAX)
        .thread_keep_alive(Duration::from_millis(100))
        .build()
        .ok()?;
    let local = tokio::task::LocalSet::new();
    // As the guard's own thread does: a Rust host's subscriber must not hear of requests that it never made.
    let _silent = tracing_core::dispatcher::set_default(&tracing_core::Dispatch::none());
    let found = local.block_on(&runtime, work);
    {
        let _inside = runtime.enter();
        drop(local);
    }
    runtime.shutdown_background();
    Some(found)
}

/// The moment by which everything must be known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Until(Instant);

impl Until {
    /// This long from now on.
    pub(crate) fn within(time: Duration) -> Until {
        Until(Instant::now() + time)
    }

    pub(crate) async fn look<T>(self, work: impl Future<Output = T>) -> Look<T> {
        // Calls of the SDK are large, and many of them run side by side on a small stack.
        match tokio::time::timeout_at(self.0, Box::pin(work)).await {
            Ok(found) => Look::Seen(found),
            Err(_) => Look::Late,
        }
    }
}

/// What is asked for.
struct Asked {
    cloud: CloudSettings,
    wishes: Wishes,
    questions: Questions,
}

impl Asked {
    fn of(settings: Option<&Settings>) -> Asked {
        let Some(settings) = settings else { return Asked::of_nobody() };
        Asked {
            cloud: super::cloud_settings(settings),
            wishes: super::wishes(settings, None),
            questions: questions(settings),
        }
    }

    /// Without a configuration: as a guard that meters, whose needs are the stricter ones.
    fn of_nobody() -> Asked {
        Asked {
            cloud: CloudSettings {
                product_sku: None,
                issuer_fingerprint: String::new(),
                metering: true,
                sandbox: None,
                extra_ca_pem: None,
                proxy: ProxyChoice::None,
                use_fips_endpoint: false,
                use_dualstack_endpoint: false,
            },
            wishes: Wishes {
                state_dir: None,
                product_code: String::new(),
                dimensions: Vec::new(),
                sandbox: None,
                seal: [0; 32],
                heirloom: None,
            },
            questions: Questions::default(),
        }
    }
}

fn questions(settings: &Settings) -> Questions {
    let pricing = settings.pricing;
    // For a dry run any dimension of the product will do.
    let first = settings.dimensions.first().map(|spec| spec.name.as_str().to_owned());
    let meter = first.filter(|_| pricing.usage).map(|dimension| UsageProbe {
        product: settings.product.code.clone(),
        dimension,
        timestamp: Timestamp(0), // set when it is asked
    });
    let tiers = settings.entitlements.iter().filter(|spec| spec.kind == EntitlementKind::Tier);
    let tiers = tiers.map(|spec| spec.name.as_str().into()).collect();
    Questions {
        register: pricing.hourly,
        meter,
        contract: pricing.contract.then_some(tiers),
        needs: Some(Needs {
            metering: pricing.hourly || pricing.usage,
            contract: pricing.contract,
        }),
    }
}

async fn look(asked: Asked, surroundings: Surroundings, until: Until) -> Facts {
    let (variables, files) = (surroundings.present().to_vec(), surroundings.files());
    let server_time = Arc::new(ServerTime::default());
    let now = clock(asked.cloud.sandbox.as_deref(), &server_time).await;
    let cloud = AwsCloud::new(asked.cloud, surroundings, now, Arc::new(OsEntropy), server_time);
    let aws = aws::examine::look(&cloud, asked.questions, until).await;
    let identity = aws.identity().cloned();
    let (survey, kept) = state(until, asked.wishes, identity).await;
    Facts { variables, files, aws, survey, kept }
}

/// Once, from whoever keeps the time: a doctor is nobody that a sandbox waits for.
async fn clock(sandbox: Option<&str>, server_time: &Arc<ServerTime>) -> Now {
    match sandbox {
        Some(url) => SandboxClock::peek(url).await,
        None => {
            let time = server_time.clone();
            Arc::new(move || -> Timestamp { time.now() })
        }
    }
}

/// A disk may never answer, so it is looked at by threads that nobody waits for.
async fn state(
    until: Until,
    wishes: Wishes,
    identity: Option<Identity>,
) -> (Look<Survey>, Look<Kept>) {
    let survey = blocking(until, move || survey(&wishes, identity.as_ref())).await;
    let kept = match &survey {
        Look::Seen(Survey { directory: Some(directory), .. }) => {
            let directory = directory.clone();
            blocking(until, move || kept::look(&directory)).await
        }
        Look::Seen(_) => Look::Not("no directory is kept from one run to the next".to_owned()),
        Look::Late => Look::Late,
        Look::Not(why) => Look::Not(why.clone()),
    };
    (survey, kept)
}

async fn blocking<T: Send + 'static>(
    until: Until,
    look: impl FnOnce() -> T + Send + 'static,
) -> Look<T> {
    match until.look(tokio::task::spawn_blocking(look)).await {
        Look::Seen(Ok(seen)) => Look::Seen(seen),
        Look::Seen(Err(_)) => Look::Not("the look at the disk has failed".to_owned()),
        Look::Late => Look::Late,
        Look::Not(why) => Look::Not(why),
    }
}
