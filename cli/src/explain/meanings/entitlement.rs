//! Errors of kind `entitlement`: the buyer should read them.

use crate::explain::{
    meaning::{Meaning, PLAIN},
    pages::{
        ANYWHERE, CHECK_OUT, CONSUMPTION_POLICY, CONTRACT, CUSTOM, GRANT_ACCEPTANCE, GRANT_STATUS,
        HOURLY, INTEGRATION, METER_USAGE, PERMISSIONS, REGISTER_USAGE, SERVICE_ACCOUNT, TASK_ROLE,
    },
};

pub(super) const MEANINGS: &[Meaning] = &[
    Meaning {
        word: "not_entitled",
        what: "AWS said that this account has no valid subscription or license of the product. This is an explicit no, never \
               a failure to ask.",
        why: &[
            "The account that runs the product is not the account that subscribed.",
            "The subscription was cancelled.",
            "The contract is there, but its grant was not accepted and activated in this account.",
            "The contract does not have the tier, the seats or the units that were asked for.",
        ],
        buyer: "Subscribe in AWS Marketplace with the account that runs the product, then start it again. With a contract, \
                see that the license is `AVAILABLE` and its grant `ACTIVE` under Granted licenses in AWS License Manager, or \
                buy what is missing.",
        seller: "Show the text to the buyer and stop what is paid for. If every buyer gets it, check the product code, the \
                 SKU and the names of `entitlements`.",
        aws: &[
            "CustomerNotEntitledException",
            "CustomerNotSubscribedException",
            "NoEntitlementsAllowedException",
            "EntitlementNotAllowedException",
        ],
        pages: &[INTEGRATION, REGISTER_USAGE, METER_USAGE, CHECK_OUT, GRANT_ACCEPTANCE],
        see: &["license_ended", "no_seat", "invalid_product"],
    },
    Meaning {
        word: "access_denied",
        what: "The role of the task or pod may not make a call that mpguard needs. AWS did nothing.",
        why: &[
            "The role has no policy for it: `AWSMarketplaceMeteringRegisterUsage` allows RegisterUsage alone and not \
             MeterUsage, `AWSMarketplaceMeteringFullAccess` MeterUsage alone.",
            "A permissions boundary or a policy of the organization takes it away.",
            "AWS does not take the credentials or the signature: a role's trust policy that names another service account, \
             or a clock that is minutes off.",
        ],
        buyer: "Allow the action that the text names to the role of the ECS task or of the pod's service account; the \
                seller's instructions have the policy. Then start again.",
        seller: "Put the policy of `mpguard policy` into your instructions, CloudFormation template or Helm chart. In the task \
                 or pod, `mpguard doctor` names every action that is missing.",
        aws: &[
            "AccessDeniedException",
            "AuthorizationException",
            "UnauthorizedException",
            "OptInRequired",
            "ExpiredTokenException",
            "UnrecognizedClientException",
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
        ],
        pages: &[PERMISSIONS, CONSUMPTION_POLICY, SERVICE_ACCOUNT, TASK_ROLE],
        see: &["permission_missing", "platform_not_supported", "clock_skew"],
    },
    Meaning {
        word: "platform_not_supported",
        what: "This place is not one where AWS takes metering. It must be an ECS task with a task role, or an EKS pod whose \
               service account has an IAM role (IRSA).",
        why: &[
            "The program runs on a laptop, on plain EC2, or in a Kubernetes cluster outside EKS.",
            "The pod uses EKS Pod Identity, the node's role or static keys, which AWS does not accept for metering.",
            "The ECS task has no task role, so that it would use the role of its host.",
        ],
        buyer: "Run the product in ECS with a task role, or in EKS with a service account that is annotated with an IAM role.",
        seller: "For development use `mpguard sandbox`. Contract pricing also runs elsewhere (Containers Anywhere); hourly \
                 and usage pricing do not.",
        aws: &["PlatformNotSupportedException"],
        pages: &[INTEGRATION, ANYWHERE, SERVICE_ACCOUNT, TASK_ROLE],
        see: &["access_denied", "invalid_region"],
    },
    Meaning {
        word: "invalid_region",
        what: "The call went to another Region than the one the task or pod runs in, or to one where AWS does not offer it.",
        why: &[
            "`AWS_REGION` or `AWS_DEFAULT_REGION` is set to another Region in the task definition or pod.",
            "The Region has no container metering: AWS lists 17 Regions for it.",
        ],
        buyer: "Remove `AWS_REGION` and `AWS_DEFAULT_REGION` from the definition of the task or pod, or set them to the \
                cluster's Region; or run in a Region that the product supports.",
        seller: "Do not set a Region in the image or chart: mpguard finds it. Name the supported Regions in the listing.",
        aws: &["InvalidRegionException", "InvalidEndpointRegionException", "DisabledApiException"],
        pages: &[INTEGRATION, REGISTER_USAGE, METER_USAGE],
        see: &["platform_not_supported"],
    },
    Meaning {
        word: "invalid_product",
        what: "AWS does not know the product code, the key version or the dimension that the product sent.",
        why: &[
            "The product code is the SKU (Product ID), or belongs to another listing.",
            "The version of the public key is not the one that AWS gave.",
            "The listing is not published, or not visible to the account that tests it.",
            "A dimension or a tag is not as AWS wants it.",
        ],
        buyer: super::REPORT,
        seller: "Compare `product_code`, `trusted_products` and `dimensions` with the AWS Marketplace Management Portal.",
        aws: &[
            "InvalidProductCodeException",
            "InvalidPublicKeyVersionException",
            "InvalidUsageDimensionException",
            "InvalidUsageAllocationsException",
        ],
        pages: &[INTEGRATION, HOURLY, CUSTOM],
        see: &["invalid_config", "key_rotation", "usage_held"],
    },
    Meaning {
        word: "signature_invalid",
        what: "The answer to RegisterUsage is not signed by AWS for this call. It is not believed.",
        why: &[
            "The public key in `trusted_products` is not the product's, or not of the version that was sent.",
            "Something between the product and AWS answered in its place, or repeated an old answer.",
        ],
        buyer: "Take away proxies and endpoints that answer in place of AWS; else send the text to the seller.",
        seller: "Compare the PEM and its version with what AWS gave for the product. If they are right, treat it as forgery.",
        pages: &[HOURLY, REGISTER_USAGE],
        see: &["invalid_product", "weak_key", "key_rotation"],
        ..PLAIN
    },
    Meaning {
        word: "license_ended",
        what: "The license has ended, was suspended, or was not confirmed for longer than the grace time. The reason beside it \
               says which: `expired`, `suspended` or `stale`.",
        why: &[
            "The contract reached its end and was not renewed.",
            "AWS, the seller or an administrator suspended or deactivated it.",
            "License Manager did not answer for the whole grace time (`grace_ms`).",
        ],
        buyer: "Renew the agreement in AWS Marketplace, or activate the license under Granted licenses in AWS License Manager; \
                for `stale`, restore the connection to AWS.",
        seller: "Show the text to the buyer. A running product sees a renewal at its next look, without a restart.",
        pages: &[CONTRACT, GRANT_STATUS],
        see: &["expired", "suspended", "stale", "license_expired", "license_renewed"],
        ..PLAIN
    },
    Meaning {
        word: "exhausted",
        what: "The contract's prepaid units do not suffice. Nothing was booked: do not start the work.",
        why: &[
            "The units are used up, or fewer are left than were asked for.",
            "The entitlement was not bought. AWS has one answer for both; the text says which when the license can be read.",
        ],
        buyer: "Buy more units in AWS Marketplace, or wait for the renewal of the contract.",
        seller: "Show the text to the buyer, or ask for fewer units. Allow `license-manager:GetLicenseUsage`, so that the text \
                 can say how many are left (`mpguard policy`).",
        aws: &["NoEntitlementsAllowedException"],
        pages: &[CHECK_OUT, CONTRACT],
        see: &["drawdown_exhausted", "drawdown_low", "not_entitled"],
    },
];
