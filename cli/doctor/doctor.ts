import { inParallel } from '../../functions/aws/in-parallel.ts'
import { InvalidMessage, UnexpectedAnswer } from '../../functions/control/errors.ts'
import type { Deployed, Desk } from '../desk/desk.ts'
import { type ExitCode, exitCodes } from '../desk/exit-codes.ts'
import { isDenied } from '../desk/failure.ts'
import { type Format, print } from '../desk/format.ts'
import type { DeployedSettings, Resource, Surroundings } from '../desk/surroundings.ts'
import { isoTime } from '../desk/times.ts'
import { type EdgeShelf, lookAround, type Stored } from '../views/look-around.ts'
import { checkClock } from './check-clock.ts'
import { checkEdges, checkTls } from './check-edges.ts'
import { checkHooks } from './check-hooks.ts'
import {
  checkAlarms,
  checkEdgeList,
  checkFunctions,
  checkMappings,
  checkQueues,
  checkRules,
  checkServerAlarms,
  type Shown as ShownResource,
} from './check-stack.ts'
import { checkStored } from './check-stored.ts'
import { error, type Finding, runbook, warning } from './finding.ts'
import { type GroupShown, planHooks } from './hook-plan.ts'
import { showFindings } from './show-findings.ts'

/** Looks at everything that a drain depends on, and changes nothing. */
export async function doctor(desk: Desk, deployed: Deployed, output: Format): Promise<ExitCode> {
  const { deployment } = deployed
  const around = await deployed.surroundings()
  const { at, findings: ofClock } = await checkClock(desk, around)
  const settings = await settingsOf(around)
  const stored = await storedOf(deployed, at)
  const found = [
    ...ofClock,
    ...settings.findings,
    ...stored.findings,
    ...(stored.found ? checkStored(stored.found) : []),
    ...(stored.found && settings.found ? checkEdges(stored.found, settings.found.control) : []),
    ...(settings.found
      ? await ofSettings(around, settings.found, { ...deployed, seen: stored.found?.edges })
      : []),
    ...(await ofResources(around, { ...deployed, now: at })),
  ]
  const findings = inOrder(found)
  print(desk, showFindings({ stack: deployment.stack, at: isoTime(at), findings }), output)
  return findings.length === 0 ? exitCodes.done : exitCodes.findings
}

/** Errors first, and nothing twice: an action may have been refused for two questions. */
function inOrder(findings: readonly Finding[]): Finding[] {
  const once = new Map(findings.map((each) => [JSON.stringify(each), each]))
  const order = { error: 0, warning: 1 }
  return [...once.values()].sort((a, b) => order[a.severity] - order[b.severity])
}

/** What was found, or why it was not looked at. */
interface Looked<T> {
  readonly found?: T
  readonly findings: readonly Finding[]
}

/** What may not be looked at is a finding of its own, and keeps nothing else from being looked at. */
async function look<T>(action: string, work: () => Promise<T>): Promise<Looked<T>> {
  try {
    return { found: await work(), findings: [] }
  } catch (refused) {
    if (!isDenied(refused)) throw refused
    const named = refused instanceof Error ? /perform: ([\w:-]+)/.exec(refused.message)?.[1] : undefined
    const missing = named ?? action
    const what = `who runs this may not ask for ${missing}: what it would show was not looked at`
    return {
      findings: [
        warning('permission', missing, what, "have the policy of the stack's output ReadPolicyArn attached"),
      ],
    }
  }
}

async function checked<T>(
  action: string,
  work: () => Promise<T>,
  check: (found: T) => readonly Finding[] | Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  const { found, findings } = await look(action, async () => ({ shown: await work() }))
  return found ? check(found.shown) : findings
}

async function storedOf(deployed: Deployed, at: number): Promise<Looked<Stored>> {
  try {
    return await look('dynamodb:Query', () => lookAround(deployed, at))
  } catch (unread) {
    if (!(unread instanceof UnexpectedAnswer)) throw unread
    const what = `${unread.message}; edges and drains were not checked`
    return { findings: [error('unreadable-row', 'table', what, runbook('edges-unreachable'))] }
  }
}

async function settingsOf(around: Surroundings): Promise<Looked<DeployedSettings>> {
  try {
    return await look('lambda:GetFunctionConfiguration', () => around.settings())
  } catch (unread) {
    if (!(unread instanceof InvalidMessage)) throw unread
    const what = `what is deployed can't be read, and edges, hooks and alarms were not checked: ${unread.message}`
    return {
      findings: [error('settings-unread', 'settings', what, 'run kdc of the release that is deployed')],
    }
  }
}

/** @param at which deployment, and what settles have seen of its edges, where that is known */
async function ofSettings(
  around: Surroundings,
  settings: DeployedSettings,
  at: Pick<Deployed, 'deployment' | 'kdc' | 'aws'> & { readonly seen: readonly EdgeShelf[] | undefined },
): Promise<readonly Finding[]> {
  const list = await checked(
    'ssm:GetParametersByPath',
    () => around.edgeList(settings),
    (shown) => [
      ...checkEdgeList(shown, at.seen?.map(({ head }) => head.edge) ?? shown.edges, {
        edgesPath: at.deployment.edgesPath,
        aws: at.aws,
      }),
      ...checkTls(shown.overTls, at.seen ?? []),
    ],
  )
  return [...list, ...(await ofGroups(around, settings, at)), ...(await ofAlarms(around, settings))]
}

function ofGroups(
  around: Surroundings,
  { control }: DeployedSettings,
  called: Pick<Deployed, 'kdc' | 'aws'>,
): Promise<readonly Finding[]> {
  return checked(
    'autoscaling:DescribeAutoScalingGroups',
    () => around.groups(control.groups.map(({ name }) => name)),
    (groups) =>
      checked(
        'autoscaling:DescribeLifecycleHooks',
        () =>
          inParallel(
            groups,
            async (group): Promise<GroupShown> => ({ ...group, hooks: await around.hooks(group.name) }),
          ),
        (shown) => checkHooks(planHooks(control.groups, shown, called.aws), called),
      ),
  )
}

function ofAlarms(around: Surroundings, { control }: DeployedSettings): Promise<readonly Finding[]> {
  return checked(
    'cloudwatch:DescribeAlarms',
    () => around.alarms(control.alarms.map(({ name }) => name)),
    (found) => checkServerAlarms(control.alarms, found),
  )
}

function ofResources(
  around: Surroundings,
  { aws, now }: Pick<Deployed, 'aws'> & { readonly now: number },
): Promise<readonly Finding[]> {
  return checked(
    'cloudformation:ListStackResources',
    () => around.resources(),
    async (all) => {
      const of = (type: string) => all.filter((each) => each.type === type)
      const alarms = of('AWS::CloudWatch::Alarm').map(({ name }) => name)
      const found = await Promise.all([
        checked(
          'events:DescribeRule',
          () => each(of('AWS::Events::Rule'), around.rule),
          (shown) => checkRules(shown, aws),
        ),
        checked(
          'lambda:GetEventSourceMapping',
          () => each(of('AWS::Lambda::EventSourceMapping'), around.mapping),
          (shown) => checkMappings(shown, aws),
        ),
        checked(
          'lambda:GetFunctionConcurrency',
          () => each(of('AWS::Lambda::Function'), around.reserved),
          (shown) => checkFunctions(shown, aws),
        ),
        checked('sqs:GetQueueAttributes', () => each(of('AWS::SQS::Queue'), around.messages), checkQueues),
        checked(
          'cloudwatch:DescribeAlarms',
          () => around.alarms(alarms),
          (shown) => checkAlarms(alarms, shown, { now, aws }),
        ),
      ])
      return found.flat()
    },
  )
}

function each<T>(
  resources: readonly Resource[],
  ask: (name: string) => Promise<T>,
): Promise<ShownResource<T>[]> {
  return inParallel(resources, async (resource) => ({ resource, shown: await ask(resource.name) }))
}
