# Generated from core/src/config/keys.rs by `cargo xtask generate`; do not edit.
"""Types of the configuration: what `mpguard.init` takes as keywords."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal, TypedDict


class _PublicKeyRequired(TypedDict):
    version: int
    """Source: RegisterUsage, member `PublicKeyVersion`."""
    pem: str
    """`BEGIN PUBLIC KEY` block."""


class PublicKey(_PublicKeyRequired, total=False):
    """One entry of `public_keys`."""


class _TrustedProductRequired(TypedDict):
    code: str
    """Product code."""


class TrustedProduct(_TrustedProductRequired, total=False):
    """One entry of `trusted_products`."""

    plan: Literal["paid", "free"] | None
    """A free product's code never satisfies paid pricing. Default: `paid`."""
    sku: str | None
    """Product SKU (Product ID), for contracts. Source: CheckoutLicense, member `ProductSKU`."""
    public_keys: Sequence[PublicKey] | None
    """Public keys that AWS gave for the product; the newest version is used. For hourly pricing. Default: []."""


class _DimensionRequired(TypedDict):
    name: str
    """API name of the dimension. Source: MeterUsage, member `UsageDimension`."""


class Dimension(_DimensionRequired, total=False):
    """One entry of `dimensions`."""

    kind: Literal["sum", "max", "last"] | None
    """How values of an hour combine. Late sums are carried, late levels (`max`, `last`) are missed. Default: `sum`."""
    per_unit: int | None
    """Raw counts in one billed unit; the remainder is kept for a later hour. A whole number from 1 to 1000000000000000. Default: 1."""
    fraction_digits: int | None
    """Decimals of the billed quantity. With any, or beyond 2147483647 units, the hour goes out as UsageQuantityAsDecimal. A whole number from 0 to 6. Default: 0."""
    ceiling: int | None
    """Most units that one hour may bill; what is above moves to later hours. A whole number from 1 to 9999999999."""


class _EntitlementRequired(TypedDict):
    name: str
    """API name of the contract dimension. Source: CheckoutLicense, entitlement `Name`."""
    kind: Literal["floating", "drawdown", "tier"]
    """`floating` seats are checked out and in; `drawdown` units are prepaid and drawn for good; a `tier` is bought or not."""


class Entitlement(_EntitlementRequired, total=False):
    """One entry of `entitlements`."""

    unit: Literal["Count", "None", "Seconds", "Microseconds", "Milliseconds", "Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes", "Bits", "Kilobits", "Megabits", "Gigabits", "Terabits", "Percent", "Bytes/Second", "Kilobytes/Second", "Megabytes/Second", "Gigabytes/Second", "Terabytes/Second", "Bits/Second", "Kilobits/Second", "Megabits/Second", "Gigabits/Second", "Terabits/Second", "Count/Second"] | None
    """AWS's unit word; `Count` for floating and drawdown and `None` for tiers when it is left out."""
    batch: int | None
    """Drawdown: how many units are drawn from the contract at once, at least; what is not booked yet serves the next calls. 1 when it is left out: each call draws what it needs. Drawn units cannot be returned, so keep it small. A whole number from 1 to 1000000000."""
    low: int | None
    """Drawdown: units left in the contract at which `drawdown_low` is told; a tenth of the purchased amount when it is left out. Needs `license-manager:GetLicenseUsage`. A whole number from 0 to 1000000000000."""


class _ConfigRequired(TypedDict):
    pricing: Literal["hourly", "usage", "contract", "hourly+contract", "usage+contract", "hourly+usage", "hourly+usage+contract"]
    """How the listing is priced. `hourly` (also fixed monthly) goes through RegisterUsage, `usage` (custom metering) through MeterUsage, `contract` through License Manager."""
    product_code: str
    """Product code of the listing. Source: MeterUsage, RegisterUsage, member `ProductCode`."""


class Config(_ConfigRequired, total=False):
    """Keys of the configuration."""

    trusted_products: Sequence[TrustedProduct] | None
    """Products that this build may stand for, written in the seller's code. When given, `product_code` must be among them, so a code from outside cannot name another product. Hourly pricing needs the public keys here, contract pricing the SKU. Default: []."""
    dimensions: Sequence[Dimension] | None
    """Pricing dimensions for custom metering, at most 24. Source: Seller Guide, usage pricing. Default: []."""
    entitlements: Sequence[Entitlement] | None
    """Contract dimensions. List tiers from the lowest to the highest: an upgrade is a step down the list. Default: []."""
    startup_timeout_ms: int | None
    """How long `init` waits for the first verdict, in milliseconds. AWS asks for at most 30 minutes. A whole number from 0 to 1800000. Default: 120000."""
    startup_timeout: timedelta | None
    """`startup_timeout_ms` as a timedelta."""
    startup_pending: Literal["wait", "fail"] | None
    """What `init` does when that time is over without an answer: `wait` gives a live guard whose verdict is pending, `fail` an error. AWS says that throttling must not stop a product. Default: `wait`."""
    startup_check: Literal["auto", "dry_run"] | None
    """How custom metering proves entitlement at start. `auto` takes the strongest proof that burns no billed hour; `dry_run` asks for the permission only. Default: `auto`."""
    probe_dimension: str | None
    """Dimension of the listing that bills nothing and is there for the start-up check alone: `auto` sends a record of zero on it, to which AWS answers by the subscription. Never one of `dimensions`, because a record of zero takes its hour. For usage pricing. Source: MeterUsage, recorded values cannot be modified."""
    idle_hours: Literal["silent", "zero_record"] | None
    """What an ended hour without units sends for a dimension: `silent` nothing, `zero_record` a record of zero, so that AWS sees the product run. A record of zero takes the hour, so it is sent only after the hour has ended, and what was added late is carried. Source: MeterUsage, once an hour; `UsageQuantity` 0 is valid. Default: `silent`."""
    state_dir: str | None
    """Directory that keeps usage and its account, as an absolute path. Put it on a volume that outlives the container: an ECS volume or an emptyDir, never a network filesystem. Without it, or where it cannot be used, the guard takes a weaker place and says so with `storage_weak`."""
    enforcement: Literal["report", "terminate"] | None
    """`terminate` lets the library end the process with status 77 on a definite denial at start, as AWS asks of products; `report` leaves it to the host. Default: `report`."""
    recheck_interval_ms: int | None
    """Time between looks at the contract, in milliseconds, spread by ±10 %. Source: Seller Guide, contract pricing for container products: every 15 minutes. A whole number from 60000 to 86400000. Default: 900000."""
    recheck_interval: timedelta | None
    """`recheck_interval_ms` as a timedelta."""
    grace_ms: int | None
    """How long a contract's last good answer holds when License Manager cannot be reached, in milliseconds. Never past the license's own end. A whole number from 0 to 2592000000. Default: 86400000."""
    grace: timedelta | None
    """`grace_ms` as a timedelta."""
    seat_linger_ms: int | None
    """How long seats stay with this process after the host has checked them in, in milliseconds: its next check out of as many takes them over without a call to AWS. 0 returns them at once. License Manager limits the rate of calls; a product with many short log-ins needs this. A whole number from 0 to 900000. Default: 5000."""
    seat_linger: timedelta | None
    """`seat_linger_ms` as a timedelta."""
    expiring_notice_ms: int | None
    """How long before the license's end `license_expiring` is announced, in milliseconds. A whole number from 0 to 31536000000. Default: 2592000000."""
    expiring_notice: timedelta | None
    """`expiring_notice_ms` as a timedelta."""
    outage_stop_ms: int | None
    """How long metering may fail before `metering_outage` is announced as serious, in milliseconds. Never under 2 hours. Source: Seller Guide, custom metering for AMI products. A whole number from 7200000 to 2592000000. Default: 7200000."""
    outage_stop: timedelta | None
    """`outage_stop_ms` as a timedelta."""
    proxy: str | None
    """Proxy for calls to AWS: `none`, `environment` (HTTPS_PROXY, else ALL_PROXY, with NO_PROXY; both cases) or a URL such as `http://user:password@proxy.example.com:3128`, user and password percent-encoded. Used for CONNECT only: TLS stays end to end on the trusted roots, so a proxy can delay but not forge, and one that inspects TLS is refused unless its CA is in `extra_ca_pem`. Link-local metadata and credentials are never asked for through a proxy. `https://` and SOCKS proxies are not supported. Default: `none`."""
    no_proxy: str | None
    """Hosts that are called without the proxy whose URL stands in `proxy`, between commas as in NO_PROXY: `example.com` stands for the domain and all below it, `*` for every host. With `proxy` = `environment` the buyer's NO_PROXY says it instead."""
    use_fips_endpoint: bool | None
    """Call AWS's FIPS hosts where AWS has them: License Manager and STS in us-east-1, us-east-2, us-west-1, us-west-2 and GovCloud. AWS Marketplace Metering has none in any Region, and there and elsewhere the standard host is called, because refusing would keep a product that must meter from running at all; `mpguard doctor` names each service that this leaves without. It chooses AWS's side only: the cryptography of this library is not FIPS-validated. AWS_USE_FIPS_ENDPOINT has no effect. Default: false."""
    use_dualstack_endpoint: bool | None
    """Call AWS's hosts that answer over IPv6 as well, such as `metering-marketplace.eu-west-1.api.aws`: for a network with IPv6 only. Metering has none in the European Sovereign Cloud; there its standard host is called. Together with `use_fips_endpoint` it calls `license-manager-fips.<Region>.api.aws` and its like. AWS_USE_DUALSTACK_ENDPOINT has no effect. Default: false."""
    extra_ca_pem: str | None
    """Root certificates to trust beside the bundled Amazon roots, as PEM, such as the CA of a proxy that inspects TLS. Whoever holds such a CA's key can answer in AWS's name, so it is taken from the seller's code only: no variable or file adds one. The bundled roots are the five that Amazon Trust Services asks trust stores to hold; those of the European Sovereign Cloud are cross-signed by them. Which authority signs for the China Regions is not published: should an endpoint there be refused for its issuer, give that root here."""
    issuer_fingerprint: str | None
    """Key fingerprint of the license issuer. Another than AWS Marketplace's is test mode: every verdict carries `sandbox`. Default: `aws:294406891311:AWS/Marketplace:issuer-fingerprint`."""
    sandbox: str | None
    """URL of a task in a sandbox, such as `http://127.0.0.1:4000/t/app`. Only loopback addresses are taken, and every verdict and event then carries `sandbox`."""
