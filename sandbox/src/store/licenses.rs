//! Licenses: what the buyer has bought under contracts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// AWS Marketplace's own account, issuer and fingerprint. The fingerprint is the real one of every
/// Marketplace license, no placeholder. Source: License Manager integration of the seller guide.
pub(crate) const ISSUER_ACCOUNT: &str = "294406891311";
pub(crate) const ISSUER: &str = "AWS/Marketplace";

/// The form of a fingerprint. Source: License Manager user guide, seller issued licenses.
pub(crate) fn fingerprint_of(issuer: &str) -> String {
    format!("aws:{ISSUER_ACCOUNT}:{issuer}:issuer-fingerprint")
}

fn yes() -> bool {
    true
}

/// One bought thing: a tier (`Unit` is `None`) or a number of units.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entitlement {
    pub(crate) name: String,
    pub(crate) unit: String,
    /// Absent on a counted entitlement: unlimited.
    #[serde(default)]
    pub(crate) max_count: Option<i64>,
    #[serde(default)]
    pub(crate) value: Option<String>,
    #[serde(default)]
    pub(crate) overage: bool,
    #[serde(default = "yes")]
    pub(crate) allow_check_in: bool,
}

impl Entitlement {
    pub(crate) fn is_counted(&self) -> bool {
        self.unit != "None"
    }

    /// As `GetLicense` shows it.
    pub(crate) fn shape(&self) -> Value {
        let mut shape = json!({"Name": self.name, "Unit": self.unit});
        if let Some(max_count) = self.max_count {
            shape["MaxCount"] = max_count.into();
        }
        if let Some(value) = &self.value {
            shape["Value"] = value.clone().into();
        }
        if self.is_counted() {
            shape["Overage"] = self.overage.into();
            shape["AllowCheckIn"] = self.allow_check_in.into();
        }
        shape
    }
}

/// What somebody has decided about a license; time decides the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Good,
    Suspended,
    Deactivated,
    Deleted,
}

/// What a version of a license says.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) entitlements: Vec<Entitlement>,
    pub(crate) end_ms: Option<i64>,
}

/// One license with all its versions, the newest last.
#[derive(Clone, Debug)]
pub(crate) struct License {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) product_sku: String,
    pub(crate) issuer: String,
    pub(crate) fingerprint: String,
    /// The account that has bought it.
    pub(crate) account: String,
    pub(crate) begin_ms: i64,
    pub(crate) created_ms: i64,
    pub(crate) ttl_minutes: i64,
    pub(crate) home_region: String,
    pub(crate) received_status: String,
    pub(crate) grant_type: String,
    pub(crate) standing: Standing,
    pub(crate) versions: Vec<Terms>,
}

impl License {
    pub(crate) fn new_id() -> String {
        format!("l-{}", Uuid::new_v4().simple())
    }

    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:license-manager::{ISSUER_ACCOUNT}:license:{}", self.id)
    }

    pub(crate) fn terms(&self) -> &Terms {
        self.versions.last().expect("a license is made with its first version")
    }

    /// A renewal or an upgrade makes a new version. Source: License Manager integration of the seller
    /// guide.
    pub(crate) fn amend(&mut self, terms: Terms) {
        self.versions.push(terms);
    }

    pub(crate) fn end_now(&mut self, now_ms: i64) {
        if let Some(terms) = self.versions.last_mut() {
            terms.end_ms = Some(now_ms);
        }
    }

    /// `LicenseStatus` at this moment.
    pub(crate) fn status(&self, now_ms: i64) -> &'static str {
        match self.standing {
            Standing::Deleted => "DELETED",
            Standing::Deactivated => "DEACTIVATED",
            Standing::Suspended => "SUSPENDED",
            Standing::Good if self.terms().end_ms.is_some_and(|end_ms| end_ms <= now_ms) => {
                "EXPIRED"
            }
            Standing::Good if self.begin_ms > now_ms => "PENDING_AVAILABLE",
            Standing::Good => "AVAILABLE",
        }
    }

    /// Only an available license behind an active grant entitles; a delegated one only shows itself.
    pub(crate) fn entitles(&self, now_ms: i64) -> bool {
        self.status(now_ms) == "AVAILABLE"
            && self.received_status == "ACTIVE"
            && self.grant_type != "DelegateGrant"
    }
}

#[derive(Default)]
pub(crate) struct Licenses {
    /// In order of creation.
    all: Vec<License>,
    drawn: BTreeMap<(String, String), i64>,
}

impl Licenses {
    pub(crate) fn add(&mut self, license: License) {
        self.all.push(license);
    }

    pub(crate) fn get(&self, id: &str) -> Option<&License> {
        self.all.iter().find(|license| license.id == id)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut License> {
        self.all.iter_mut().find(|license| license.id == id)
    }

    pub(crate) fn by_arn(&self, arn: &str) -> Option<&License> {
        self.all.iter().find(|license| license.arn() == arn)
    }

    /// Newest first: with several licenses that fit, the most recent one is used. Source: aws-sdk issue 506.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &License> {
        self.all.iter().rev()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &License> {
        self.all.iter()
    }

    /// A PERPETUAL check-out takes units for good.
    pub(crate) fn draw(&mut self, license_id: &str, name: &str, count: i64) {
        *self.drawn.entry((license_id.to_owned(), name.to_owned())).or_default() += count;
    }

    pub(crate) fn drawn(&self, license_id: &str, name: &str) -> i64 {
        self.drawn.get(&(license_id.to_owned(), name.to_owned())).copied().unwrap_or_default()
    }

    pub(crate) fn drawn_view(&self) -> Vec<Value> {
        let view = |((license_id, name), count): (&(String, String), &i64)| json!({"license_id": license_id, "name": name, "quantity": count.to_string()});
        self.drawn.iter().map(view).collect()
    }
}
