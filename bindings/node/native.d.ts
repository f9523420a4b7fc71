// Generated from bindings/node/src by `node scripts/types.mjs`; do not edit.
// The native half, for lib/ only; the public types are in index.d.ts.

import type { Account, DoctorReport, Event, FlushReport, License, ShutdownReport, Stats, Verdict } from './index'

/** A native object that JavaScript can only hold. */
export interface ExternalObject<T> {
  readonly ''?: T
}

export interface GuardHandle {}

export interface SeatHandle {}

export interface SeatsWish {}

export interface UnitsWish {}

/** One code of the core's table. */
export interface ErrorCode {
  /** The word, such as `NOT_ENTITLED`. */
  code: string
  /** The number, the same in every language. */
  number: number
  /** What the caller should do: `usage`, `retry`, `entitlement`, `environment` or `internal`. */
  kind: string
  /** True when the same call may succeed later. */
  retryable: boolean
}

/** Where every raw count is. */
export declare function account(handle: ExternalObject<GuardHandle>, bigint: boolean): Promise<Account<any>[]>

/** Asks for seats; the wait is at most `timeout_ms`. */
export declare function askSeats(handle: ExternalObject<GuardHandle>, entitlement: string, count: number, timeoutMs: number): ExternalObject<SeatsWish>

/** Asks for prepaid units; the wait is at most `timeout_ms`. */
export declare function askUnits(handle: ExternalObject<GuardHandle>, entitlement: string, quantity: number, timeoutMs: number): ExternalObject<UnitsWish>

/** Tells the native half how to make an `MpguardError`; called once when the package is loaded. */
export declare function bind(makeError: (code: string, text: string) => Error): void

/** Returns the seats. */
export declare function checkIn(seat: ExternalObject<SeatHandle>): Promise<void>

/** Ends every guard of this environment, and lets none start any more; the package calls it in `process.on('exit')`. */
export declare function end(): void

/** Every error code of the core. */
export declare function errorCodes(): Array<ErrorCode>

/** Every kind of event, each also the name of a Node event. */
export declare function eventKinds(): Array<string>

/**
 * Examines what a guard of these options would need; without any, the surroundings. `options` is JSON with keys in
 * camelCase, or, when `shared`, spelled as in the other languages. The text is for standard output, which may be a
 * terminal.
 */
export declare function examine(options: string | null, shared: boolean, isTerminal: boolean): Promise<DoctorReport>

/** Sends the usage of ended hours now. */
export declare function flush(handle: ExternalObject<GuardHandle>, deadlineMs: number, bigint: boolean): Promise<FlushReport<any>>

/** Waits for seats no more; what comes all the same is returned. */
export declare function giveUpSeats(wish: ExternalObject<SeatsWish>): void

/** Waits for units no more; nothing is booked, also when the answer has come. */
export declare function giveUpUnits(wish: ExternalObject<UnitsWish>): void

/** Has the contract this entitlement, and may the product run? */
export declare function has(handle: ExternalObject<GuardHandle>, feature: string): boolean

/** Starts a guard; `options` is JSON with keys in camelCase, or, when `shared`, spelled as in the other languages. */
export declare function init(options: string, shared: boolean, onEvent: (event: Event) => void): Promise<ExternalObject<GuardHandle>>

/** Verdict, reason and entitlements at this moment. */
export declare function license(handle: ExternalObject<GuardHandle>): License

/** The counting functions of one dimension and tag set. */
export declare function meter(handle: ExternalObject<GuardHandle>, dimension: string, tags: Record<string, string>): { add(quantity: number | bigint): void; set(quantity: number | bigint): void }

/** Throws unless the product may run now. */
export declare function require(handle: ExternalObject<GuardHandle>): void

/** When the seats return by themselves, in epoch milliseconds. */
export declare function seatExpiresMs(seat: ExternalObject<SeatHandle>): number

/** True while AWS holds the seats for us. */
export declare function seatHeld(seat: ExternalObject<SeatHandle>): boolean

/** Number of the seat in its guard. */
export declare function seatNumber(seat: ExternalObject<SeatHandle>): number

/** Ends the guard. */
export declare function shutdown(handle: ExternalObject<GuardHandle>, deadlineMs: number, bigint: boolean): Promise<ShutdownReport<any>>

/** Counts of calls, failures and events. */
export declare function stats(handle: ExternalObject<GuardHandle>): Stats

/** Waits for the seats that were asked for. */
export declare function takeSeats(wish: ExternalObject<SeatsWish>): Promise<ExternalObject<SeatHandle>>

/** Waits for the units that were asked for. */
export declare function takeUnits(wish: ExternalObject<UnitsWish>): Promise<void>

/** May the product run? */
export declare function verdict(handle: ExternalObject<GuardHandle>): Verdict
