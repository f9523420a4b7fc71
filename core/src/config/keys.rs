//! The table of keys.

use super::invalid;
use crate::error::Result;

/// One key of the configuration, or of an object inside it.
#[derive(Debug)]
pub struct Key {
    /// Its name, the same in every language (Node: in camelCase).
    pub name: &'static str,
    /// What values it takes.
    pub shape: Shape,
    /// Must be given.
    pub required: bool,
    /// Default as JSON text; empty when there is none.
    pub default: &'static str,
    /// What it means, with its unit and source.
    pub doc: &'static str,
}

/// What values a key takes.
#[derive(Debug)]
pub enum Shape {
    /// Any text that is not empty.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number in a range.
    Integer {
        /// Smallest allowed.
        min: u64,
        /// Largest allowed.
        max: u64,
    },
    /// `true` or `false`.
    Flag,
    /// One or more PEM blocks.
    Pem,
    /// A list of objects with these keys.
    List(&'static [Key]),
}

impl Shape {
    /// What is allowed, for an error text.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Shape::Text => "a text that is not empty".into(),
            Shape::Word(words) => format!("one of `{}`", words.join("`, `")),
            Shape::Integer { min, max } => format!("a whole number from {min} to {max}"),
            Shape::Flag => "`true` or `false`".into(),
            Shape::Pem => "PEM text that begins with `-----BEGIN`".into(),
            Shape::List(_) => "a list of objects".into(),
        }
    }
}

/// Finds a key by name.
pub(super) fn find(name: &str) -> Result<&'static Key> {
    KEYS.iter().find(|key| key.name == name).ok_or_else(|| {
        let hint = nearest(name, KEYS)
            .map(|near| format!("; did you mean `{near}`?"))
            .unwrap_or_else(|| "; docs/CONFIGURATION.md lists every key".into());
        invalid(format!("unknown configuration key `{name}`{hint}"))
    })
}

/// The known key most like `name`, when one is close.
pub fn nearest(name: &str, keys: &'static [Key]) -> Option<&'static str> {
    let plain = |text: &str| text.replace(['_', '-'], "").to_lowercase();
    keys.iter()
        .map(|key| (distance(&plain(name), &plain(key.name)), key.name))
        .min()
        .filter(|(far, near)| *far <= near.len() / 3)
        .map(|(_, near)| near)
}

/// Levenshtein's edit distance between two short ASCII words.
#[must_use]
pub fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut corner = i;
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let change = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

const DAY_MS: u64 = 86_400_000;

/// Every key. docs/CONFIGURATION.md, the JSON schema and the types of Python and Node are made from it.
pub static KEYS: &[Key] = &[
    Key {
        name: "pricing",
        shape: Shape::Word(&[
            "hourly",
            "usage",
            "contract",
            "hourly+contract",
            "usage+contract",
            "hourly+usage",
            "hourly+usage+contract",
        ]),
        required: true,
        default: "",
        doc: "How the listing is priced. `hourly` (also fixed monthly) goes through RegisterUsage, `usage` \
              (custom metering) through MeterUsage, `contract` through License Manager.",
    },
    Key {
        name: "product_code",
        shape: Shape::Text,
        required: true,
        default: "",
        doc: "Product code of the listing. Source: MeterUsage, RegisterUsage, member `ProductCode`.",
    },
    Key {
        name: "trusted_products",
        shape: Shape::List(PRODUCT_KEYS),
        required: false,
        default: "[]",
        doc: "Products that this build may stand for, written in the seller's code. When given, `product_code` \
              must be among them, so a code from outside cannot name another product. Hourly pricing needs \
              the public keys here, contract pricing the SKU.",
    },
    Key {
        name: "dimensions",
        shape: Shape::List(DIMENSION_KEYS),
        required: false,
        default: "[]",
        doc: "Pricing dimensions for custom metering, at most 24. Source: Seller Guide, usage pricing.",
    },
    Key {
        name: "entitlements",
        shape: Shape::List(ENTITLEMENT_KEYS),
        required: false,
        default: "[]",
        doc: "Contract dimensions. List tiers from the lowest to the highest: an upgrade is a step down the list.",
    },
    Key {
        name: "startup_timeout_ms",
        shape: Shape::Integer { min: 0, max: 1_800_000 },
        required: false,
        default: "120000",
        doc: "How long `init` waits for the first verdict, in milliseconds. AWS asks for at most 30 minutes.",
    },
    Key {
        name: "startup_pending",
        shape: Shape::Word(&["wait", "fail"]),
        required: false,
        default: "\"wait\"",
        doc: "What `init` does when that time is over without an answer: `wait` gives a live guard whose verdict is \
              pending, `fail` an error. AWS says that throttling must not stop a product.",
    },
    Key {
        name: "startup_check",
        shape: Shape::Word(&["auto", "dry_run"]),
        required: false,
        default: "\"auto\"",
        doc: "How custom metering proves entitlement at start. `auto` takes the strongest proof that burns no billed hour; \
              `dry_run` asks for the permission only.",
    },
    Key {
        name: "probe_dimension",
        shape: Shape::Text,
        required: false,
        default: "",
        doc: "Dimension of the listing that bills nothing and is there for the start-up check alone: `auto` sends a record \
              of zero on it, to which AWS answers by the subscription. Never one of `dimensions`, because a record of zero \
              takes its hour. For usage pricing. Source: MeterUsage, recorded values cannot be modified.",
    },
    Key {
        name: "idle_hours",
        shape: Shape::Word(&["silent", "zero_record"]),
        required: false,
        default: "\"silent\"",
        doc: "What an ended hour without units sends for a dimension: `silent` nothing, `zero_record` a record of zero, so \
              that AWS sees the product run. A record of zero takes the hour, so it is sent only after the hour has ended, \
              and what was added late is carried. Source: MeterUsage, once an hour; `UsageQuantity` 0 is valid.",
    },
    Key {
        name: "state_dir",
        shape: Shape::Text,
        required: false,
        default: "",
        doc: "Directory that keeps usage and its account, as an absolute path. Put it on a volume that outlives the \
              container: an ECS volume or an emptyDir, never a network filesystem. Without it, or where it cannot be used, \
              the guard takes a weaker place and says so with `storage_weak`.",
    },
    Key {
        name: "enforcement",
        shape: Shape::Word(&["report", "terminate"]),
        required: false,
        default: "\"report\"",
        doc: "`terminate` lets the library end the process with status 77 on a definite denial at start, as AWS asks of products; \
              `report` leaves it to the host.",
    },
    Key {
        name: "recheck_interval_ms",
        shape: Shape::Integer { min: 60_000, max: DAY_MS },
        required: false,
        default: "900000",
        doc: "Time between looks at the contract, in milliseconds, spread by ±10 %. Source: Seller Guide, contract pricing \
              for container products: every 15 minutes.",
    },
    Key {
        name: "grace_ms",
        shape: Shape::Integer { min: 0, max: 30 * DAY_MS },
        required: false,
        default: "86400000",
        doc: "How long a contract's last good answer holds when License Manager cannot be reached, in milliseconds. \
              Never past the license's own end.",
    },
    Key {
        name: "seat_linger_ms",
        shape: Shape::Integer { min: 0, max: 900_000 },
        required: false,
        default: "5000",
        doc: "How long seats stay with this process after the host has checked them in, in milliseconds: its next check out \
              of as many takes them over without a call to AWS. 0 returns them at once. License Manager limits the rate of \
              calls; a product with many short log-ins needs this.",
    },
    Key {
        name: "expiring_notice_ms",
        shape: Shape::Integer { min: 0, max: 365 * DAY_MS },
        required: false,
        default: "2592000000",
        doc: "How long before the license's end `license_expiring` is announced, in milliseconds.",
    },
    Key {
        name: "outage_stop_ms",
        shape: Shape::Integer { min: 7_200_000, max: 30 * DAY_MS },
        required: false,
        default: "7200000",
        doc: "How long metering may fail before `metering_outage` is announced as serious, in milliseconds. Never under 2 hours. Source: \
              Seller Guide, custom metering for AMI products.",
    },
    Key {
        name: "proxy",
        shape: Shape::Text,
        required: false,
        default: "\"none\"",
        doc: "Proxy for calls to AWS: `none`, `environment` (HTTPS_PROXY, else ALL_PROXY, with NO_PROXY; both cases) or a URL \
              such as `http://user:password@proxy.example.com:3128`, user and password percent-encoded. Used for CONNECT \
              only: TLS stays end to end on the trusted roots, so a proxy can delay but not forge, and one that inspects \
              TLS is refused unless its CA is in `extra_ca_pem`. Link-local metadata and credentials are never asked for \
              through a proxy. `https://` and SOCKS proxies are not supported.",
    },
    Key {
        name: "no_proxy",
        shape: Shape::Text,
        required: false,
        default: "",
        doc: "Hosts that are called without the proxy whose URL stands in `proxy`, between commas as in NO_PROXY: \
              `example.com` stands for the domain and all below it, `*` for every host. With `proxy` = `environment` the \
              buyer's NO_PROXY says it instead.",
    },
    Key {
        name: "use_fips_endpoint",
        shape: Shape::Flag,
        required: false,
        default: "false",
        doc: "Call AWS's FIPS hosts where AWS has them: License Manager and STS in us-east-1, us-east-2, us-west-1, us-west-2 \
              and GovCloud. AWS Marketplace Metering has none in any Region, and there and elsewhere the standard host is \
              called, because refusing would keep a product that must meter from running at all; `mpguard doctor` names \
              each service that this leaves without. It chooses AWS's side only: the cryptography of this library is not \
              FIPS-validated. AWS_USE_FIPS_ENDPOINT has no effect.",
    },
    Key {
        name: "use_dualstack_endpoint",
        shape: Shape::Flag,
        required: false,
        default: "false",
        doc: "Call AWS's hosts that answer over IPv6 as well, such as `metering-marketplace.eu-west-1.api.aws`: for a network \
              with IPv6 only. Metering has none in the European Sovereign Cloud; there its standard host is called. Together \
              with `use_fips_endpoint` it calls `license-manager-fips.<Region>.api.aws` and its like. \
              AWS_USE_DUALSTACK_ENDPOINT has no effect.",
    },
    Key {
        name: "extra_ca_pem",
        shape: Shape::Pem,
        required: false,
        default: "",
        doc: "Root certificates to trust beside the bundled Amazon roots, as PEM, such as the CA of a proxy that inspects TLS. \
              Whoever holds such a CA's key can answer in AWS's name, so it is taken from the seller's code only: no \
              variable or file adds one. The bundled roots are the five that Amazon Trust Services asks trust stores to \
              hold; those of the European Sovereign Cloud are cross-signed by them. Which authority signs for the China \
              Regions is not published: should an endpoint there be refused for its issuer, give that root here.",
    },
    Key {
        name: "issuer_fingerprint",
        shape: Shape::Text,
        required: false,
        default: "\"aws:294406891311:AWS/Marketplace:issuer-fingerprint\"",
        doc: "Key fingerprint of the license issuer. Another than AWS Marketplace's is test mode: every verdict carries `sandbox`.",
    },
    Key {
        name: "sandbox",
        shape: Shape::Text,
        required: false,
        default: "",
        doc: "URL of a task in a sandbox, such as `http://127.0.0.1:4000/t/app`. Only loopback addresses are taken, and every \
              verdict and event then carries `sandbox`.",
    },
];

static PRODUCT_KEYS: &[Key] = &[
    Key { name: "code", shape: Shape::Text, required: true, default: "", doc: "Product code." },
    Key {
        name: "plan",
        shape: Shape::Word(&["paid", "free"]),
        required: false,
        default: "\"paid\"",
        doc: "A free product's code never satisfies paid pricing.",
    },
    Key {
        name: "sku",
        shape: Shape::Text,
        required: false,
        default: "",
        doc: "Product SKU (Product ID), for contracts. Source: CheckoutLicense, member `ProductSKU`.",
    },
    Key {
        name: "public_keys",
        shape: Shape::List(PUBLIC_KEY_KEYS),
        required: false,
        default: "[]",
        doc: "Public keys that AWS gave for the product; the newest version is used. For hourly pricing.",
    },
];

static PUBLIC_KEY_KEYS: &[Key] = &[
    Key {
        name: "version",
        shape: Shape::Integer { min: 1, max: 2_147_483_647 },
        required: true,
        default: "",
        doc: "Source: RegisterUsage, member `PublicKeyVersion`.",
    },
    Key {
        name: "pem",
        shape: Shape::Pem,
        required: true,
        default: "",
        doc: "`BEGIN PUBLIC KEY` block.",
    },
];

static DIMENSION_KEYS: &[Key] = &[
    Key {
        name: "name",
        shape: Shape::Text,
        required: true,
        default: "",
        doc: "API name of the dimension. Source: MeterUsage, member `UsageDimension`.",
    },
    Key {
        name: "kind",
        shape: Shape::Word(&["sum", "max", "last"]),
        required: false,
        default: "\"sum\"",
        doc: "How values of an hour combine. Late sums are carried, late levels (`max`, `last`) are missed.",
    },
    Key {
        name: "per_unit",
        shape: Shape::Integer { min: 1, max: 1_000_000_000_000_000 },
        required: false,
        default: "1",
        doc: "Raw counts in one billed unit; the remainder is kept for a later hour.",
    },
    Key {
        name: "fraction_digits",
        shape: Shape::Integer { min: 0, max: 6 },
        required: false,
        default: "0",
        doc: "Decimals of the billed quantity. With any, or beyond 2147483647 units, the hour goes out as \
              UsageQuantityAsDecimal.",
    },
    Key {
        name: "ceiling",
        shape: Shape::Integer { min: 1, max: 9_999_999_999 },
        required: false,
        default: "",
        doc: "Most units that one hour may bill; what is above moves to later hours.",
    },
];

static ENTITLEMENT_KEYS: &[Key] = &[
    Key {
        name: "name",
        shape: Shape::Text,
        required: true,
        default: "",
        doc: "API name of the contract dimension. Source: CheckoutLicense, entitlement `Name`.",
    },
    Key {
        name: "kind",
        shape: Shape::Word(&["floating", "drawdown", "tier"]),
        required: true,
        default: "",
        doc: "`floating` seats are checked out and in; `drawdown` units are prepaid and drawn for good; a `tier` is bought or \
              not.",
    },
    Key {
        name: "unit",
        shape: Shape::Word(UNITS),
        required: false,
        default: "",
        doc: "AWS's unit word; `Count` for floating and drawdown and `None` for tiers when it is left out.",
    },
    Key {
        name: "batch",
        shape: Shape::Integer { min: 1, max: 1_000_000_000 },
        required: false,
        default: "",
        doc: "Drawdown: how many units are drawn from the contract at once, at least; what is not booked yet serves the next \
              calls. 1 when it is left out: each call draws what it needs. Drawn units cannot be returned, so keep it small.",
    },
    Key {
        name: "low",
        shape: Shape::Integer { min: 0, max: 1_000_000_000_000 },
        required: false,
        default: "",
        doc: "Drawdown: units left in the contract at which `drawdown_low` is told; a tenth of the purchased amount when it is \
              left out. Needs `license-manager:GetLicenseUsage`.",
    },
];

/// Source: License Manager model, enum `EntitlementUnit`.
static UNITS: &[&str] = &[
    "Count",
    "None",
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
];
