import { createHash, randomUUID } from 'node:crypto'
import { AutoScalingClient } from '@aws-sdk/client-auto-scaling'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { EC2Client } from '@aws-sdk/client-ec2'
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { SFNClient } from '@aws-sdk/client-sfn'
import { SQSClient } from '@aws-sdk/client-sqs'
import { SSMClient } from '@aws-sdk/client-ssm'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { createDeadLetters } from '../aws/dead-letters.ts'
import { createDynamoStore } from '../aws/dynamo-store.ts'
import { createEdgeTls } from '../aws/edge-tls.ts'
import { createEvents } from '../aws/events.ts'
import { createFleet, type FleetOptions } from '../aws/fleet.ts'
import { createInstances } from '../aws/instances.ts'
import { createLastGoodEdges } from '../aws/last-good-edges.ts'
import { createLifecycleActions } from '../aws/lifecycle-actions.ts'
import { createSecret, type Secret } from '../aws/secret.ts'
import { createWorkflows } from '../aws/workflows.ts'
import { metricNames, environment as names } from '../contracts/names.ts'
import { InvalidConfiguration } from '../control/errors.ts'
import { createEdge } from '../kamailio/dispatcher.ts'
import { createMediaServers } from '../kamailio/media-servers.ts'
import { keepingEvents } from '../use-cases/keep-events.ts'
import type { DeadLetters, Metrics, Ports } from '../use-cases/ports.ts'
import { clientSettings } from './client-settings.ts'
import { createClock } from './clock.ts'
import { correlationId } from './correlation.ts'
import { edgeTransports } from './edge-transports.ts'
import type { Environment } from './environment.ts'
import { createLogger } from './logger.ts'
import { createMetrics } from './metrics.ts'
import { pem } from './pem.ts'

const hash = (text: string) => createHash('sha256').update(text).digest('hex')

/** Constructs every adapter, once per cold start. Nothing is read or connected yet. */
export function createPorts(environment: Environment): Ports {
  const { config } = environment
  const clock = createClock()
  const metrics = createMetrics(environment.service)
  const ssm = new SSMClient(clientSettings)
  const timeoutMs = config.timers.rpcTimeoutSeconds * 1000

  const rpcSecret = createSecret(ssm, environment.rpcSecretParameter, clock)
  const key = { secret: () => rpcSecret.get(), refreshSecret: () => rpcSecret.refresh() }
  const passwords = new Map<string, Secret>()
  function password(parameter: string): Promise<string> {
    const secret = passwords.get(parameter) ?? createSecret(ssm, parameter, clock)
    passwords.set(parameter, secret)
    return secret.get()
  }

  const rows = {
    documents: DynamoDBDocumentClient.from(new DynamoDBClient(clientSettings), {
      marshallOptions: { removeUndefinedValues: true },
    }),
    table: environment.table,
    clock,
    random: Math.random,
  }
  const tls = environment.edgeTls && createEdgeTls(ssm, environment.edgeTls, { clock, pem })
  const transportOf = edgeTransports(environment, ssm.config, tls)
  const backOff = (attempt: number) => clock.sleep(Math.random() * 100 * 2 ** attempt)

  const store = createDynamoStore(rows)
  const ids = { next: () => randomUUID() }
  const bus = createEvents(new EventBridgeClient(clientSettings), environment.eventBus)

  return {
    config,
    clock,
    metrics,
    ids,
    store,
    fleet: createFleet({
      client: ssm,
      path: environment.edgesPath,
      clock,
      requestsPerSecond: environment.requestsPerSecond,
      needsUrl: environment.edgeApi === undefined,
      lastGood: createLastGoodEdges(rows),
      createEdge(id, parameter) {
        const { restoresDialogs } = parameter
        return createEdge({
          id,
          restoresDialogs,
          timeoutMs,
          key,
          backOff,
          correlationId,
          transport: transportOf(id, parameter),
        })
      },
      ...(environment.edgeRoutes && { routes: environment.edgeRoutes }),
      ...reportsOf(metrics),
    }),
    mediaServers: createMediaServers({ groups: config.groups, password, timeoutMs }),
    instances: createInstances(new EC2Client(clientSettings)),
    lifecycleActions: createLifecycleActions(new AutoScalingClient(clientSettings)),
    workflows: createWorkflows({
      client: new SFNClient(clientSettings),
      stateMachineArn: environment.stateMachineArn,
      hash,
      correlationId,
    }),
    events: keepingEvents({ bus, store, clock, ids, metrics }),
    deadLetters: deadLettersOf(environment),
  }
}

/** What is wrong with the list of edges is logged and counted. */
function reportsOf(metrics: Metrics): Pick<FleetOptions, 'onRefused' | 'onRoutesDiffer'> {
  return {
    onRefused(reason, kept) {
      const instead = kept ? 'the last good one is kept' : 'and there is no earlier one'
      createLogger().error(`The list of edges is refused, ${instead}`, { error: reason })
      metrics.count(metricNames.edgeListRefused, 1)
    },
    onRoutesDiffer(differing) {
      createLogger().warn("The edges' parameters and the stack's routes differ", { ...differing })
      const { withoutRoute, withoutParameter } = differing
      metrics.count(metricNames.edgeRoutesDiffer, withoutRoute.length + withoutParameter.length)
    },
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
