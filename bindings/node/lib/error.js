'use strict'

// Errors of every operation. The table of codes is the core's.

const table = new Map()

class MpguardError extends Error {
  constructor(code, message) {
    super(message)
    const { number = 0, kind = 'internal', retryable = false } = table.get(code) ?? {}
    this.code = code
    this.number = number
    this.kind = kind
    this.retryable = retryable
  }

  get name() {
    return 'MpguardError'
  }
}

function setCodes(codes) {
  for (const row of codes) table.set(row.code, row)
}

/** The awaited value; an error gets the stack of whoever waits, which the native half cannot know. */
async function awaited(promise) {
  try {
    return await promise
  } catch (error) {
    if (error instanceof MpguardError) Error.captureStackTrace(error, awaited)
    throw error
  }
}

module.exports = { MpguardError, awaited, setCodes }
