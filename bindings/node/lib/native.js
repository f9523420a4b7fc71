'use strict'

// The native half, loaded once and told how to make an MpguardError.

const native = require('../native.js')
const { MpguardError, setCodes } = require('./error.js')

setCodes(native.errorCodes())
native.bind((code, text) => new MpguardError(code, text))

module.exports = native
