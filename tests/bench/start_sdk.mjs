// The same RegisterUsage by the AWS SDK for JavaScript. Its answer is not even verified.
import { MarketplaceMeteringClient, RegisterUsageCommand } from '@aws-sdk/client-marketplace-metering'

const client = new MarketplaceMeteringClient({
  region: 'us-east-1',
  endpoint: process.env.BENCH_AWS,
  credentials: {
    accessKeyId: process.env.BENCH_KEY,
    secretAccessKey: process.env.BENCH_SECRET,
    sessionToken: process.env.BENCH_TOKEN,
  },
})
const answer = await client.send(new RegisterUsageCommand({ ProductCode: 'bench', PublicKeyVersion: 1, Nonce: 'bench' }))
if (!answer.Signature) throw new Error('no signature')
