import { createHash, randomUUID } from 'node:crypto'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { EC2Client } from '@aws-sdk/client-ec2'
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { SFNClient } from '@aws-sdk/client-sfn'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { createDynamoStore } from '../aws/dynamo-store.ts'
import { createEvents } from '../aws/events.ts'
import { createInstances } from '../aws/instances.ts'
import { createWorkflows } from '../aws/workflows.ts'
import type { Ports } from '../ports/ports.ts'
import { keepingEvents } from '../stored/keep-events.ts'
import { clientSettings } from './client-settings.ts'
import { createClock } from './clock.ts'
import { correlationId } from './correlation.ts'
import type { CommonEnvironment } from './environment.ts'
import { createMetrics } from './metrics.ts'

type CommonPorts = Pick<
  Ports,
  'config' | 'clock' | 'metrics' | 'ids' | 'store' | 'instances' | 'workflows' | 'events'
>

export const hash = (text: string) => createHash('sha256').update(text).digest('hex')

/** Constructs the adapters that every function has. @returns them, and how rows of the table are reached */
export function createCommonPorts(environment: CommonEnvironment) {
  const clock = createClock()
  const metrics = createMetrics(environment.service)
  const ids = { next: () => randomUUID() }
  const rows = {
    documents: DynamoDBDocumentClient.from(new DynamoDBClient(clientSettings), {
      marshallOptions: { removeUndefinedValues: true },
    }),
    table: environment.table,
    clock,
    random: Math.random,
  }
  const store = createDynamoStore(rows)
  const bus = createEvents(new EventBridgeClient(clientSettings), environment.eventBus)
  const common: CommonPorts = {
    ...{ config: environment.config, clock, metrics, ids, store },
    instances: createInstances(new EC2Client(clientSettings)),
    workflows: createWorkflows({
      client: new SFNClient(clientSettings),
      stateMachineArn: environment.stateMachineArn,
      hash,
      correlationId,
    }),
    events: keepingEvents({ bus, store, clock, ids, metrics }),
  }
  return { common, rows }
}
