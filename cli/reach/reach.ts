import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { GetParameterCommand, ParameterNotFound, SSMClient } from '@aws-sdk/client-ssm'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { parseKnownFiles } from '@smithy/core/config'
import { createDynamoStore } from '../../functions/aws/dynamo-store.ts'
import {
  type Deployment,
  deploymentParameter,
  parseDeployment,
} from '../../functions/contracts/deployment.ts'
import { InvalidMessage } from '../../functions/control/errors.ts'
import type { Clock } from '../../functions/ports/clock.ts'
import type { Place, Reachable } from '../desk/desk.ts'
import { exitCodes, Stop } from '../desk/exit-codes.ts'
import { inShell } from '../desk/shell-word.ts'
import { createDeadLetterQueues } from './aws-dead-letters.ts'

/** People wait no longer than that for a request. */
const clientSettings = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 2000, requestTimeout: 8000, throwOnRequestTimeout: true },
} as const

/** And on a TAB hardly at all. */
const hurriedSettings = {
  maxAttempts: 1,
  requestHandler: { connectionTimeout: 1000, requestTimeout: 1500, throwOnRequestTimeout: true },
} as const

interface Reaching {
  /** of the environment: where the place names none */
  readonly usualProfile: string | undefined
  readonly clock: Clock
  readonly random: () => number
  readonly when?: 'at once' | undefined
}

/**
 * Finds a deployment by its parameter.
 * @throws Stop where there is none; what AWS answers, which `failure.ts` puts into words
 */
export async function reach(
  { stack, region, profile }: Place,
  { clock, random, when, usualProfile }: Reaching,
): Promise<Reachable> {
  // The SDK takes no profile named default for none at all.
  const named = profile ?? usualProfile
  if (named && named !== 'default') await refuseProfile(named)
  const settings = {
    ...(when === 'at once' ? hurriedSettings : clientSettings),
    ...(region !== undefined && { region }),
    ...(profile !== undefined && { profile }),
  }
  const deployment = deploymentIn(await parameterOf(new SSMClient(settings), stack), stack)
  const sqs = new SQSClient(settings)
  const sts = new STSClient(settings)
  const documents = DynamoDBDocumentClient.from(new DynamoDBClient(settings))
  return {
    deployment,
    shelf: createDynamoStore({ documents, table: deployment.table, clock, random }),
    deadLetters: createDeadLetterQueues(sqs, deployment),
    async send({ body, group, id }) {
      await sqs.send(
        new SendMessageCommand({
          QueueUrl: deployment.commandQueueUrl,
          MessageBody: body,
          MessageGroupId: group,
          MessageDeduplicationId: id,
        }),
      )
    },
    async caller() {
      const { Arn } = await sts.send(new GetCallerIdentityCommand({}))
      if (Arn === undefined) throw new Stop('AWS does not tell who we are: log in, and try again')
      return Arn
    },
    async surroundings() {
      const { made } = deployment
      if (!made)
        throw new Stop(
          `the deployment "${stack}" is older than this kdc, and does not name what it has made: deploy it again`,
        )
      // Other commands do without these clients, which take a while to load.
      const { awsSurroundings } = await import('./aws-surroundings.ts')
      return awsSurroundings(deployment, made, settings)
    },
  }
}

/** The SDK would go on without it, to whatever other credentials it finds. @throws Stop */
async function refuseProfile(profile: string): Promise<void> {
  const known = Object.keys(await parseKnownFiles({}))
  if (known.includes(profile)) return
  const there = known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`
  throw new Stop(
    `no profile "${profile}" is in the AWS configuration: ${there}; name another with --profile, or make it: aws configure --profile ${inShell(profile)}`,
    exitCodes.usage,
  )
}

/** @throws Stop where it is not what a stack of our release writes */
function deploymentIn(value: string, stack: string): Deployment {
  try {
    return parseDeployment(value)
  } catch (cause) {
    if (!(cause instanceof InvalidMessage)) throw cause
    throw new Stop(
      `the parameter ${deploymentParameter(stack)} is not as its stack writes it: deploy that again, or use the kdc of its release (${cause.message})`,
      undefined,
      { cause },
    )
  }
}

async function parameterOf(ssm: SSMClient, stack: string): Promise<string> {
  const Name = deploymentParameter(stack)
  try {
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name }))
    return Parameter?.Value ?? ''
  } catch (error) {
    if (!(error instanceof ParameterNotFound)) throw error
    const region = await ssm.config.region()
    throw new Stop(
      `no deployment "${stack}" in ${region}: there is no parameter ${Name}; name another with --stack or --region`,
      undefined,
      { cause: error },
    )
  }
}
