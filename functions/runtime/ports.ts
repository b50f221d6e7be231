import { AutoScalingClient } from '@aws-sdk/client-auto-scaling'
import { LambdaClient } from '@aws-sdk/client-lambda'
import { SQSClient } from '@aws-sdk/client-sqs'
import { createDeadLetters } from '../aws/dead-letters.ts'
import { createLifecycleActions } from '../aws/lifecycle-actions.ts'
import { createSettles } from '../aws/settles.ts'
import { environment as names } from '../contracts/names.ts'
import { InvalidConfiguration } from '../control/errors.ts'
import type { DeadLetters } from '../ports/dead-letters.ts'
import type { Ports } from '../ports/ports.ts'
import { createCommonPorts, hash } from './adapters.ts'
import { clientSettings } from './client-settings.ts'
import { correlationId } from './correlation.ts'
import type { Environment } from './environment.ts'

/** Constructs every adapter but those to edges, once per cold start. Nothing is read or connected yet. */
export function createPorts(environment: Environment): Ports {
  return {
    ...createCommonPorts(environment).common,
    settles: createSettles({
      client: new LambdaClient(clientSettings),
      functionName: environment.settleFunction,
      correlationId,
    }),
    lifecycleActions: createLifecycleActions(new AutoScalingClient(clientSettings)),
    deadLetters: deadLettersOf(environment),
  }
}

function deadLettersOf({ deadLetterQueueUrl }: Environment): DeadLetters {
  if (deadLetterQueueUrl !== undefined)
    return createDeadLetters({ client: new SQSClient(clientSettings), queueUrl: deadLetterQueueUrl, hash })
  return {
    reject: () =>
      Promise.reject(
        new InvalidConfiguration(`${names.deadLetterQueue} is missing: this function rejects no messages`),
      ),
  }
}
