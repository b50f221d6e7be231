import { setTimeout as sleep } from 'node:timers/promises'
import type { Activity } from '../auto-scaling/auto-scaling-groups.ts'
import type { Delivery } from '../auto-scaling/auto-scaling-types.ts'
import type { ActionEvidence, DrainEvidence, LaunchEvidence, Problem } from '../referee/evidence.ts'
import {
  activeEverywhere,
  disabledEverywhere,
  gapAfter,
  restoredEverywhere,
} from '../referee/flag-history.ts'
import { leastCallsAfterConfirmation, leastCallsAtStart } from '../referee/referee.ts'
import { callsUp, invitesBetween, placedBetween } from '../sip/call-record.ts'
import { isLongCaller } from '../sip/traffic.ts'
import { instanceOf, type Machine } from '../world/machines.ts'
import type { World } from '../world/world.ts'

/** How long a scenario waits for each thing. After that it goes on, and the referee finds it missing. */
const patience = {
  callsAtStart: 30_000,
  confirmation: 30_000,
  callsPlaced: 15_000,
  completion: 75_000,
  active: 30_000,
  firstCall: 15_000,
  retired: 5000,
} as const

/** Waits until `probe` is true. @returns whether it came to be within `timeoutMs` */
export async function waitFor(
  timeoutMs: number,
  probe: () => boolean | Promise<boolean>,
  intervalMs = 100,
): Promise<boolean> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    if (await probe()) return true
    if (Date.now() >= deadline) return false
    await sleep(intervalMs)
  }
}

/** Waits until the machine has a call more than a drain must start with. */
export async function untilBusy(world: World, machine: Machine): Promise<void> {
  await waitFor(
    patience.callsAtStart,
    // Two may end before the trigger, or have ended in what the ledger has not read yet.
    () => callsUp(world.ledger.calls(), machine.serverName, Date.now()) >= leastCallsAtStart + 2,
  )
}

/**
 * Waits until the machine has a call of the longest kind that was answered just now, and so outlasts a
 * heartbeat timeout.
 */
async function untilFreshLongCall(world: World, machine: Machine): Promise<void> {
  await waitFor(
    patience.callsAtStart,
    () =>
      world.ledger
        .calls()
        .some(
          ({ caller, server, answeredAt = 0 }) =>
            server === machine.serverName && isLongCaller(caller) && answeredAt > Date.now() - 500,
        ),
    50,
  )
}

/** Waits until the lab itself sees the machine disabled on every edge. @returns when, or undefined */
export async function untilDisabled(
  world: World,
  machine: Machine,
  since: number,
  withinMs: number = patience.confirmation,
): Promise<number | undefined> {
  let at: number | undefined
  await waitFor(withinMs, () => {
    at = disabledEverywhere(world.flags.history(machine.uri), names(world), since)
    return at !== undefined
  })
  if (at !== undefined) world.marks.push({ at, machine: machine.plan.name, label: 'confirmed' })
  return at
}

/** Waits until enough calls were placed after that moment to prove something. */
export async function untilProven(world: World, since: number): Promise<void> {
  await waitFor(
    patience.callsPlaced,
    () => placedBetween(world.ledger.calls(), since, Date.now()) > leastCallsAfterConfirmation,
  )
}

/**
 * Waits until every edge shows the machine active, and then until it gets a call.
 * @param like Unix ms; given: until every edge shows what it showed then
 */
export async function untilActive(
  world: World,
  machine: Machine,
  since: number,
  like?: number,
): Promise<void> {
  let at: number | undefined
  const { name } = machine.plan
  await waitFor(patience.active, () => {
    const history = world.flags.history(machine.uri)
    at =
      like === undefined
        ? activeEverywhere(history, names(world), since)
        : restoredEverywhere(history, names(world), since, like)
    return at !== undefined
  })
  if (at === undefined) return
  const active = at
  world.marks.push({ at, machine: name, label: 'active' })
  await waitFor(
    patience.firstCall,
    () => invitesBetween(world.ledger.calls(), machine.serverName, active, Date.now()) > 0,
  )
}

/** Waits until an edge that was restarted shows the machine disabled again. */
export async function untilGapCloses(
  world: World,
  machine: Machine,
  restart: { readonly edge: string; readonly at: number },
): Promise<void> {
  await waitFor(
    patience.confirmation,
    () => gapAfter(world.flags.history(machine.uri), names(world), restart).until !== undefined,
  )
}

export interface DrainOptions {
  readonly scenario: string
  /** begins just after a call of the longest kind was answered */
  readonly withFreshLongCall?: boolean
  readonly deliver?: Delivery
  /** how long it may take until the lab sees it disabled everywhere, if not {@link patience} */
  readonly disabledWithinMs?: number
  /** What happens once the lab has seen it disabled everywhere. @returns what it adds to the evidence */
  readonly afterConfirmation?: (
    machine: Machine,
    confirmedAt: number,
  ) => Promise<Pick<DrainEvidence, 'restart'>>
  /** What else must hold at the end. */
  readonly check?: (activity: Activity) => Promise<readonly Problem[]>
}

/** Scales one machine in, and watches until its lifecycle action has ended and the machine is gone. */
export async function drainByLifecycle(
  world: World,
  machine: Machine,
  options: DrainOptions,
): Promise<DrainEvidence> {
  await untilBusy(world, machine)
  if (options.withFreshLongCall) await untilFreshLongCall(world, machine)
  const base = drainBase(world, machine, options.scenario, 'scale-in')
  const activity = await world.autoScaling.terminate(instanceOf(machine).id, {
    deliver: options.deliver ?? 'once',
  })
  const confirmedAt = await untilDisabled(world, machine, base.triggeredAt, options.disabledWithinMs)
  const more = confirmedAt === undefined ? {} : await options.afterConfirmation?.(machine, confirmedAt)
  if (confirmedAt !== undefined) await untilEnded(activity, patience.completion)
  const action = actionEvidence(activity)
  if (action.endedAt !== undefined) {
    world.marks.push({ at: action.endedAt, machine: machine.plan.name, label: action.result ?? 'ended' })
    await activity.done
  }
  const goneAt = activity.instance.ec2State === 'terminated' ? { goneAt: Date.now() } : {}
  const problems = (await options.check?.(activity)) ?? []
  return { ...base, ...more, action, ...goneAt, watchedUntil: Date.now(), problems }
}

async function untilEnded(activity: Activity, timeoutMs: number): Promise<void> {
  const timer = new AbortController()
  await Promise.race([
    Promise.all(activity.actions.map(({ ended }) => ended)),
    sleep(timeoutMs, undefined, { signal: timer.signal }).catch(() => undefined),
  ])
  timer.abort()
}

function actionEvidence(activity: Activity): ActionEvidence {
  const [action] = activity.actions
  const { at: endedAt, result, cause } = action?.end ?? {}
  const taken = (action?.heartbeats ?? []).filter(({ ignored }) => !ignored)
  return { endedAt, result, cause, heartbeats: taken.map(({ at }) => at) }
}

/** What every drain's evidence begins with: the trigger is now. */
export function drainBase(world: World, machine: Machine, scenario: string, trigger: string) {
  const triggeredAt = Date.now()
  world.marks.push({ at: triggeredAt, machine: machine.plan.name, label: trigger })
  return {
    kind: 'drain' as const,
    scenario,
    destination: machine.uri,
    machine: machine.plan.name,
    server: machine.serverName,
    edges: names(world),
    triggeredAt,
  }
}

/** Starts a machine on the address of the one that is gone, and watches it being admitted. */
export async function launchAgain(world: World, machine: Machine, scenario: string): Promise<LaunchEvidence> {
  await waitFor(
    patience.retired,
    () => disabledEverywhere(world.flags.history(machine.uri), names(world), Date.now()) !== undefined,
  )
  await world.machines.replace(machine)
  const launchedAt = Date.now()
  world.marks.push({ at: launchedAt, machine: machine.plan.name, label: 'launch' })
  const { group, address } = machine.plan
  const activity = await world.autoScaling.launch({ group, privateIp: address })
  machine.instance = activity.instance
  await untilActive(world, machine, launchedAt)
  await untilEnded(activity, patience.active)
  return {
    kind: 'launch',
    scenario,
    destination: machine.uri,
    machine: machine.plan.name,
    server: machine.serverName,
    edges: names(world),
    launchedAt,
    action: actionEvidence(activity),
    watchedUntil: Date.now(),
    problems: [],
  }
}

export function names(world: World): string[] {
  return world.edges.map(({ name }) => name)
}
