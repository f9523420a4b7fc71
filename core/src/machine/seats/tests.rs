//! Seats against a small License Manager of their own: `house` has both, and the hosts.

use super::*;
use crate::{
    error::Code,
    model::{
        ids::{ClientToken, ConsumptionToken},
        license::{EntitlementKind, Standing},
        outcome::{Failure, FailureClass},
    },
};

mod ends;
mod events;
mod extending;
mod house;
mod linger;
mod random;
mod takeover;
mod waiting;

use house::{Aws, Fault, House};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const START: Timestamp = Timestamp(1_767_261_600_000);

fn spec(name: &str) -> EntitlementSpec {
    EntitlementSpec {
        name: name.into(),
        kind: EntitlementKind::Floating,
        unit: "Count".into(),
        batch: 1,
        low: None,
    }
}

fn bought(name: &str, unit: &str, max_count: Option<u64>) -> Contract {
    Contract {
        entitlements: vec![Entitlement {
            name: name.into(),
            unit: unit.into(),
            value: None,
            max_count,
            consumed: None,
        }],
        ..Contract::default()
    }
}
