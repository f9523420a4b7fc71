// Generated from core/src/config/keys.rs by `cargo xtask generate`; do not edit.

/** One entry of `publicKeys`. */
export interface PublicKey {
  /**
   * Source: RegisterUsage, member `PublicKeyVersion`.
   * A whole number from 1 to 2147483647.
   */
  readonly version: number
  /** `BEGIN PUBLIC KEY` block. */
  readonly pem: string
}

/** One entry of `trustedProducts`. */
export interface TrustedProduct {
  /** Product code. */
  readonly code: string
  /**
   * A free product's code never satisfies paid pricing.
   * @default 'paid'
   */
  readonly plan?: 'paid' | 'free' | undefined
  /** Product SKU (Product ID), for contracts. Source: CheckoutLicense, member `ProductSKU`. */
  readonly sku?: string | undefined
  /**
   * Public keys that AWS gave for the product; the newest version is used. For hourly pricing.
   * @default []
   */
  readonly publicKeys?: readonly PublicKey[] | undefined
}

/** One entry of `dimensions`. */
export interface Dimension {
  /** API name of the dimension. Source: MeterUsage, member `UsageDimension`. */
  readonly name: string
  /**
   * How values of an hour combine. Late sums are carried, late levels (`max`, `last`) are missed.
   * @default 'sum'
   */
  readonly kind?: 'sum' | 'max' | 'last' | undefined
  /**
   * Raw counts in one billed unit; the remainder is kept for a later hour.
   * A whole number from 1 to 1000000000000000.
   * @default 1
   */
  readonly perUnit?: number | undefined
  /**
   * Decimals of the billed quantity. With any, or beyond 2147483647 units, the hour goes out as UsageQuantityAsDecimal.
   * A whole number from 0 to 6.
   * @default 0
   */
  readonly fractionDigits?: number | undefined
  /**
   * Most units that one hour may bill; what is above moves to later hours.
   * A whole number from 1 to 9999999999.
   */
  readonly ceiling?: number | undefined
}

/** One entry of `entitlements`. */
export interface Entitlement {
  /** API name of the contract dimension. Source: CheckoutLicense, entitlement `Name`. */
  readonly name: string
  /** `floating` seats are checked out and in; `drawdown` units are prepaid and drawn for good; a `tier` is bought or not. */
  readonly kind: 'floating' | 'drawdown' | 'tier'
  /** AWS's unit word; `Count` for floating and drawdown and `None` for tiers when it is left out. */
  readonly unit?: 'Count' | 'None' | 'Seconds' | 'Microseconds' | 'Milliseconds' | 'Bytes' | 'Kilobytes' | 'Megabytes' | 'Gigabytes' | 'Terabytes' | 'Bits' | 'Kilobits' | 'Megabits' | 'Gigabits' | 'Terabits' | 'Percent' | 'Bytes/Second' | 'Kilobytes/Second' | 'Megabytes/Second' | 'Gigabytes/Second' | 'Terabytes/Second' | 'Bits/Second' | 'Kilobits/Second' | 'Megabits/Second' | 'Gigabits/Second' | 'Terabits/Second' | 'Count/Second' | undefined
  /**
   * Drawdown: how many units are drawn from the contract at once, at least; what is not booked yet serves the next calls. 1 when it is left out: each call draws what it needs. Drawn units cannot be returned, so keep it small.
   * A whole number from 1 to 1000000000.
   */
  readonly batch?: number | undefined
  /**
   * Drawdown: units left in the contract at which `drawdown_low` is told; a tenth of the purchased amount when it is left out. Needs `license-manager:GetLicenseUsage`.
   * A whole number from 0 to 1000000000000.
   */
  readonly low?: number | undefined
}

/** Options of `init`. */
export interface Config {
  /** How the listing is priced. `hourly` (also fixed monthly) goes through RegisterUsage, `usage` (custom metering) through MeterUsage, `contract` through License Manager. */
  readonly pricing: 'hourly' | 'usage' | 'contract' | 'hourly+contract' | 'usage+contract' | 'hourly+usage' | 'hourly+usage+contract'
  /** Product code of the listing. Source: MeterUsage, RegisterUsage, member `ProductCode`. */
  readonly productCode: string
  /**
   * Products that this build may stand for, written in the seller's code. When given, `productCode` must be among them, so a code from outside cannot name another product. Hourly pricing needs the public keys here, contract pricing the SKU.
   * @default []
   */
  readonly trustedProducts?: readonly TrustedProduct[] | undefined
  /**
   * Pricing dimensions for custom metering, at most 24. Source: Seller Guide, usage pricing.
   * @default []
   */
  readonly dimensions?: readonly Dimension[] | undefined
  /**
   * Contract dimensions. List tiers from the lowest to the highest: an upgrade is a step down the list.
   * @default []
   */
  readonly entitlements?: readonly Entitlement[] | undefined
  /**
   * How long `init` waits for the first verdict, in milliseconds. AWS asks for at most 30 minutes.
   * A whole number from 0 to 1800000.
   * @default 120000
   */
  readonly startupTimeoutMs?: number | undefined
  /**
   * What `init` does when that time is over without an answer: `wait` gives a live guard whose verdict is pending, `fail` an error. AWS says that throttling must not stop a product.
   * @default 'wait'
   */
  readonly startupPending?: 'wait' | 'fail' | undefined
  /**
   * How custom metering proves entitlement at start. `auto` takes the strongest proof that burns no billed hour; `dry_run` asks for the permission only.
   * @default 'auto'
   */
  readonly startupCheck?: 'auto' | 'dry_run' | undefined
  /** Dimension of the listing that bills nothing and is there for the start-up check alone: `auto` sends a record of zero on it, to which AWS answers by the subscription. Never one of `dimensions`, because a record of zero takes its hour. For usage pricing. Source: MeterUsage, recorded values cannot be modified. */
  readonly probeDimension?: string | undefined
  /**
   * What an ended hour without units sends for a dimension: `silent` nothing, `zero_record` a record of zero, so that AWS sees the product run. A record of zero takes the hour, so it is sent only after the hour has ended, and what was added late is carried. Source: MeterUsage, once an hour; `UsageQuantity` 0 is valid.
   * @default 'silent'
   */
  readonly idleHours?: 'silent' | 'zero_record' | undefined
  /** Directory that keeps usage and its account, as an absolute path. Put it on a volume that outlives the container: an ECS volume or an emptyDir, never a network filesystem. Without it, or where it cannot be used, the guard takes a weaker place and says so with `storage_weak`. */
  readonly stateDir?: string | undefined
  /**
   * `terminate` lets the library end the process with status 77 on a definite denial at start, as AWS asks of products; `report` leaves it to the host.
   * @default 'report'
   */
  readonly enforcement?: 'report' | 'terminate' | undefined
  /**
   * Time between looks at the contract, in milliseconds, spread by ±10 %. Source: Seller Guide, contract pricing for container products: every 15 minutes.
   * A whole number from 60000 to 86400000.
   * @default 900000
   */
  readonly recheckIntervalMs?: number | undefined
  /**
   * How long a contract's last good answer holds when License Manager cannot be reached, in milliseconds. Never past the license's own end.
   * A whole number from 0 to 2592000000.
   * @default 86400000
   */
  readonly graceMs?: number | undefined
  /**
   * How long seats stay with this process after the host has checked them in, in milliseconds: its next check out of as many takes them over without a call to AWS. 0 returns them at once. License Manager limits the rate of calls; a product with many short log-ins needs this.
   * A whole number from 0 to 900000.
   * @default 5000
   */
  readonly seatLingerMs?: number | undefined
  /**
   * How long before the license's end `license_expiring` is announced, in milliseconds.
   * A whole number from 0 to 31536000000.
   * @default 2592000000
   */
  readonly expiringNoticeMs?: number | undefined
  /**
   * How long metering may fail before `metering_outage` is announced as serious, in milliseconds. Never under 2 hours. Source: Seller Guide, custom metering for AMI products.
   * A whole number from 7200000 to 2592000000.
   * @default 7200000
   */
  readonly outageStopMs?: number | undefined
  /**
   * Proxy for calls to AWS: `none`, `environment` (HTTPS_PROXY, else ALL_PROXY, with NO_PROXY; both cases) or a URL such as `http://user:password@proxy.example.com:3128`, user and password percent-encoded. Used for CONNECT only: TLS stays end to end on the trusted roots, so a proxy can delay but not forge, and one that inspects TLS is refused unless its CA is in `extraCaPem`. Link-local metadata and credentials are never asked for through a proxy. `https://` and SOCKS proxies are not supported.
   * @default 'none'
   */
  readonly proxy?: string | undefined
  /** Hosts that are called without the proxy whose URL stands in `proxy`, between commas as in NO_PROXY: `example.com` stands for the domain and all below it, `*` for every host. With `proxy` = `environment` the buyer's NO_PROXY says it instead. */
  readonly noProxy?: string | undefined
  /**
   * Call AWS's FIPS hosts where AWS has them: License Manager and STS in us-east-1, us-east-2, us-west-1, us-west-2 and GovCloud. AWS Marketplace Metering has none in any Region, and there and elsewhere the standard host is called, because refusing would keep a product that must meter from running at all; `mpguard doctor` names each service that this leaves without. It chooses AWS's side only: the cryptography of this library is not FIPS-validated. AWS_USE_FIPS_ENDPOINT has no effect.
   * @default false
   */
  readonly useFipsEndpoint?: boolean | undefined
  /**
   * Call AWS's hosts that answer over IPv6 as well, such as `metering-marketplace.eu-west-1.api.aws`: for a network with IPv6 only. Metering has none in the European Sovereign Cloud; there its standard host is called. Together with `useFipsEndpoint` it calls `license-manager-fips.<Region>.api.aws` and its like. AWS_USE_DUALSTACK_ENDPOINT has no effect.
   * @default false
   */
  readonly useDualstackEndpoint?: boolean | undefined
  /** Root certificates to trust beside the bundled Amazon roots, as PEM, such as the CA of a proxy that inspects TLS. Whoever holds such a CA's key can answer in AWS's name, so it is taken from the seller's code only: no variable or file adds one. The bundled roots are the five that Amazon Trust Services asks trust stores to hold; those of the European Sovereign Cloud are cross-signed by them. Which authority signs for the China Regions is not published: should an endpoint there be refused for its issuer, give that root here. */
  readonly extraCaPem?: string | undefined
  /**
   * Key fingerprint of the license issuer. Another than AWS Marketplace's is test mode: every verdict carries `sandbox`.
   * @default 'aws:294406891311:AWS/Marketplace:issuer-fingerprint'
   */
  readonly issuerFingerprint?: string | undefined
  /** URL of a task in a sandbox, such as `http://127.0.0.1:4000/t/app`. Only loopback addresses are taken, and every verdict and event then carries `sandbox`. */
  readonly sandbox?: string | undefined
}
