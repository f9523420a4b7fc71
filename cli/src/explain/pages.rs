//! AWS's pages that the meanings rest on.

/// One page.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) title: &'static str,
    pub(crate) url: &'static str,
}

macro_rules! pages {
    ($($name:ident = $title:literal, $url:literal;)+) => {
        $(pub(crate) const $name: Page = Page { title: $title, url: $url };)+
    };
}

pages! {
    INTEGRATION = "AWS Marketplace Seller Guide: Container product billing, metering, and licensing integrations",
        "https://docs.aws.amazon.com/marketplace/latest/userguide/container-products-billing-integration.html";
    HOURLY = "AWS Marketplace Seller Guide: Hourly metering for container products",
        "https://docs.aws.amazon.com/marketplace/latest/userguide/container-metering-registerusage.html";
    CUSTOM = "AWS Marketplace Seller Guide: Custom metering for container products",
        "https://docs.aws.amazon.com/marketplace/latest/userguide/container-metering-meterusage.html";
    CONTRACT = "AWS Marketplace Seller Guide: Contract pricing for container products with AWS License Manager",
        "https://docs.aws.amazon.com/marketplace/latest/userguide/container-license-manager-integration.html";
    ANYWHERE = "AWS Marketplace Seller Guide: Containers Anywhere with License Manager",
        "https://docs.aws.amazon.com/marketplace/latest/userguide/container-anywhere-license-manager-integration.html";
    PERMISSIONS = "AWS Marketplace Seller Guide: Metering and entitlement API permissions",
        "https://docs.aws.amazon.com/marketplace/latest/userguide/iam-user-policy-for-aws-marketplace-actions.html";
    METER_USAGE = "AWS Marketplace Metering API: MeterUsage",
        "https://docs.aws.amazon.com/goto/WebAPI/meteringmarketplace-2016-01-14/MeterUsage";
    REGISTER_USAGE = "AWS Marketplace Metering API: RegisterUsage",
        "https://docs.aws.amazon.com/goto/WebAPI/meteringmarketplace-2016-01-14/RegisterUsage";
    CHECK_OUT = "AWS License Manager API: CheckoutLicense",
        "https://docs.aws.amazon.com/license-manager/latest/APIReference/API_CheckoutLicense.html";
    EXTEND = "AWS License Manager API: ExtendLicenseConsumption",
        "https://docs.aws.amazon.com/license-manager/latest/APIReference/API_ExtendLicenseConsumption.html";
    GRANT_STATUS = "AWS License Manager User Guide: License status for grants",
        "https://docs.aws.amazon.com/license-manager/latest/userguide/grant-statuses.html";
    GRANT_ACCEPTANCE = "AWS License Manager User Guide: Grant acceptance and activation",
        "https://docs.aws.amazon.com/license-manager/latest/userguide/grant-acceptance.html";
    CONSUMPTION_POLICY = "AWS Managed Policy Reference: AWSLicenseManagerConsumptionPolicy",
        "https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSLicenseManagerConsumptionPolicy.html";
    SERVICE_ACCOUNT = "Amazon EKS User Guide: Assign IAM roles to Kubernetes service accounts",
        "https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html";
    TASK_ROLE = "Amazon ECS Developer Guide: Amazon ECS task IAM role",
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html";
}
