'use strict'

// Waits that an AbortSignal ends.

const { awaited } = require('./error.js')

/** The awaited value; `giveUp` is called and the signal's reason thrown when the signal comes first. */
async function unlessAborted(promise, signal, giveUp) {
  if (!signal) return await awaited(promise)
  let abort
  const aborted = new Promise((_, reject) => {
    abort = () => {
      giveUp()
      reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
  })
  // The signal is let go in the same turn in which the answer is taken: nothing is given up that was taken.
  const leave = () => signal.removeEventListener('abort', abort)
  const answered = promise.then(
    (value) => (leave(), value),
    (error) => {
      leave()
      throw error
    },
  )
  return await awaited(Promise.race([answered, aborted]))
}

module.exports = { unlessAborted }
