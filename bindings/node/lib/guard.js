'use strict'

// The guard: what a product holds.

const { EventEmitter } = require('node:events')
const native = require('./native.js')
const argument = require('./argument.js')
const { split, toJson } = require('./config.js')
const { MpguardError, awaited } = require('./error.js')
const { unlessAborted } = require('./abort.js')
const { own, refuseOthers } = require('./own.js')
const { EventQueue, about, deliver, warn } = require('./event.js')
const { Meter, meterKey } = require('./metering.js')
const { Seat } = require('./seat.js')

let start
let endsWithProcess = false

class Guard extends EventEmitter {
  #handle
  #meters = new Map()
  #queues = new Set()
  #latest = new Map()
  #failures = 0
  #ended = false

  static {
    start = async (json, shared, onEvent) => {
      if (!endsWithProcess) {
        // `process.exit` in a handler of SIGTERM is how containers end; what was counted must not be lost there.
        endsWithProcess = true
        process.once('exit', native.end)
      }
      const guard = new Guard(own)
      if (onEvent) guard.on('event', onEvent)
      guard.#handle = await native.init(json, shared, (event) => guard.#take(event))
      return guard
    }
  }

  constructor(token) {
    refuseOthers(token, 'a Guard', 'await init(options)')
    super()
  }

  get verdict() {
    return native.verdict(this.#live())
  }

  get license() {
    return native.license(this.#live())
  }

  require() {
    native.require(this.#live())
  }

  has(feature) {
    return native.has(this.#live(), argument.text(feature, 'feature'))
  }

  meter(dimension, tags) {
    argument.text(dimension, 'dimension')
    const key = meterKey(dimension, argument.tags(tags))
    let meter = this.#meters.get(key)
    if (!meter || this.#ended) {
      meter = new Meter(own, native.meter(this.#live(), dimension, tags ?? {}), dimension, tags)
      this.#meters.set(key, meter)
    }
    return meter
  }

  async checkOut(entitlement, options) {
    argument.text(entitlement, 'entitlement')
    const defaults = { count: 1, timeoutMs: 30_000, signal: null }
    const { count, timeoutMs, signal } = argument.options(options, 'options', defaults)
    argument.whole(count, 'count', 0) // 0 is refused by the core, with the entitlement's name
    argument.milliseconds(timeoutMs, 'timeoutMs')
    argument.signal(signal, 'signal')?.throwIfAborted()
    const wish = native.askSeats(this.#live(), entitlement, count, timeoutMs)
    const handle = await unlessAborted(native.takeSeats(wish), signal, () => native.giveUpSeats(wish))
    return new Seat(own, handle, entitlement, count)
  }

  async drawDown(entitlement, quantity, options) {
    argument.text(entitlement, 'entitlement')
    argument.whole(quantity, 'quantity', 0) // 0 is refused by the core, with the entitlement's name
    const { timeoutMs, signal } = argument.options(options, 'options', { timeoutMs: 30_000, signal: null })
    argument.milliseconds(timeoutMs, 'timeoutMs')
    argument.signal(signal, 'signal')?.throwIfAborted()
    const wish = native.askUnits(this.#live(), entitlement, quantity, timeoutMs)
    await unlessAborted(native.takeUnits(wish), signal, () => native.giveUpUnits(wish))
  }

  events() {
    const queue = new EventQueue(this.#latest.values(), (ended) => this.#queues.delete(ended))
    if (this.#ended) queue.end()
    else this.#queues.add(queue)
    return queue
  }

  async account(options) {
    const { bigint } = argument.options(options, 'options', { bigint: false })
    return await awaited(native.account(this.#live(), argument.flag(bigint, 'bigint')))
  }

  stats() {
    const stats = native.stats(this.#live())
    return { ...stats, listenerFailures: stats.listenerFailures + this.#failures }
  }

  async flush(options) {
    const { deadlineMs, bigint } = argument.options(options, 'options', { deadlineMs: 30_000, bigint: false })
    argument.milliseconds(deadlineMs, 'deadlineMs')
    return await awaited(native.flush(this.#live(), deadlineMs, argument.flag(bigint, 'bigint')))
  }

  async shutdown(options) {
    const { deadlineMs, bigint } = argument.options(options, 'options', { deadlineMs: 30_000, bigint: false })
    argument.milliseconds(deadlineMs, 'deadlineMs')
    const report = await awaited(native.shutdown(this.#live(), deadlineMs, argument.flag(bigint, 'bigint')))
    this.#ended = true
    for (const queue of this.#queues) queue.end()
    return report
  }

  /** Shuts down; does nothing when that was done already. */
  async [Symbol.asyncDispose]() {
    try {
      await this.shutdown()
    } catch (error) {
      if (!(error instanceof MpguardError && error.code === 'SHUT_DOWN')) throw error
    }
  }

  #live() {
    if (this.#handle) return this.#handle
    throw new MpguardError('PENDING', 'the guard is not ready: a listener ran before `init` was done; use the event, or wait for `init`')
  }

  #take(event) {
    if (this.#ended) return
    this.#latest.delete(about(event))
    this.#latest.set(about(event), event)
    for (const queue of this.#queues) queue.push(event)
    deliver(this, event, (name, error) => {
      this.#failures += 1
      warn(name, error)
    })
  }
}

/** Starts a guard and waits for the first verdict. */
async function init(options) {
  const { config, onEvent } = split(options)
  return await awaited(start(toJson(config), false, onEvent))
}

/** The same from JSON with the keys of docs/CONFIGURATION.md, as the other languages read it. */
async function initFromJson(json, options) {
  argument.text(json, 'json')
  const { onEvent } = split(argument.options(options, 'options', { onEvent: undefined }))
  return await awaited(start(json, true, onEvent))
}

module.exports = { Guard, init, initFromJson }
