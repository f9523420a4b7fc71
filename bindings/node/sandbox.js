'use strict'

// AWS on this machine, for tests of a product: starts `mpguard sandbox` and speaks its control API.

const { spawn } = require('node:child_process')
const { createInterface } = require('node:readline')
require('./lib/dispose.js')

/** Members whose keys are names of the seller, or bodies of AWS calls: never respelled. */
const VERBATIM = new Set(['totals', 'publicKeys', 'body', 'answer'])

function respelled(value, spell) {
  if (Array.isArray(value)) return value.map((item) => respelled(item, spell))
  if (value === null || typeof value !== 'object') return value
  const entry = ([key, member]) => {
    const name = spell(key)
    return [name, VERBATIM.has(name) ? member : respelled(member, spell)]
  }
  return Object.fromEntries(Object.entries(value).map(entry))
}

const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase())

class Sandbox {
  #child

  /** Starts a sandbox and waits until it answers. */
  static async start(options = {}) {
    const { binary = process.env.MPGUARD_BIN ?? 'mpguard', clock, start, region, seed } = options
    const flags = Object.entries({ clock, start, region, seed }).filter(([, value]) => value !== undefined)
    const words = ['sandbox', '--exit-with-stdin', ...flags.flatMap(([name, value]) => [`--${name}`, value])]
    const child = spawn(binary, words, { stdio: ['pipe', 'pipe', 'inherit'] })
    const ready = await new Promise((resolve, reject) => {
      const failed = (why) =>
        reject(new Error(`cannot start \`${binary} sandbox\`: ${why}; set MPGUARD_BIN to the mpguard command`))
      child.once('error', (error) => failed(error.message))
      child.once('exit', (code, signal) => failed(`it ended with ${code ?? signal}`))
      createInterface({ input: child.stdout }).once('line', resolve)
    })
    child.removeAllListeners('exit')
    // It ends when our end of its standard input closes; it must not keep the tests' process alive.
    /** @type {any[]} pipes are sockets and can be unreferenced; their types do not say so */
    const parts = [child, child.stdin, child.stdout]
    for (const part of parts) part.unref()
    return new Sandbox(child, JSON.parse(ready))
  }

  constructor(child, { address, port, pid }) {
    this.#child = child
    this.address = address
    this.port = port
    this.pid = pid
  }

  /** What `init` takes as `sandbox` to be the task of this name. */
  task(name) {
    return `${this.address}/t/${name}`
  }

  createTask(task) {
    return this.#post('tasks', task)
  }

  createProduct(product) {
    return this.#post('products', product)
  }

  subscribe(productCode, subscribed = true) {
    return this.#post('subscriptions', { productCode, subscribed })
  }

  createLicense(license) {
    return this.#post('licenses', license)
  }

  upgrade(id, change) {
    return this.#post(`licenses/${id}/upgrade`, change)
  }

  renew(id, endMs) {
    return this.#post(`licenses/${id}/renew`, { endMs })
  }

  /** `change` is `expire`, `suspend`, `resume`, `deactivate` or `delete`. */
  changeLicense(id, change) {
    return this.#post(`licenses/${id}/${change}`)
  }

  seats() {
    return this.#get('seats')
  }

  /** Moves the clock on and waits until every guard has done what was due. */
  advance(byMs, options = {}) {
    return this.#post('clock/advance', { byMs, ...options })
  }

  /** Waits until every guard has done what is due now. */
  settle() {
    return this.#post('clock/settle')
  }

  clock() {
    return this.#get('clock')
  }

  fault(fault) {
    return this.#post('faults', fault)
  }

  clearFaults() {
    return this.#call('DELETE', 'faults')
  }

  switches(switches) {
    return this.#post('switches', switches)
  }

  bill(filter) {
    return this.#get('bill', filter)
  }

  async requests(filter) {
    return (await this.#get('requests', filter)).requests
  }

  reset() {
    return this.#post('reset')
  }

  /** Ends the sandbox. */
  async stop() {
    const child = this.#child
    if (child.exitCode !== null || child.signalCode !== null) return
    child.ref()
    await new Promise((resolve) => {
      child.once('exit', resolve)
      child.stdin.end()
    })
  }

  async [Symbol.asyncDispose]() {
    await this.stop()
  }

  #get(path, filter) {
    const query = filter ? `?${new URLSearchParams(respelled(filter, snake))}` : ''
    return this.#call('GET', path + query)
  }

  #post(path, body = {}) {
    return this.#call('POST', path, body)
  }

  async #call(method, path, body) {
    const url = `${this.address}/_sandbox/${path}`
    const response = await fetch(url, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(respelled(body, snake)),
    })
    const text = await response.text()
    const answer = text === '' ? {} : JSON.parse(text)
    if (!response.ok) throw new Error(`sandbox: ${method} ${path}: ${answer.error ?? response.status}`)
    return respelled(answer, camel)
  }
}

module.exports = { Sandbox }
