// The AWS SDK for JavaScript v3, unmodified, against the sandbox: every operation, good and bad, every
// answer parsed into its shape or its error class.

import assert from 'node:assert/strict'
import { createPublicKey, verify, constants } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, before, beforeEach, test } from 'node:test'

import * as licenses from '@aws-sdk/client-license-manager'
import * as metering from '@aws-sdk/client-marketplace-metering'
import * as tokens from '@aws-sdk/client-sts'
import { fromContainerMetadata, fromHttp, fromInstanceMetadata, fromWebToken } from '@aws-sdk/credential-providers'

import { HOUR_MS, START_MS, Sandbox } from './sandbox.mjs'

const FINGERPRINT = 'aws:294406891311:AWS/Marketplace:issuer-fingerprint'
const UNKNOWN_ARN = 'arn:aws:license-manager::294406891311:license:l-1'

/** Requests that pass the model, so that a fault is all that can go wrong. */
const REQUESTS = {
  MeterUsage: { ProductCode: 'abc', Timestamp: new Date(START_MS), UsageDimension: 'gb' },
  RegisterUsage: { ProductCode: 'abc', PublicKeyVersion: 1 },
  CheckInLicense: { LicenseConsumptionToken: 'x' },
  CheckoutLicense: {
    ProductSKU: 'prod-abc',
    CheckoutType: 'PROVISIONAL',
    KeyFingerprint: FINGERPRINT,
    Entitlements: [{ Name: 'Users', Unit: 'Count', Value: '1' }],
    ClientToken: 'x',
  },
  ExtendLicenseConsumption: { LicenseConsumptionToken: 'x' },
  GetAccessToken: { Token: 'x' },
  GetLicense: { LicenseArn: UNKNOWN_ARN },
  GetLicenseUsage: { LicenseArn: UNKNOWN_ARN },
  ListReceivedLicenses: {},
  AssumeRoleWithWebIdentity: {
    RoleArn: 'arn:aws:iam::111122223333:role/app',
    RoleSessionName: 'app',
    WebIdentityToken: 'x.y.z',
  },
  GetCallerIdentity: {},
}

const MODELS = {
  'meteringmarketplace.json': metering,
  'license-manager.json': licenses,
  'sts.json': tokens,
}

const seen = { good: new Set(), bad: new Set() }
let sandbox

before(async () => {
  sandbox = await Sandbox.start()
})
after(() => sandbox.stop())
beforeEach(() => sandbox.reset())

/** A client as the container of `task` has it. */
async function client(service, { task = 'a', region = 'us-east-1', credentials } = {}) {
  const [, Client] = Object.entries(service).find(([name]) => /^(MarketplaceMetering|LicenseManager|STS)Client$/.test(name))
  const made = new Client({
    region,
    endpoint: sandbox.address,
    credentials: credentials ?? (await sandbox.keys(task)),
    maxAttempts: 1,
  })
  made.middlewareStack.add(watch, { step: 'deserialize', priority: 'low', name: 'watch' })
  return made
}

/** Notes which operations went well and which did not. */
const watch = (next, context) => async (args) => {
  const result = await next(args)
  const operation = context.commandName.replace(/Command$/, '')
  seen[result.response.statusCode < 300 ? 'good' : 'bad'].add(operation)
  return result
}

const call = (of, service, operation, request = REQUESTS[operation]) =>
  of.send(new service[`${operation}Command`](request))

/** Calls and expects an error of that class, or of that name if the model has no such class. */
async function refused(of, service, name, operation, request = REQUESTS[operation]) {
  const error = await call(of, service, operation, request).then(
    () => assert.fail(`${operation} went well`),
    (error) => error,
  )
  assert.equal(error.name, name, String(error.stack))
  if (service[name] !== undefined) assert.ok(error instanceof service[name], `${name} has its class`)
  return error
}

const usage = (more = {}) => ({ ...REQUESTS.MeterUsage, UsageDimension: 'requests', ...more })

test('the token of RegisterUsage verifies with the public key of the product', async () => {
  const of = await client(metering)
  const answer = await call(of, metering, 'RegisterUsage', { ...REQUESTS.RegisterUsage, Nonce: 'n-1' })
  const [header, payload, signature] = answer.Signature.split('.')
  const { products } = await sandbox.get('products')
  const key = createPublicKey(products[0].public_keys['1'])
  const pss = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
  assert.ok(verify('sha256', Buffer.from(`${header}.${payload}`), pss, Buffer.from(signature, 'base64url')))
  const decode = (part) => JSON.parse(Buffer.from(part, 'base64url').toString())
  assert.deepEqual(decode(header), { alg: 'PS256', typ: 'JWT' })
  assert.deepEqual(decode(payload), { productCode: 'abc', publicKeyVersion: 1, nonce: 'n-1', iat: START_MS / 1000 })
  await sandbox.post('products', { product_code: 'abc', expired_key_versions: [1] })
  const rotated = await call(of, metering, 'RegisterUsage')
  assert.deepEqual(rotated.PublicKeyRotationTimestamp, new Date(START_MS))
})

test('MeterUsage records an hour once', async () => {
  const of = await client(metering)
  const first = await call(of, metering, 'MeterUsage', usage({ UsageQuantity: 17 }))
  const again = await call(of, metering, 'MeterUsage', usage({ UsageQuantity: 17 }))
  assert.equal(again.MeteringRecordId, first.MeteringRecordId)
  await refused(of, metering, 'DuplicateRequestException', 'MeterUsage', usage({ UsageQuantity: 18 }))
  const UsageAllocations = [
    { AllocatedUsageQuantity: 10, Tags: [{ Key: 'team', Value: 'a' }] },
    { AllocatedUsageQuantity: 5 },
  ]
  const split = { ...REQUESTS.MeterUsage, UsageQuantity: 15, UsageAllocations, ClientToken: 't' }
  await call(of, metering, 'MeterUsage', split)
  await refused(of, metering, 'IdempotencyConflictException', 'MeterUsage', { ...split, UsageQuantity: 16, UsageAllocations: undefined })
  const dry = await call(of, metering, 'MeterUsage', { ...usage(), DryRun: true })
  assert.equal(dry.MeteringRecordId, 'DryRunOperation')
  assert.deepEqual((await sandbox.get('bill')).totals, { abc: { requests: '17', gb: '15' } })
})

test('metering refuses by name', async () => {
  const of = await client(metering)
  const meter = (name, more) => refused(of, metering, name, 'MeterUsage', usage(more))
  await meter('InvalidProductCodeException', { ProductCode: 'zzz' })
  await meter('InvalidUsageDimensionException', { UsageDimension: 'nope' })
  await meter('TimestampOutOfBoundsException', { Timestamp: new Date(START_MS - 7 * HOUR_MS) })
  await meter('ValidationException', { UsageQuantity: -1 })
  const elsewhere = await client(metering, { region: 'eu-west-1' })
  await refused(elsewhere, metering, 'InvalidEndpointRegionException', 'MeterUsage')
  await refused(elsewhere, metering, 'InvalidRegionException', 'RegisterUsage')
  await sandbox.post('subscriptions', { product_code: 'abc', subscribed: false })
  await refused(of, metering, 'CustomerNotEntitledException', 'RegisterUsage')
  await meter('CustomerNotEntitledException')
})

test('a seat lives from check-out to check-in, and licenses can be read', async () => {
  const entitlements = [
    { name: 'Users', unit: 'Count', max_count: 1 },
    { name: 'Basic', unit: 'None', value: 'Enabled' },
  ]
  const license = await sandbox.post('licenses', { product_sku: 'prod-abc', entitlements })
  const of = await client(licenses)
  const answer = await call(of, licenses, 'CheckoutLicense')
  assert.equal(answer.LicenseArn, license.license_arn)
  assert.equal(answer.Expiration, '2026-01-01T11:00:00Z')
  const taken = { ...REQUESTS.CheckoutLicense, ClientToken: 'y' }
  await refused(of, licenses, 'NoEntitlementsAllowedException', 'CheckoutLicense', taken)
  const tier = { ...taken, Entitlements: [{ Name: 'Basic', Unit: 'None' }, { Name: 'Premium', Unit: 'None' }] }
  const { EntitlementsAllowed } = await call(of, licenses, 'CheckoutLicense', tier)
  assert.deepEqual(EntitlementsAllowed, [{ Name: 'Basic', Unit: 'None', Value: 'Enabled' }])

  const token = { LicenseConsumptionToken: answer.LicenseConsumptionToken }
  const extended = await call(of, licenses, 'ExtendLicenseConsumption', token)
  assert.equal(extended.LicenseConsumptionToken, token.LicenseConsumptionToken)
  await refused(of, licenses, 'RateLimitExceededException', 'ExtendLicenseConsumption', token)
  const arn = { LicenseArn: license.license_arn }
  const { LicenseUsage } = await call(of, licenses, 'GetLicenseUsage', arn)
  assert.deepEqual(LicenseUsage.EntitlementUsages, [
    { Name: 'Users', ConsumedValue: '1', MaxCount: '1', Unit: 'Count' },
  ])
  const { License } = await call(of, licenses, 'GetLicense', arn)
  assert.equal(License.Entitlements[0].MaxCount, 1)
  const { Licenses } = await call(of, licenses, 'ListReceivedLicenses')
  assert.equal(Licenses[0].ReceivedMetadata.ReceivedStatus, 'ACTIVE')

  await call(of, licenses, 'CheckInLicense', token)
  await refused(of, licenses, 'ResourceNotFoundException', 'CheckInLicense', token)
  await refused(of, licenses, 'InvalidParameterValueException', 'GetLicense')
  await refused(of, licenses, 'InvalidParameterValueException', 'GetLicenseUsage')
  await refused(of, licenses, 'ValidationException', 'ListReceivedLicenses', { MaxResults: 0 })
})

for (const [file, service] of Object.entries(MODELS)) {
  const path = new URL(`../../sandbox/models/${file}`, import.meta.url)
  const model = JSON.parse(readFileSync(path, 'utf8'))
  for (const [operation, { errors = [] }] of Object.entries(model.operations)) {
    test(`${operation} throws each of its errors by name`, async () => {
      const of = await client(service)
      for (const { shape } of errors) {
        const code = model.shapes[shape].error?.code ?? shape
        await sandbox.post('faults', { operation, kind: 'error', code })
        if (service[shape] !== undefined) {
          const error = await refused(of, service, shape, operation)
          assert.equal(error.message, 'An error that the sandbox was told to answer.')
          assert.ok(error.$metadata.requestId)
        } else {
          await refused(of, service, code, operation)
        }
      }
    })
  }
}

for (const style of ['type', 'header', 'namespaced', 'suffixed']) {
  test(`the error style ${style} is understood`, async () => {
    await sandbox.post('switches', { error_style: style })
    const of = await client(metering)
    await refused(of, metering, 'InvalidUsageDimensionException', 'MeterUsage', usage({ UsageDimension: 'nope' }))
  })
}

test('keys and signatures are verified', async () => {
  const keys = await sandbox.keys('a')
  const as = (changed) => client(licenses, { credentials: { ...keys, ...changed } })
  const stranger = await as({ accessKeyId: 'ASIASTRANGER00000000' })
  await refused(stranger, licenses, 'UnrecognizedClientException', 'ListReceivedLicenses')
  const forged = await as({ secretAccessKey: 'wrong' })
  await refused(forged, licenses, 'InvalidSignatureException', 'ListReceivedLicenses')
  await sandbox.post('switches', { iam_denied: ['ListReceivedLicenses'] })
  await refused(await as({}), licenses, 'AccessDeniedException', 'ListReceivedLicenses')
  await sandbox.post('clock', { now_ms: START_MS + 24 * HOUR_MS })
  await refused(await as({}), licenses, 'ExpiredTokenException', 'GetLicense')
})

test('the providers of the SDK find the credentials of task, pod and machine', async () => {
  await sandbox.post('switches', { credentials_clock: 'never' })
  const { host } = new URL(sandbox.address)
  const task = await client(metering, { credentials: fromHttp({ awsContainerCredentialsFullUri: `${sandbox.address}/t/web/credentials` }) })
  await call(task, metering, 'MeterUsage', usage({ UsageQuantity: 1 }))

  process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI = `http://localhost:${host.split(':')[1]}/t/old/credentials`
  const old = await client(metering, { credentials: fromContainerMetadata() })
  await call(old, metering, 'MeterUsage', usage({ UsageQuantity: 2 }))
  delete process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI

  const { token } = await sandbox.post('tasks/pod/web_identity_token')
  const assumed = fromWebToken({
    roleArn: REQUESTS.AssumeRoleWithWebIdentity.RoleArn,
    roleSessionName: 'app',
    webIdentityToken: token,
    clientConfig: { endpoint: sandbox.address, region: 'us-east-1' },
  })
  const pod = await client(metering, { credentials: assumed })
  await call(pod, metering, 'MeterUsage', usage({ UsageQuantity: 3 }))

  process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT = sandbox.address
  const machine = fromInstanceMetadata({ maxRetries: 0 })
  await refused(await client(metering, { credentials: machine }), metering, 'PlatformNotSupportedException', 'MeterUsage')
  await call(await client(licenses, { credentials: machine }), licenses, 'ListReceivedLicenses')
  delete process.env.AWS_EC2_METADATA_SERVICE_ENDPOINT
  const { records } = await sandbox.get('bill')
  assert.deepEqual(records.map(({ task, quantity }) => [task, quantity]), [['web', '1'], ['old', '2'], ['pod', '3']])
})

test('tokens of licenses lead to credentials', async () => {
  const entitlements = [{ name: 'Users', unit: 'Count', max_count: 1 }]
  const license = await sandbox.post('licenses', { product_sku: 'prod-abc', entitlements })
  const { token } = await sandbox.post(`licenses/${license.id}/token`)
  const of = await client(licenses)
  const { AccessToken } = await call(of, licenses, 'GetAccessToken', { Token: token })
  const sts = await client(tokens)
  const request = { ...REQUESTS.AssumeRoleWithWebIdentity, WebIdentityToken: AccessToken, DurationSeconds: 900 }
  const { Credentials } = await call(sts, tokens, 'AssumeRoleWithWebIdentity', request)
  assert.deepEqual(Credentials.Expiration, new Date(START_MS + 900_000))
  const credentials = {
    accessKeyId: Credentials.AccessKeyId,
    secretAccessKey: Credentials.SecretAccessKey,
    sessionToken: Credentials.SessionToken,
  }
  await call(await client(licenses, { credentials }), licenses, 'CheckoutLicense')
  await refused(of, licenses, 'AuthorizationException', 'GetAccessToken')
  const caller = await call(sts, tokens, 'GetCallerIdentity')
  assert.equal(caller.Arn, 'arn:aws:sts::111122223333:assumed-role/sandbox-a/a')
  const stranger = await client(tokens, { credentials: { accessKeyId: 'ASIASTRANGER00000000', secretAccessKey: 'x' } })
  await refused(stranger, tokens, 'UnrecognizedClientException', 'GetCallerIdentity')
  await refused(sts, tokens, 'InvalidIdentityTokenException', 'AssumeRoleWithWebIdentity')
  await refused(sts, tokens, 'ValidationError', 'AssumeRoleWithWebIdentity', { ...request, DurationSeconds: 1 })
})

test('a cut connection, nonsense and a throttle are errors', async () => {
  const of = await client(metering)
  const struck = async (kind) => {
    await sandbox.post('faults', { operation: 'MeterUsage', kind })
    return call(of, metering, 'MeterUsage', usage({ UsageQuantity: 1 })).then(() => null, (error) => error)
  }
  assert.equal((await struck('reset')).code, 'ECONNRESET')
  assert.ok((await struck('garbage')) instanceof SyntaxError)
  assert.ok((await struck('html')) instanceof SyntaxError)
  assert.ok((await struck('throttle')) instanceof metering.ThrottlingException)
  assert.equal((await sandbox.get('bill')).records.length, 0)
  assert.equal((await struck('lost_answer')).code, 'ECONNRESET')
  assert.equal((await sandbox.get('bill')).records.length, 1)
})

test('the retries of the SDK bill a lost answer once', async () => {
  await sandbox.post('faults', { operation: 'MeterUsage', kind: 'lost_answer' })
  const credentials = await sandbox.keys('a')
  const of = new metering.MarketplaceMeteringClient({ region: 'us-east-1', endpoint: sandbox.address, credentials })
  await call(of, metering, 'MeterUsage', usage({ UsageQuantity: 1 }))
  assert.equal((await sandbox.get('requests?operation=MeterUsage')).requests.length, 2)
  assert.equal((await sandbox.get('bill')).records.length, 1)
})

test('every operation was called with success and without', () => {
  for (const operation of Object.keys(REQUESTS)) {
    assert.ok(seen.good.has(operation), `${operation} never went well`)
    assert.ok(seen.bad.has(operation), `${operation} was never refused`)
  }
})
