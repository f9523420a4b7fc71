//! What to know beside the policy itself.

use super::needs::Needs;

/// Whose policy it is.
pub(crate) fn whose(needs: &Needs) -> String {
    let whose = "the policy belongs to the task role of the ECS task (not to its execution role) or to the role of the pod's \
                 service account (IRSA)";
    let also = if needs.meters() {
        ""
    } else {
        "; contract pricing alone also takes EKS Pod Identity, instance roles and Containers Anywhere"
    };
    format!("{whose}{also}")
}

/// Which of AWS's managed policies do and do not suffice. Source: AWS Managed Policy Reference.
pub(crate) fn managed(needs: &Needs) -> Vec<String> {
    let mut notes: Vec<&str> = Vec::new();
    if needs.pricing.hourly {
        notes.push(
            "the managed policy AWSMarketplaceMeteringRegisterUsage suffices for RegisterUsage; AWSMarketplaceMeteringFullAccess \
             does not: it allows MeterUsage alone",
        );
    }
    if needs.pricing.usage {
        notes.push(
            "the managed policy AWSMarketplaceMeteringFullAccess suffices for MeterUsage; AWSMarketplaceMeteringRegisterUsage \
             does not: it allows RegisterUsage alone, although the Seller Guide names it for custom metering",
        );
    }
    if needs.pricing.contract {
        notes.push(
            "the managed policy service-role/AWSLicenseManagerConsumptionPolicy suffices for the contract; the diagnostics \
             ListReceivedLicenses and GetLicenseUsage are not in it",
        );
    }
    if needs.meters() {
        notes.push(
            "node roles (AmazonEC2ContainerServiceforEC2Role and others), EKS Pod Identity and static keys do not suffice, \
             whatever they allow: AWS does not accept them for metering",
        );
    }
    notes.into_iter().map(str::to_owned).collect()
}
