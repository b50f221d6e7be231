import { eventTypes } from '../../functions/contracts/names.ts'
import { alarmNameOf, floors } from '../plan/fleet-plan.ts'
import type { Problem } from '../referee/evidence.ts'
import { activeEverywhere, disabledEverywhere } from '../referee/flag-history.ts'
import { leastCallsAtStart } from '../referee/referee.ts'
import { callsUp, invitesBetween } from '../sip/call-record.ts'
import type { Machine } from '../world/machines.ts'
import type { World } from '../world/world.ts'
import { holdAndLift } from './command-scenarios.ts'
import { type Outcome, outcomeOf } from './operator.ts'
import type { Scenario } from './scenario.ts'
import { changeAlarm } from './server-alarm.ts'
import { drainBase, drainByLifecycle, names, untilActive, untilProven, waitFor } from './stage.ts'

const reason = 'to show it'

/** What one operator asks for about one server. */
function operator(world: World, { uri: destination, plan }: Machine, requestedBy: string) {
  const own = { version: 1, destination, requestedBy } as const
  const id = (command: string) => `${command}-${plan.name}-${requestedBy}`
  return {
    drain: () => outcomeOf(world, { ...own, id: id('drain'), command: 'drain', reason }),
    activate: () => outcomeOf(world, { ...own, id: id('activate'), command: 'activate' }),
  }
}

function unlessIt(isGood: boolean, figure: string, outcome: Outcome): readonly Problem[] {
  return isGood ? [] : [{ figure, text: `the answer was ${JSON.stringify(outcome)}` }]
}

/**
 * Two operators hold one server, and a freeze begins. One of them gives it back, and the other holds it
 * still; a drain that is asked for waits; a scale-in goes on to its end. With the end of the freeze what
 * waited begins.
 */
export const freeze: Scenario = {
  name: 'freeze',
  wave: 3,
  run: async (world, found) => {
    const shared = world.machines.named('ms-1')
    const waiting = world.machines.named('ms-2')
    const [alice, bob] = [operator(world, shared, 'alice'), operator(world, shared, 'bob')]
    const carol = operator(world, waiting, 'carol')
    const freezing = { version: 1, requestedBy: 'carol' } as const
    let asked: readonly Problem[] = []

    const whileFrozen = async () => {
      await outcomeOf(world, { ...freezing, id: 'freeze-1', command: 'freeze', reason })
      const others = async () => {
        const drain = await carol.drain()
        const isWaiting = drain.result === 'waiting' && drain.because === `frozen by carol: ${reason}`
        asked = unlessIt(isWaiting, 'waiting', drain)
        const activate = await alice.activate()
        await untilProven(world, Date.now())
        const isBobs = activate.stillHeld?.some(({ who }) => who === 'bob') === true
        return unlessIt(activate.result === 'lifted' && isBobs, 'stillHeld', activate)
      }
      const scaledIn = world.machines.named('ms-3')
      const [drained, problems] = await Promise.all([
        drainByLifecycle(world, scaledIn, { scenario: 'freeze: a lifecycle drain goes on' }),
        others(),
      ])
      found(drained)
      return problems
    }
    found(
      await holdAndLift(world, shared, {
        scenario: 'freeze: two operators on one server',
        trigger: 'two drains',
        place: async () => {
          await alice.drain()
          await bob.drain()
        },
        meanwhile: whileFrozen,
        lift: async () => void (await bob.activate()),
      }),
    )
    found(
      await holdAndLift(world, waiting, {
        scenario: 'freeze: what waits begins with its end',
        trigger: 'unfreeze',
        place: async () =>
          void (await outcomeOf(world, { ...freezing, id: 'unfreeze-1', command: 'unfreeze' })),
        meanwhile: async () => asked,
        lift: async () => void (await carol.activate()),
      }),
    )
  },
}

const patience = { calls: 30_000, drained: 60_000, events: 15_000 } as const

/**
 * The alarm of every server fires at once. What the floors leave is drained; the others wait, without a hold,
 * and get the calls. Once all alarms are OK everything is as before.
 */
export const alarmStorm: Scenario = {
  name: 'alarm storm',
  wave: 4,
  run: async (world, found, enough) => {
    const servers = world.machines.all().filter((machine) => isActive(world, machine))
    await waitFor(patience.calls, () => servers.every((machine) => isBusy(world, machine)))
    const since = Date.now()
    const storm = servers.map((machine) => ({
      machine,
      base: drainBase(world, machine, 'alarm storm', 'ALARM'),
    }))
    await Promise.all(servers.map((machine) => changeAlarm(world, machine, 'ALARM')))
    await untilTheFloor(world, servers, since)
    const provenFrom = Date.now()
    await untilProven(world, provenFrom)
    const drained = storm.filter(({ machine }) => isDrained(world, machine, since))
    const left = servers.filter((machine) => !isDrained(world, machine, since))
    const problems = await waitingProblems(world, left, provenFrom)
    // What waits goes first: it would begin where a server is given back.
    await Promise.all(left.map((machine) => changeAlarm(world, machine, 'OK')))
    await waitFor(patience.events, () =>
      left.every((machine) => eventsOf(world, 'drainSuperseded', machine).length > 0),
    )
    const restoreAt = Date.now()
    await Promise.all(drained.map(({ machine }) => changeAlarm(world, machine, 'OK')))
    await Promise.all(drained.map(({ machine }) => untilActive(world, machine, restoreAt, since)))
    enough()
    for (const [index, { base }] of drained.entries())
      found({ ...base, restoreAt, watchedUntil: Date.now(), problems: index === 0 ? problems : [] })
  },
}

function isActive(world: World, { uri }: Machine): boolean {
  return activeEverywhere(world.flags.history(uri), names(world), Date.now()) !== undefined
}

/** One call may end before the trigger. */
function isBusy(world: World, { serverName }: Machine): boolean {
  return callsUp(world.ledger.calls(), serverName, Date.now()) > leastCallsAtStart
}

function isDrained(world: World, { uri }: Machine, since: number): boolean {
  return disabledEverywhere(world.flags.history(uri), names(world), since) !== undefined
}

/**
 * Waits until every edge shows as many servers disabled as the floors let go.
 * @throws Error that names how many it were
 */
async function untilTheFloor(world: World, servers: readonly Machine[], since: number): Promise<void> {
  const left = Math.max(...floors.map(({ count }) => count))
  const drained = () => servers.filter((machine) => isDrained(world, machine, since)).length
  if (!(await waitFor(patience.drained, () => drained() === servers.length - left)))
    throw new Error(`${drained()} of ${servers.length} servers were disabled, and ${left} must be left`)
  world.marks.push({ at: Date.now(), label: 'at the floor' })
}

function eventsOf(world: World, type: 'drainWaiting' | 'drainSuperseded', { plan }: Machine) {
  const drainId = `alarm/${alarmNameOf(plan.name)}`
  return world.controlEvents
    .all()
    .filter((event) => event.type === eventTypes[type] && event.detail.drainId === drainId)
    .map(({ detail }) => detail)
}

/** Each server that is left waits for a floor, by its event, and gets calls. */
async function waitingProblems(
  world: World,
  left: readonly Machine[],
  since: number,
): Promise<readonly Problem[]> {
  const isNamed = (machine: Machine) =>
    eventsOf(world, 'drainWaiting', machine).some(({ because = '' }) => /its floor is \d/.test(because))
  await waitFor(patience.events, () => left.every(isNamed))
  return left.flatMap((machine) => {
    const { serverName } = machine
    const calls = invitesBetween(world.ledger.calls(), serverName, since, Date.now())
    const events = JSON.stringify(eventsOf(world, 'drainWaiting', machine))
    return [
      ...(isNamed(machine)
        ? []
        : [{ figure: 'waiting', text: `no event names the floor that ${serverName} waits for: ${events}` }]),
      ...(calls > 0 ? [] : [{ figure: 'callsOnWhatIsLeft', text: `${serverName} is left, and got no call` }]),
    ]
  })
}
