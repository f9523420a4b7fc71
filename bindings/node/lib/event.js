'use strict'

// Events: to listeners, and as an async iterator.

/** Calls every listener of `event`; one that fails does not stop the others. Returns how many failed. */
function deliver(emitter, event, onFailure) {
  for (const name of ['event', event.kind]) {
    // Raw listeners are the wrappers of `once`, which remove themselves.
    for (const listener of emitter.rawListeners(name)) {
      try {
        const result = listener.call(emitter, event)
        if (typeof result?.then === 'function') result.then(undefined, (error) => onFailure(name, error))
      } catch (error) {
        onFailure(name, error)
      }
    }
  }
}

/** Says that a listener failed, once each time, without ending the process. */
function warn(name, error) {
  const shown = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.emitWarning(`a listener of '${name}' failed: ${shown}`, {
    type: 'MpguardWarning',
    code: 'MPGUARD_LISTENER_FAILED',
  })
}

/** What a newer event takes the place of: the same topic, and of many the same subject. */
const about = (event) => `${event.topic} ${event.subject ?? ''}`

/**
 * What has not been read yet. Of each topic and subject only the newest event is kept, so a slow reader holds no
 * memory; each event carries the whole new state, so nothing is missed.
 */
class EventQueue {
  #events = new Map()
  #waiting = []
  #ended = false
  #onEnd

  constructor(current, onEnd) {
    for (const event of current) this.#events.set(about(event), event)
    this.#onEnd = onEnd
  }

  push(event) {
    const reader = this.#waiting.shift()
    if (reader) return reader({ value: event, done: false })
    this.#events.delete(about(event)) // to the end of the order
    this.#events.set(about(event), event)
  }

  /** Gives what is left, then ends. */
  end() {
    this.#ended = true
    for (const reader of this.#waiting.splice(0)) reader({ value: undefined, done: true })
    this.#onEnd(this)
  }

  next() {
    const first = this.#events.entries().next()
    if (!first.done) {
      const [key, event] = first.value
      this.#events.delete(key)
      return Promise.resolve({ value: event, done: false })
    }
    if (this.#ended) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  return(value) {
    this.#events.clear()
    this.end()
    return Promise.resolve({ value, done: true })
  }

  async [Symbol.asyncDispose]() {
    await this.return()
  }

  [Symbol.asyncIterator]() {
    return this
  }
}

module.exports = { EventQueue, about, deliver, warn }
