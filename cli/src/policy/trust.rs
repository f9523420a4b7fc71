//! Who may take the role: examples of trust policies, with words in capitals to replace.

use super::needs::Needs;
use serde_json::{Value, json};

/// One trust policy.
pub(crate) struct Trust {
    /// A name for a template.
    pub(crate) name: &'static str,
    /// Where it is for.
    pub(crate) place: &'static str,
    pub(crate) document: Value,
}

/// Those that fit the pricing.
pub(crate) fn policies(needs: &Needs) -> Vec<Trust> {
    let mut all = vec![
        Trust {
            name: "EcsTaskRole",
            place: "ECS and Fargate, the task role",
            document: document(json!({
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": "ACCOUNT_ID"},
                    "ArnLike": {"aws:SourceArn": "arn:aws:ecs:REGION:ACCOUNT_ID:*"},
                },
            })),
        },
        Trust {
            name: "EksServiceAccount",
            place: "EKS, the role of a service account (IRSA) by the cluster's OIDC provider",
            document: document(json!({
                "Effect": "Allow",
                "Principal": {"Federated": "arn:aws:iam::ACCOUNT_ID:oidc-provider/OIDC_PROVIDER"},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {"StringEquals": {
                    "OIDC_PROVIDER:sub": "system:serviceaccount:NAMESPACE:SERVICE_ACCOUNT",
                    "OIDC_PROVIDER:aud": "sts.amazonaws.com",
                }},
            })),
        },
    ];
    // RegisterUsage and MeterUsage are for ECS and EKS alone.
    if !needs.meters() {
        all.push(Trust {
            name: "ContainersAnywhere",
            place: "Containers Anywhere, a role such as AWSLicenseManagerConsumptionRole, by tokens that License Manager has \
                    issued to the buyer's account; GetAccessToken and AssumeRoleWithWebIdentity need no permission",
            document: document(json!({
                "Effect": "Allow",
                "Principal": {"Federated": "openid-license-manager.amazonaws.com"},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {"ForAnyValue:StringLike": {
                    "openid-license-manager.amazonaws.com:amr":
                        "aws:license-manager:token-issuer-account-id:ACCOUNT_ID",
                }},
            })),
        });
    }
    all
}

fn document(statement: Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [statement]})
}
