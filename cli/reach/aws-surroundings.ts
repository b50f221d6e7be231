import {
  AutoScalingClient,
  DescribeLifecycleHooksCommand,
  PutLifecycleHookCommand,
  paginateDescribeAutoScalingGroups,
  UpdateAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling'
import { CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation'
import { CloudWatchClient, paginateDescribeAlarms } from '@aws-sdk/client-cloudwatch'
import {
  DescribeRuleCommand,
  EventBridgeClient,
  ResourceNotFoundException as NoRule,
} from '@aws-sdk/client-eventbridge'
import {
  GetEventSourceMappingCommand,
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
  type LambdaClientConfig,
  ResourceNotFoundException as NotInLambda,
} from '@aws-sdk/client-lambda'
import { GetQueueAttributesCommand, QueueDoesNotExist, SQSClient } from '@aws-sdk/client-sqs'
import { SSMClient } from '@aws-sdk/client-ssm'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import * as z from 'zod'
import { readEdges, routesDiffer } from '../../functions/aws/fleet.ts'
import { controlConfig } from '../../functions/contracts/config.ts'
import type { Deployment } from '../../functions/contracts/deployment.ts'
import { edgeAccessEnvironment, environment } from '../../functions/contracts/names.ts'
import { parseAs, parseJson } from '../../functions/contracts/parse.ts'
import { InvalidConfiguration, InvalidMessage } from '../../functions/control/errors.ts'
import type { Hook, Resource, Surroundings } from '../desk/surroundings.ts'

/** What every client of the SDK takes. */
type ClientSettings = Pick<LambdaClientConfig, 'maxAttempts' | 'region' | 'profile' | 'requestHandler'>
type Made = NonNullable<Deployment['made']>

/** The most names that CloudWatch and Auto Scaling take in a request. */
const namesAtOnce = 100

function* slices(names: readonly string[]): Generator<string[]> {
  for (let from = 0; from < names.length; from += namesAtOnce) yield names.slice(from, from + namesAtOnce)
}

export function awsSurroundings(
  { edgesPath }: Pick<Deployment, 'edgesPath'>,
  made: Made,
  settings: ClientSettings,
): Surroundings {
  const ssm = new SSMClient(settings)
  return {
    ...ofStack(made, settings),
    ...ofFunctions(made, settings),
    ...ofGroups(settings),
    time: () => timeOf(new STSClient(settings)),
    async edgeList({ routes }) {
      try {
        const parameters = await readEdges(ssm, edgesPath, routes === undefined)
        const edges = [...parameters.keys()]
        const overTls = edges.filter((id) => parameters.get(id)?.url?.startsWith('https:'))
        return { edges, overTls, ...routesDiffer(edges, routes) }
      } catch (error) {
        if (!(error instanceof InvalidConfiguration)) throw error
        return { edges: [], overTls: [], withoutRoute: [], withoutParameter: [], refused: error.message }
      }
    },
  }
}

const dated = z.object({ headers: z.object({ date: z.string() }) })

async function timeOf(sts: STSClient): Promise<number | undefined> {
  let date: string | undefined
  sts.middlewareStack.add(
    (next) => async (args) => {
      const answered = await next(args)
      date = dated.safeParse(answered.response).data?.headers.date
      return answered
    },
    { step: 'deserialize' },
  )
  await sts.send(new GetCallerIdentityCommand({}))
  const at = Date.parse(date ?? '')
  return Number.isNaN(at) ? undefined : at
}

type OfStack = Pick<Surroundings, 'resources' | 'rule' | 'messages' | 'alarms'>
function ofStack(made: Made, settings: ClientSettings): OfStack {
  const formation = new CloudFormationClient(settings)
  const events = new EventBridgeClient(settings)
  const sqs = new SQSClient(settings)
  const watch = new CloudWatchClient(settings)
  return {
    async resources() {
      const found: Resource[] = []
      for await (const page of paginateListStackResources({ client: formation }, { StackName: made.stack }))
        for (const summary of page.StackResourceSummaries ?? []) {
          const { ResourceType: type = '', LogicalResourceId: logicalId = '' } = summary
          const isShown = logicalId.startsWith(made.prefix) || type === 'AWS::CloudWatch::Alarm'
          if (isShown) found.push({ type, logicalId, name: summary.PhysicalResourceId ?? '' })
        }
      return found
    },
    async rule(name) {
      try {
        const { State: shown } = await events.send(new DescribeRuleCommand({ Name: name }))
        return shown === 'DISABLED' ? 'disabled' : 'enabled'
      } catch (error) {
        return goneOr(error, error instanceof NoRule)
      }
    },
    async messages(queueUrl) {
      try {
        const { Attributes } = await sqs.send(
          new GetQueueAttributesCommand({
            QueueUrl: queueUrl,
            AttributeNames: ['ApproximateNumberOfMessages'],
          }),
        )
        return Number(Attributes?.['ApproximateNumberOfMessages'] ?? 0)
      } catch (error) {
        return goneOr(error, error instanceof QueueDoesNotExist)
      }
    },
    async alarms(names) {
      const found = []
      for (const AlarmNames of slices(names)) {
        const pages = paginateDescribeAlarms(
          { client: watch, pageSize: namesAtOnce },
          { AlarmNames, AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] },
        )
        for await (const { MetricAlarms = [], CompositeAlarms = [] } of pages)
          for (const each of [...MetricAlarms, ...CompositeAlarms])
            found.push({
              name: each.AlarmName ?? '',
              description: each.AlarmDescription ?? '',
              state: each.StateValue ?? '',
              ...(each.StateUpdatedTimestamp && { since: each.StateUpdatedTimestamp.getTime() }),
              actionsEnabled: each.ActionsEnabled !== false,
            })
      }
      return found
    },
  }
}

type OfFunctions = Pick<Surroundings, 'settings' | 'reserved' | 'mapping'>
function ofFunctions({ settleFunction: FunctionName }: Made, settings: ClientSettings): OfFunctions {
  const lambda = new LambdaClient(settings)
  async function variables() {
    try {
      const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }))
      return Environment?.Variables ?? {}
    } catch (error) {
      if (!(error instanceof NotInLambda)) throw error
      throw new InvalidMessage(`the function ${FunctionName} was deleted: deploy the stack again`)
    }
  }
  return {
    async settings() {
      const values = await variables()
      const name = 'settings of the functions'
      const control = parseAs(controlConfig, parseJson(values[environment.config] ?? '', name), name)
      const routes = values[edgeAccessEnvironment.routes]
      return { control, ...(routes !== undefined && { routes: routes.split(',') }) }
    },
    async reserved(name) {
      try {
        const shown = await lambda.send(new GetFunctionConcurrencyCommand({ FunctionName: name }))
        return shown.ReservedConcurrentExecutions
      } catch (error) {
        return goneOr(error, error instanceof NotInLambda)
      }
    },
    async mapping(id) {
      try {
        const { State: shown = '' } = await lambda.send(new GetEventSourceMappingCommand({ UUID: id }))
        return /^Disabl/.test(shown) ? 'disabled' : 'enabled'
      } catch (error) {
        return goneOr(error, error instanceof NotInLambda)
      }
    },
  }
}

function goneOr(error: unknown, isGone: boolean): 'gone' {
  if (isGone) return 'gone'
  throw error
}

const transitions = {
  launching: 'autoscaling:EC2_INSTANCE_LAUNCHING',
  terminating: 'autoscaling:EC2_INSTANCE_TERMINATING',
} as const
const shownHook = z
  .object({
    LifecycleHookName: z.string(),
    LifecycleTransition: z.string(),
    HeartbeatTimeout: z.number(),
    DefaultResult: z.enum(['CONTINUE', 'ABANDON']),
  })
  .transform(
    (hook): Hook => ({
      name: hook.LifecycleHookName,
      transition: hook.LifecycleTransition === transitions.launching ? 'launching' : 'terminating',
      heartbeatSeconds: hook.HeartbeatTimeout,
      defaultResult: hook.DefaultResult,
    }),
  )

type OfGroups = Pick<Surroundings, 'groups' | 'hooks' | 'putHook' | 'retain'>
function ofGroups(settings: ClientSettings): OfGroups {
  const client = new AutoScalingClient(settings)
  return {
    async groups(names) {
      const found = []
      for (const AutoScalingGroupNames of slices(names))
        for await (const { AutoScalingGroups = [] } of paginateDescribeAutoScalingGroups(
          { client, pageSize: namesAtOnce },
          { AutoScalingGroupNames },
        ))
          for (const group of AutoScalingGroups)
            found.push({
              name: group.AutoScalingGroupName ?? '',
              retains: group.InstanceLifecyclePolicy?.RetentionTriggers?.TerminateHookAbandon === 'retain',
              suspended: (group.SuspendedProcesses ?? []).flatMap(({ ProcessName }) => ProcessName ?? []),
            })
      return found
    },
    async hooks(group) {
      const { LifecycleHooks } = await client.send(
        new DescribeLifecycleHooksCommand({ AutoScalingGroupName: group }),
      )
      return parseAs(z.array(shownHook), LifecycleHooks ?? [], `hooks of ${group}`)
    },
    async putHook(group, { name, transition, heartbeatSeconds, defaultResult }) {
      await client.send(
        new PutLifecycleHookCommand({
          AutoScalingGroupName: group,
          LifecycleHookName: name,
          LifecycleTransition: transitions[transition],
          HeartbeatTimeout: heartbeatSeconds,
          DefaultResult: defaultResult,
        }),
      )
    },
    async retain(group) {
      await client.send(
        new UpdateAutoScalingGroupCommand({
          AutoScalingGroupName: group,
          InstanceLifecyclePolicy: { RetentionTriggers: { TerminateHookAbandon: 'retain' } },
        }),
      )
    },
  }
}
