/** How to start a sandbox. */
export interface SandboxOptions {
  /** The `mpguard` command. @default MPGUARD_BIN, else `mpguard` on the PATH */
  readonly binary?: string
  /** `frozen`: time moves by `advance` only. @default 'real' */
  readonly clock?: 'frozen' | 'real'
  /** First moment of a clock, such as `2026-01-01T10:00:00Z`. */
  readonly start?: string
  /** Region of tasks that name none. @default 'us-east-1' */
  readonly region?: string
  /** A JSON file with what to set up first. */
  readonly seed?: string
}

/** What an answer of the control API holds; the sandbox's README describes each. */
export type Answer = Readonly<Record<string, any>>

/** A purchasable part of a license. */
export interface SandboxEntitlement {
  readonly name: string
  readonly unit: string
  readonly maxCount?: number
  readonly value?: string
  readonly overage?: boolean
  readonly allowCheckIn?: boolean
}

/**
 * AWS on this machine, for tests of a product.
 *
 * ```js
 * const sandbox = await Sandbox.start({ clock: 'frozen' })
 * await sandbox.createProduct({ productCode: '3xmpl', dimensions: ['requests'] })
 * const guard = await init({ ...options, sandbox: sandbox.task('app') })
 * guard.meter('requests').add(3)
 * await sandbox.advance(2 * 3_600_000)
 * (await sandbox.bill()).totals // { '3xmpl': { requests: '3' } }
 * ```
 */
export declare class Sandbox implements AsyncDisposable {
  private constructor()
  /** Starts a sandbox and waits until it answers. It ends with this process at the latest. */
  static start(options?: SandboxOptions): Promise<Sandbox>
  readonly address: string
  readonly port: number
  readonly pid: number
  /** What `init` takes as `sandbox` to be the task of this name. */
  task(name: string): string
  createTask(task: {
    readonly name: string
    readonly platform: 'ecs' | 'eks' | 'ec2' | 'none'
    readonly region?: string
    readonly account?: string
  }): Promise<Answer>
  createProduct(product: {
    readonly productCode: string
    readonly productSku?: string
    readonly dimensions?: readonly string[]
    readonly subscribed?: boolean
    readonly keyVersions?: readonly number[]
  }): Promise<Answer>
  subscribe(productCode: string, subscribed?: boolean): Promise<Answer>
  createLicense(license: {
    readonly productSku: string
    readonly entitlements: readonly SandboxEntitlement[]
    readonly name?: string
    readonly beginMs?: number
    readonly endMs?: number
    readonly ttlMinutes?: number
    readonly issuer?: string
    readonly fingerprint?: string
  }): Promise<Answer & { readonly id: string }>
  upgrade(
    id: string,
    change: { readonly entitlements: readonly SandboxEntitlement[]; readonly endMs?: number },
  ): Promise<Answer>
  renew(id: string, endMs: number): Promise<Answer>
  changeLicense(id: string, change: 'expire' | 'suspend' | 'resume' | 'deactivate' | 'delete'): Promise<Answer>
  seats(): Promise<Answer>
  /** Moves the clock on and waits until every guard has done what was due. */
  advance(byMs: number, options?: { readonly stepMs?: number; readonly settleMs?: number }): Promise<Answer>
  /** Waits until every guard has done what is due now. */
  settle(): Promise<Answer>
  clock(): Promise<Answer>
  fault(fault: {
    readonly operation: string
    readonly kind: string
    readonly times?: number
    readonly skip?: number
    readonly task?: string
    readonly delayMs?: number
    readonly status?: number
    readonly code?: string
    readonly skewMs?: number
  }): Promise<Answer>
  clearFaults(): Promise<Answer>
  switches(switches: Readonly<Record<string, unknown>>): Promise<Answer>
  bill(filter?: { readonly task?: string; readonly productCode?: string }): Promise<Answer>
  requests(filter?: { readonly operation?: string; readonly task?: string }): Promise<readonly Answer[]>
  reset(): Promise<Answer>
  /** Ends the sandbox. */
  stop(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
