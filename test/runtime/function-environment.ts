import { vi } from 'vitest'
import { environment as names } from '../../functions/contracts/names.ts'
import { type AwsAnswer, type AwsRequest, awsStub } from '../aws/aws-stub.ts'
import { memoryConfig } from '../memory/ports.ts'

/** What every function is deployed with. */
const commonVariables = {
  [names.config]: JSON.stringify(memoryConfig),
  [names.table]: 'control-table',
  [names.eventBus]: 'control',
  [names.service]: 'control/Control',
  [names.stateMachine]: 'arn:aws:states:eu-central-1:123456789012:stateMachine:drain',
}

/** What each function but the settle function is deployed with. */
export const functionVariables = {
  ...commonVariables,
  [names.settle]: 'settle-1',
}

/** What the settle function is deployed with. */
export const edgeVariables = {
  ...commonVariables,
  [names.edgesPath]: '/control/edges',
  [names.rpcSecretParameter]: '/control/rpc-secret',
}

/** The environment of a deployed function, with AWS on loopback, and all that it writes. */
export async function functionEnvironment(answer: (request: AwsRequest) => AwsAnswer) {
  const stub = await awsStub(answer)
  for (const [name, value] of Object.entries({
    AWS_ENDPOINT_URL: stub.client.endpoint,
    AWS_REGION: stub.client.region,
    AWS_ACCESS_KEY_ID: 'stub',
    AWS_SECRET_ACCESS_KEY: 'stub',
    POWERTOOLS_LOG_LEVEL: 'INFO',
    ...functionVariables,
    ...edgeVariables,
    [names.queue]: `${stub.client.endpoint}/123456789012/events`,
    [names.deadLetterQueue]: `${stub.client.endpoint}/123456789012/dead`,
  }))
    vi.stubEnv(name, value)
  const written: string[] = []
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      written.push(String(text))
      return true
    })
  return {
    requests: stub.requests,
    /** every line of the log, metrics left out */
    lines: (): Record<string, unknown>[] =>
      written
        .join('')
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line))
        .filter((line) => !('_aws' in line)),
    text: () => written.join(''),
  }
}
