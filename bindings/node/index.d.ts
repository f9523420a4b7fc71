// Public types, kept by hand. Options come from config.d.ts, which is generated.

import { EventEmitter } from 'node:events'
import { Config } from './config'

export { Config, TrustedProduct, PublicKey, Dimension } from './config'
export { Entitlement as EntitlementOptions } from './config'

/** May the product run? Unknown is never licensed. */
export type Verdict = 'pending' | 'licensed' | 'grace' | 'denied'

/** Why the verdict is what it is. More words may be added. */
export type Reason =
  | 'starting'
  | 'entitled'
  | 'unreachable'
  | 'throttled'
  | 'access_denied'
  | 'not_entitled'
  | 'expired'
  | 'suspended'
  | 'stale'
  | 'platform_not_supported'
  | 'invalid_region'
  | 'invalid_product'
  | 'signature_invalid'
  | 'no_seat'
  | 'shut_down'

/** What happened. Each is also the name of a Node event. More words may be added. */
export type EventKind =
  | 'verdict_changed'
  | 'license_upgraded'
  | 'license_downgraded'
  | 'license_renewed'
  | 'license_expiring'
  | 'license_expired'
  | 'license_suspended'
  | 'seat_lost'
  | 'seats_exhausted'
  | 'seats_available'
  | 'usage_carried'
  | 'usage_disputed'
  | 'usage_held'
  | 'usage_missed'
  | 'metering_outage'
  | 'metering_recovered'
  | 'usage_crossed_month'
  | 'key_rotation'
  | 'weak_key'
  | 'permission_missing'
  | 'storage_weak'
  | 'clock_skew'
  | 'storage_quarantined'
  | 'ledger_split'
  | 'leader_stalled'
  | 'unit_mismatch'
  | 'several_licenses'
  | 'license_cache_refused'
  | 'drawdown_low'
  | 'drawdown_exhausted'
  | 'drawdown_disputed'

/** What an event is about. For a slow reader, of each topic and subject only the newest event is kept. */
export type Topic = 'verdict' | 'license' | 'seat' | 'metering' | 'outage' | 'setup' | 'storage' | 'drawdown'

/** What went wrong; the word to branch on. More words may be added. */
export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'INVALID_CONFIG'
  | 'UNKNOWN_DIMENSION'
  | 'INVALID_TAG'
  | 'UNKNOWN_ENTITLEMENT'
  | 'QUANTITY_OUT_OF_RANGE'
  | 'WRONG_METER_KIND'
  | 'STALE_HANDLE'
  | 'SHUT_DOWN'
  | 'PENDING'
  | 'TIMED_OUT'
  | 'UNAVAILABLE'
  | 'NO_SEAT'
  | 'DEFERRED'
  | 'NOT_ENTITLED'
  | 'ACCESS_DENIED'
  | 'PLATFORM_NOT_SUPPORTED'
  | 'INVALID_REGION'
  | 'INVALID_PRODUCT'
  | 'SIGNATURE_INVALID'
  | 'LICENSE_ENDED'
  | 'EXHAUSTED'
  | 'STORAGE'
  | 'THREAD'
  | 'INTERNAL'

/** What to do about an error: fix the call, wait and retry, show the buyer, repair the place, report a bug. */
export type ErrorKind = 'usage' | 'retry' | 'entitlement' | 'environment' | 'internal'

/** Every error of this package. */
export declare class MpguardError extends Error {
  /** For tests of your own product. */
  constructor(code: ErrorCode, message: string)
  get name(): 'MpguardError'
  readonly code: ErrorCode
  /** The same number as in C: 0 is success, hundreds group by kind. */
  readonly number: number
  readonly kind: ErrorKind
  /** True when the same call may succeed later. */
  readonly retryable: boolean
}

/** One entitlement of the contract's license. */
export interface Entitlement {
  /** API name of the contract dimension. */
  readonly name: string
  /** AWS's unit word: `None` for a tier, `Count` for seats, `Gigabytes` and others for amounts. */
  readonly unit: string
  readonly value: string | null
  /** Purchased amount of a counted entitlement, when it is known. */
  readonly maxCount: number | null
  /** How much of it everybody together has taken, when AWS tells: it needs `license-manager:GetLicenseUsage`. */
  readonly consumed: number | null
}

/** A snapshot of everything that a product asks about its license. */
export interface License {
  readonly verdict: Verdict
  readonly reason: Reason
  /** What to tell a person: what failed, on which thing, and the next step. */
  readonly text: string
  /** When the verdict took this value, in epoch milliseconds. */
  readonly sinceMs: number
  /** Until when it holds if AWS says nothing more, in epoch milliseconds. */
  readonly untilMs: number | null
  /** True when it comes from a sandbox and proves nothing. */
  readonly sandbox: boolean
  readonly entitlements: readonly Entitlement[]
  readonly licenseArn: string | null
  readonly licenseVersion: string | null
}

/** What changed, with the whole new state: nobody has to add events up. */
export interface Event<K extends EventKind = EventKind> {
  /** Grows with each event of a guard. */
  readonly sequence: number
  readonly kind: K
  readonly topic: Topic
  /** Which of many: the number of a seat, an entitlement, an operation. */
  readonly subject: string | null
  /** The state before. */
  readonly old: License
  /** The state after. */
  readonly license: License
  /** What happened, on which thing, and the next step. */
  readonly text: string
  readonly timeMs: number
  readonly sandbox: boolean
  /** More of this kind's facts: `dimension`, `hourMs`, `units`, `entitlement`, `seat` and others. */
  readonly details: Readonly<Record<string, unknown>>
}

/**
 * Where every raw count of a dimension, or every unit of a drawdown entitlement, is:
 * `added = open + pending + delivered + disputed + held + missed`.
 */
export interface Account<N = number> {
  /** API name of the dimension or entitlement. */
  readonly dimension: string
  /** Everything that was counted, or drawn. */
  readonly added: N
  /** In the running hour; drawn and not booked. */
  readonly open: N
  /** Of an ended hour, not yet answered for; being drawn. */
  readonly pending: N
  /** Recorded by AWS; booked. */
  readonly delivered: N
  /** Fate unknown for good: neither sent or drawn again, nor forgotten. */
  readonly disputed: N
  /** Refused by AWS until somebody repairs the set-up. */
  readonly held: N
  /** Levels whose hour can no longer be reported. */
  readonly missed: N
}

/** What `flush` came to, in raw counts. */
export interface FlushReport<N = number> {
  /** Recorded by AWS during the flush. */
  readonly recorded: N
  /** Of ended hours, not recorded yet. */
  readonly pending: N
}

/** What `shutdown` came to, in raw counts. */
export interface ShutdownReport<N = number> {
  /** Recorded by AWS during the shutdown. */
  readonly recorded: N
  /** Not recorded yet. */
  readonly pending: N
  /** Fate unknown. */
  readonly disputed: N
  /** Seats checked in. */
  readonly seatsReturned: N
  /** True when some pending usage lives in a place that ends with this process. */
  readonly mayBeLost: boolean
  readonly accounts: readonly Account<N>[]
}

/** Counts since `init`. */
export interface Stats {
  /** Calls to AWS. */
  readonly calls: number
  /** Calls that gave no answer to decide on. */
  readonly callsFailed: number
  /** Events announced. */
  readonly events: number
  /** Events replaced by a newer one of their topic before a listener took them. */
  readonly eventsReplaced: number
  /** Listeners that threw, or whose promise was rejected. */
  readonly listenerFailures: number
  /** Where usage is kept. */
  readonly storage: 'durable' | 'container' | 'memory'
  /** True when they come from a sandbox and say nothing of AWS. */
  readonly sandbox: boolean
}

/** Numbers as `bigint`, exact beyond 2^53 - 1 (as `fs.stat` does it). */
export interface Exact {
  readonly bigint: true
}

/** A counter for one dimension and tag set, to keep and count on. */
export declare class Meter {
  private constructor()
  /** API name of the dimension. */
  readonly dimension: string
  /** Tags that its usage is reported under. */
  readonly tags: Readonly<Record<string, string>>
  /**
   * Adds raw counts to the running hour; for dimensions of kind `sum`. May be taken off the meter:
   * `const { add } = guard.meter('requests')`.
   *
   * @param quantity A whole number from 0 to 2^53 - 1, or a bigint up to 2^56 - 1.
   * @throws {MpguardError} `QUANTITY_OUT_OF_RANGE`, `INVALID_ARGUMENT`, `WRONG_METER_KIND`, `SHUT_DOWN`; nothing was counted.
   */
  readonly add: (quantity: number | bigint) => void
  /**
   * Says what the level is now; for dimensions of kind `max` and `last`.
   *
   * @throws {MpguardError} As `add`.
   */
  readonly set: (quantity: number | bigint) => void
}

/** Seats that are ours until checked in. A forgotten one is checked in when it is collected. */
export declare class Seat implements AsyncDisposable {
  private constructor()
  /** Number of this seat in its guard; events about it carry it as `seat` in their details. */
  readonly number: number
  /** API name of the entitlement. */
  readonly entitlement: string
  /** How many seats. */
  readonly count: number
  /** True while AWS holds the seats for us; false once lost or checked in. */
  get held(): boolean
  /** When they would return by themselves if nothing extended them, in epoch milliseconds. */
  get expiresMs(): number
  /**
   * Returns the seats. For `seatLingerMs` they stay with this process, so that its next check out needs no call to
   * AWS; with 0 this waits for AWS's answer. A second call does nothing.
   *
   * @throws {MpguardError} `UNAVAILABLE`: the seats return by themselves at `expiresMs`.
   */
  checkIn(): Promise<void>
  /** `checkIn`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** Events as an async iterator; it ends with the guard. */
export interface Events extends AsyncIterableIterator<Event>, AsyncDisposable {
  return(value?: unknown): Promise<IteratorResult<Event>>
  [Symbol.asyncIterator](): Events
}

/** Names of Node events and what their listeners get. */
export type GuardEvents = { event: [event: Event] } & { [K in EventKind]: [event: Event<K>] }

export interface CheckOutOptions {
  /** How many seats. @default 1 */
  readonly count?: number | undefined
  /** How long to wait, for AWS and for a seat to come free. @default 30000 */
  readonly timeoutMs?: number | undefined
  /** Ends the wait; it then takes no seat, and the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal | null | undefined
}

export interface DrawDownOptions {
  /** How long to wait for AWS. @default 30000 */
  readonly timeoutMs?: number | undefined
  /** Ends the wait; it then books nothing, and the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal | null | undefined
}

export interface DeadlineOptions {
  /** How long it may take. @default 30000 */
  readonly deadlineMs?: number | undefined
  readonly bigint?: false | undefined
}

/**
 * The live object, made by `init`.
 *
 * It emits `'event'` for everything and each event once more under its kind. A listener that throws stops
 * neither the others nor the process: it is counted in `stats()` and reported as a process warning with
 * code `MPGUARD_LISTENER_FAILED`.
 *
 * A live guard never keeps the process alive; a pending promise of it does. When its thread of JavaScript
 * ends (natural end, `process.exit`, `worker.terminate`) it is shut down within five seconds; call
 * `shutdown` yourself to read the report.
 */
export declare class Guard extends EventEmitter<GuardEvents> implements AsyncDisposable {
  private constructor()
  /** May the product run? Never waits. */
  get verdict(): Verdict
  /** Verdict, reason and entitlements at this moment. Never waits. */
  get license(): License
  /**
   * Succeeds when the product may run now. Never waits.
   *
   * @throws {MpguardError} `PENDING`, or the code of the denial with what the buyer must do.
   */
  require(): void
  /** True when the product may run now and its contract has this entitlement. Never waits. */
  has(feature: string): boolean
  /**
   * The counter of one dimension and tag set; the same arguments give the same counter.
   *
   * @param tags At most 5; usage is split by them in the record (usage allocations).
   * @throws {MpguardError} `UNKNOWN_DIMENSION`, `INVALID_TAG`, `SHUT_DOWN`.
   */
  meter(dimension: string, tags?: Readonly<Record<string, string>>): Meter
  /**
   * Takes seats of a floating entitlement, and keeps them by extending. While every seat of the contract is taken it
   * waits for one to come free, in the order of the calls.
   *
   * @throws {MpguardError} `UNKNOWN_ENTITLEMENT`, `INVALID_ARGUMENT`, `NO_SEAT`, `NOT_ENTITLED`, `TIMED_OUT`,
   * `UNAVAILABLE`, `SHUT_DOWN`.
   */
  checkOut(entitlement: string, options?: CheckOutOptions): Promise<Seat>
  /**
   * Books prepaid units of a drawdown entitlement. Start the work once the promise is fulfilled.
   *
   * Units are drawn from the contract exactly once, whatever answers, processes or networks are lost on the way. When
   * it is rejected, nothing is booked; units that AWS gives later serve the next call. `account` shows drawn, booked
   * and disputed units. Source: AWS License Manager, CheckoutLicense, checkout type `PERPETUAL`.
   *
   * @param quantity How many units, all or none: a whole number from 1.
   * @throws {MpguardError} `UNKNOWN_ENTITLEMENT`, `INVALID_ARGUMENT`, `EXHAUSTED`, `NOT_ENTITLED`, `TIMED_OUT`,
   * `UNAVAILABLE`, `SHUT_DOWN`.
   */
  drawDown(entitlement: string, quantity: number, options?: DrawDownOptions): Promise<void>
  /**
   * Events to iterate over, the current state of each topic first. Of each topic only the newest event
   * waits, so a slow reader holds no memory.
   */
  events(): Events
  /** Where every raw count is, one entry a dimension, and every prepaid unit, one entry a drawdown entitlement. */
  account(options?: { readonly bigint?: false | undefined }): Promise<Account[]>
  account(options: Exact): Promise<Account<bigint>[]>
  /** Counts of calls, failures and events since `init`. */
  stats(): Stats
  /** Sends the usage of all ended hours now. The running hour is not touched. */
  flush(options?: DeadlineOptions): Promise<FlushReport>
  flush(options: Omit<DeadlineOptions, 'bigint'> & Exact): Promise<FlushReport<bigint>>
  /**
   * Ends the guard: sends what is counted, returns seats, reports what is left. After it no listener runs.
   *
   * @throws {MpguardError} `SHUT_DOWN` for a second call.
   */
  shutdown(options?: DeadlineOptions): Promise<ShutdownReport>
  shutdown(options: Omit<DeadlineOptions, 'bigint'> & Exact): Promise<ShutdownReport<bigint>>
  /** `shutdown`, for `await using`; does nothing when that was done already. */
  [Symbol.asyncDispose](): Promise<void>
}

export interface InitOptions extends Config {
  /** Hears every event, from the first one on, also those before `init` is done. */
  readonly onEvent?: ((event: Event) => void) | undefined
}

/**
 * Starts a guard and waits for the first verdict, at most `startupTimeoutMs`.
 *
 * @throws {MpguardError} `INVALID_CONFIG`; the code of a definite denial, with what the buyer must do; `PENDING`
 * when the time is over and `startupPending` is `'fail'`; `THREAD`.
 */
export declare function init(options: InitOptions): Promise<Guard>

/**
 * The same from JSON with the keys of docs/CONFIGURATION.md (in snake_case), so that one file serves products in
 * every language. Errors name the keys as they stand there.
 *
 * @throws {MpguardError} As `init`.
 */
export declare function initFromJson(
  json: string,
  options?: { readonly onEvent?: InitOptions['onEvent'] },
): Promise<Guard>

/** How a matter stands: nobody could look; as it should be; somebody should look at it; it does not work, or will not. */
export type FindingStatus = 'skipped' | 'passed' | 'warning' | 'failed'

/** One matter that the doctor looked at; docs/DOCTOR.md lists them. */
export interface Finding {
  /** Stable name, such as `region` or `permission.MeterUsage`. */
  readonly id: string
  readonly status: FindingStatus
  /** What was found, in one sentence, without any secret. */
  readonly what: string
  /** How we know, or what follows from it. */
  readonly why: string
  /** What to do; empty when there is nothing to do. */
  readonly fix: string
  /** Where to read on: a page of ours or of AWS by its title. */
  readonly docs: string
}

/** What `doctor` found out. */
export interface DoctorReport {
  /** Version of mpguard. */
  readonly version: string
  /** True when a sandbox was examined, which proves nothing about AWS. */
  readonly sandbox: boolean
  /** The worst of all. */
  readonly status: FindingStatus
  /** In the order of the examination. */
  readonly findings: readonly Finding[]
  /** For the shell: 0 all is well, 1 something should be looked at, 2 something does not work. */
  readonly exitCode: 0 | 1 | 2
  /** Every finding in lines for a person; it ends with a newline. */
  readonly text: string
}

/**
 * Looks at everything that a guard of these options would need here, and says how to mend what is not well. Without
 * options only the surroundings are looked at; options that cannot be used are a finding like others.
 *
 * Changes nothing: no registration, no usage, no seat, no unit. It needs no guard, disturbs none, and takes a minute at
 * most, on a thread of its own. `npx mpguard doctor` shows the same in a terminal.
 *
 * @throws {MpguardError} `INVALID_CONFIG` for values that have no JSON form; `THREAD`.
 */
export declare function doctor(options?: InitOptions): Promise<DoctorReport>

/** The same from JSON with the keys of docs/CONFIGURATION.md (in snake_case), as `initFromJson` reads it. */
export declare function doctorFromJson(json: string): Promise<DoctorReport>
