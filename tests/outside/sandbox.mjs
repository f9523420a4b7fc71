// Starts `mpguard sandbox` and speaks its control API.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export const START_MS = Date.parse('2026-01-01T10:00:00Z')
export const HOUR_MS = 3_600_000

export class Sandbox {
  /** Starts a sandbox with a frozen clock; it ends with its standard input. */
  static async start() {
    const binary = process.env.MPGUARD_BIN ?? 'mpguard'
    const args = ['sandbox', '--clock', 'frozen', '--start', '2026-01-01T10:00:00Z', '--exit-with-stdin']
    const child = spawn(binary, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const [line] = await once(createInterface({ input: child.stdout }), 'line')
    return new Sandbox(child, JSON.parse(line).address)
  }

  constructor(child, address) {
    this.child = child
    this.address = address
  }

  async stop() {
    const ended = once(this.child, 'exit')
    this.child.stdin.end()
    await ended
  }

  async json(path, options) {
    const answer = await fetch(this.address + path, options)
    const body = await answer.json()
    if (!answer.ok) throw new Error(body.error)
    return body
  }

  get(path) {
    return this.json(`/_sandbox/${path}`)
  }

  post(path, body = {}) {
    return this.json(`/_sandbox/${path}`, { method: 'POST', body: JSON.stringify(body) })
  }

  async reset() {
    await this.post('reset')
    await this.post('clock', { now_ms: START_MS })
    await this.post('products', { product_code: 'abc', dimensions: ['requests', 'gb'] })
  }

  /** Credentials of a container, as the SDK takes them. */
  async keys(task) {
    const answer = await this.json(`/t/${task}/credentials`)
    return {
      accessKeyId: answer.AccessKeyId,
      secretAccessKey: answer.SecretAccessKey,
      sessionToken: answer.Token,
    }
  }
}
