'use strict'

// The command `npx mpguard`: its verbs, and how it ends.

const { readFileSync } = require('node:fs')
const { parseArgs } = require('node:util')
const native = require('./native.js')
const { version } = require('../package.json')

const HELP = `License and meter a container product of AWS Marketplace.

Usage: mpguard doctor [--config FILE] [--json]

Verbs:
  doctor  Look at everything that a product needs to be licensed and metered here, and say how to mend it. Changes
          nothing. Run it where the product runs.
            --config FILE  Configuration as \`initFromJson\` takes it: a JSON file, or \`-\` for standard input. Without
                           one, only the surroundings are looked at.
            --json         Write JSON.
          Exit status: 0 all is well, 1 something should be looked at, 2 something does not work.

Options:
  --version  Print the version.
  --help     Print this.
`

/** Exit status when a verb could not do what was asked. */
const CANNOT = 2

function fail(text) {
  process.stderr.write(`error: ${text}\n`)
  return CANNOT
}

/** Runs one verb; gives the exit status. */
async function run(words) {
  let parsed
  try {
    parsed = parse(words)
  } catch (error) {
    return fail(`${told(error)}; \`mpguard --help\` says what there is`)
  }
  const { values, positionals } = parsed
  if (values.help) return print(HELP)
  if (values.version) return print(`mpguard ${version}\n`)
  const [verb, ...more] = positionals
  if (verb === undefined) {
    process.stderr.write(HELP)
    return CANNOT
  }
  if (verb !== 'doctor' || more.length > 0) {
    return fail(`unknown verb \`${positionals.join(' ')}\`; \`mpguard --help\` says what there is`)
  }
  return await doctor(values.config, values.json)
}

function parse(words) {
  return parseArgs({
    args: words,
    options: {
      config: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      version: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  })
}

async function doctor(file, asJson) {
  let json
  try {
    json = file === undefined ? null : read(file)
  } catch (error) {
    return fail(`cannot read configuration ${file === '-' ? 'of standard input' : `\`${file}\``}: ${told(error)}`)
  }
  const { text, exitCode, ...report } = await native.examine(json, true, process.stdout.isTTY === true)
  print(asJson ? `${JSON.stringify(report, null, 2)}\n` : text)
  return exitCode
}

/** Bytes that are no UTF-8 are an error, not replacement characters. */
function read(file) {
  return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file === '-' ? 0 : file))
}

/** @param {unknown} error */
function told(error) {
  return error instanceof Error ? error.message : String(error)
}

function print(text) {
  process.stdout.write(text)
  return 0
}

module.exports = { run }
