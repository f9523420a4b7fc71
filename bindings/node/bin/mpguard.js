#!/usr/bin/env node
'use strict'

// The command `npx mpguard`.

require('../lib/command.js')
  .run(process.argv.slice(2))
  .then((status) => {
    process.exitCode = status // not `process.exit`: a pipe may not have taken everything yet
  })
