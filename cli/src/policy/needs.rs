//! What a product calls, as statements of a policy.

use mpguard_core::{config::Pricing, model::license::EntitlementKind};
use serde_json::{Value, json};

/// What the policy is for.
pub(crate) struct Needs {
    pub(crate) pricing: Pricing,
    /// Kinds of the entitlements, when a configuration tells them.
    pub(crate) kinds: Option<Vec<EntitlementKind>>,
    /// Without diagnostics.
    pub(crate) minimal: bool,
}

/// One statement. Each of its actions works on all resources only.
pub(crate) struct Statement {
    pub(crate) sid: &'static str,
    /// What it is there for.
    pub(crate) why: &'static str,
    pub(crate) actions: Vec<&'static str>,
}

const CONTRACT: [&str; 4] = [
    "license-manager:CheckoutLicense",
    "license-manager:CheckInLicense",
    "license-manager:ExtendLicenseConsumption",
    "license-manager:GetLicense",
];
const DIAGNOSTICS: [&str; 2] =
    ["license-manager:ListReceivedLicenses", "license-manager:GetLicenseUsage"];

impl Needs {
    /// As the configuration spells it.
    pub(crate) fn pricing(&self) -> String {
        let Pricing { hourly, usage, contract } = self.pricing;
        let parts = [("hourly", hourly), ("usage", usage), ("contract", contract)];
        let parts: Vec<&str> = parts.iter().filter(|(_, is)| *is).map(|(word, _)| *word).collect();
        parts.join("+")
    }

    /// True when RegisterUsage or MeterUsage is called.
    pub(crate) fn meters(&self) -> bool {
        self.pricing.hourly || self.pricing.usage
    }

    pub(crate) fn statements(&self) -> Vec<Statement> {
        let mut all = Vec::new();
        if self.meters() {
            let register = self.pricing.hourly.then_some("aws-marketplace:RegisterUsage");
            let meter = self.pricing.usage.then_some("aws-marketplace:MeterUsage");
            all.push(Statement {
                sid: "MpguardMetering",
                why: "Entitlement and usage. AWS knows no narrower resource than \"*\" for metering.",
                actions: register.into_iter().chain(meter).collect(),
            });
        }
        if self.pricing.contract {
            all.push(Statement {
                sid: "MpguardContract",
                why: "Tiers, seats and prepaid units of the contract.",
                actions: CONTRACT.to_vec(),
            });
        }
        if self.pricing.contract && !self.minimal {
            all.push(Statement {
                sid: "MpguardDiagnostics",
                why: "Diagnostics: reading only. `mpguard policy --minimal` leaves them out and says what is missing then.",
                actions: DIAGNOSTICS.to_vec(),
            });
        }
        all
    }

    /// The policy document.
    pub(crate) fn document(&self) -> Value {
        let statement = |statement: Statement| {
            json!({
                "Sid": statement.sid,
                "Effect": "Allow",
                "Action": statement.actions,
                // Source: IAM service authorization reference; the managed policies say the same.
                "Resource": "*",
            })
        };
        let statements: Vec<Value> = self.statements().into_iter().map(statement).collect();
        json!({"Version": "2012-10-17", "Statement": statements})
    }

    /// What does not work without the diagnostics.
    pub(crate) fn missing(&self) -> Vec<String> {
        if !self.minimal {
            return Vec::new();
        }
        if !self.pricing.contract {
            return vec![format!(
                "pricing {} needs no diagnostic action: --minimal leaves nothing out",
                self.pricing()
            )];
        }
        let has = |kind| self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind));
        let mut notes = vec![
            "without license-manager:ListReceivedLicenses \"not bought\", \"not activated\" and \"all taken\" cannot be told \
             apart, and several licenses of the product are not noticed"
                .to_owned(),
        ];
        let tierless = |kinds: &Vec<EntitlementKind>| !kinds.contains(&EntitlementKind::Tier);
        if self.kinds.as_ref().is_none_or(tierless) {
            let when = if self.kinds.is_none() { "when `entitlements` has no tier, " } else { "" };
            notes.push(format!(
                "{when}nothing but a check out shows the contract then: while every seat is taken, a start stays pending"
            ));
        }
        notes.push(
            "without license-manager:GetLicenseUsage nobody sees how much of the contract is taken (`consumed`)".to_owned(),
        );
        if has(EntitlementKind::Drawdown) {
            notes.push(
                "a draw of prepaid units whose answer was lost is disputed at once then, because nothing can be compared"
                    .to_owned(),
            );
        }
        notes
    }
}
