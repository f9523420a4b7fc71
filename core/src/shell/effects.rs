//! Effects: a command that calls AWS, as a future that brings its answer as an input.

use crate::{
    machine::{command::Command, input::Input},
    model::{
        ids::ProductCode,
        key::PublicKey,
        outcome::{
            CheckedIn, CheckedOut, Consumption, Details, Drawn, Permitted, Registered, Sent, Tiers,
        },
        time::Timestamp,
        usage::Record,
    },
    port::cloud::{Call, Cloud, UsageProbe},
};
use std::rc::Rc;

/// What calls need to know of the product.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    pub(crate) code: ProductCode,
    /// The newest public key; hourly pricing has one.
    pub(crate) key: Option<PublicKey>,
    /// Any dimension, for the dry run.
    pub(crate) dimension: Option<String>,
    /// The dimension that zero records may be sent of.
    pub(crate) probe: Option<String>,
}

/// The call that a command wishes for; `None` for commands that are no call.
pub(crate) fn call(
    command: &Command,
    product: &Product,
    cloud: &Rc<dyn Cloud>,
    now: Timestamp,
) -> Option<Call<Input>> {
    let code = product.code.clone();
    Some(match command.clone() {
        Command::Identify => then(cloud.identify(), Input::Identified),
        Command::Register => then(cloud.register(code, product.key.clone()?), Input::Registered),
        Command::CheckUsage => {
            let dimension = product.dimension.clone()?;
            let probe = UsageProbe { product: code, dimension, timestamp: now };
            then(cloud.check_usage(probe), Input::Permitted)
        }
        Command::ProbeUsage => {
            let dimension = product.probe.clone()?;
            let probe = UsageProbe { product: code, dimension, timestamp: now };
            then(cloud.probe(probe), Input::Permitted)
        }
        Command::AskTiers { want, token } => then(cloud.tiers(want, token), Input::Tiers),
        Command::AskDetails { license_arn } => then(cloud.details(license_arn), Input::Details),
        Command::Send(record) => {
            let id = record.id;
            then(cloud.meter(code, record), move |outcome| Input::Sent { record: id, outcome })
        }
        Command::DrawDown { want, token } => {
            let entitlement = want.name.as_str().into();
            then(cloud.draw(want, token), move |outcome| Input::Drawn { entitlement, outcome })
        }
        Command::AskConsumption { license_arn } => {
            then(cloud.consumption(license_arn.clone()), move |outcome| Input::Consumption {
                license_arn,
                outcome,
            })
        }
        Command::CheckOut { lease, want, token } => {
            then(cloud.check_out(vec![want], token), move |outcome| Input::CheckedOut {
                lease,
                outcome,
            })
        }
        Command::Extend { lease, token } => {
            then(cloud.extend(token), move |outcome| Input::Extended { lease, outcome })
        }
        Command::CheckIn { lease, token } => {
            then(cloud.check_in(token), move |outcome| Input::CheckedIn { lease, outcome })
        }
        _ => return None,
    })
}

fn then<T: 'static>(call: Call<T>, input: impl FnOnce(T) -> Input + 'static) -> Call<Input> {
    Box::pin(async move { input(call.await) })
}

/// The answer of a send that was never made, because what it rests on could not be written down.
pub(crate) fn unwritten(record: &Record, why: &str) -> Input {
    let text = format!("the account cannot be written: {why}; nothing was sent, it is tried again");
    Input::Sent { record: record.id, outcome: Sent::Unwritten(text) }
}

/// True when the answer gave nothing to decide on.
pub(crate) fn failed(input: &Input) -> bool {
    matches!(
        input,
        Input::Identified(Err(_))
            | Input::Registered(Registered::Failed(_))
            | Input::Permitted(Permitted::Failed(_))
            | Input::Tiers(Tiers::Failed(_))
            | Input::Details(Details::Failed(_))
            | Input::Sent { outcome: Sent::Failed(_) | Sent::Unwritten(_), .. }
            | Input::CheckedOut { outcome: CheckedOut::Failed(_), .. }
            | Input::Extended { outcome: CheckedOut::Failed(_), .. }
            | Input::CheckedIn { outcome: CheckedIn::Failed(_), .. }
            | Input::Drawn { outcome: Drawn::Failed(_), .. }
            | Input::Consumption { outcome: Consumption::Failed(_), .. }
    )
}
