'use strict'

// Classes are public for `instanceof`; only this package makes objects of them.

const { MpguardError } = require('./error.js')

const own = Symbol('made by mpguard')

function refuseOthers(token, thing, call) {
  if (token !== own) throw new MpguardError('INVALID_ARGUMENT', `cannot construct ${thing}: call \`${call}\``)
}

module.exports = { own, refuseOthers }
