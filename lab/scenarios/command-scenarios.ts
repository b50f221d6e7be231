import type { DrainEvidence, Problem } from '../referee/evidence.ts'
import type { Machine } from '../world/machines.ts'
import type { World } from '../world/world.ts'
import { dispatcherEntries } from '../world/world-sip.ts'
import { sendCommands, takeDeadLetter, wellFormed } from './operator.ts'
import type { Scenario } from './scenario.ts'
import { changeAlarm } from './server-alarm.ts'
import { drainBase, untilActive, untilBusy, untilDisabled, untilProven, waitFor } from './stage.ts'

const requestedBy = 'the lab'

interface HoldAndLift {
  readonly scenario: string
  readonly trigger: string
  readonly place: () => Promise<void>
  readonly lift: () => Promise<void>
  /** What happens while it is held. @returns what went wrong */
  readonly meanwhile?: () => Promise<readonly Problem[]>
}

/** Places a hold, sees it work under calls, lifts it, and sees the machine come back. */
export async function holdAndLift(
  world: World,
  machine: Machine,
  steps: HoldAndLift,
): Promise<DrainEvidence> {
  await untilBusy(world, machine)
  const base = drainBase(world, machine, steps.scenario, steps.trigger)
  await steps.place()
  const confirmedAt = await untilDisabled(world, machine, base.triggeredAt)
  if (confirmedAt === undefined) return { ...base, watchedUntil: Date.now(), problems: [] }
  await untilProven(world, confirmedAt)
  const problems = (await steps.meanwhile?.()) ?? []
  const restoreAt = Date.now()
  world.marks.push({ at: restoreAt, machine: machine.plan.name, label: 'lift' })
  await steps.lift()
  await untilActive(world, machine, restoreAt, base.triggeredAt)
  return { ...base, restoreAt, watchedUntil: Date.now(), problems }
}

export const alarm: Scenario = {
  name: 'alarm',
  wave: 1,
  run: async (world, found) => {
    const machine = world.machines.named('ms-5')
    found(
      await holdAndLift(world, machine, {
        scenario: 'alarm',
        trigger: 'ALARM',
        place: () => changeAlarm(world, machine, 'ALARM'),
        lift: () => changeAlarm(world, machine, 'OK'),
      }),
    )
  },
}

export const commands: Scenario = {
  name: 'commands: drain, reload, activate',
  wave: 1,
  run: async (world, found) => {
    const machine = world.machines.named('ms-6')
    const subject = { version: 1, destination: machine.uri, requestedBy } as const
    const send = (id: string, rest: Parameters<typeof wellFormed>[0]) =>
      sendCommands(world, [wellFormed({ ...rest, id })])
    found(
      await holdAndLift(world, machine, {
        scenario: 'commands: drain, reload, activate',
        trigger: 'drain',
        place: () => send('drain-1', { ...subject, id: '', command: 'drain', reason: 'to show it' }),
        meanwhile: () =>
          reloadEverywhere(world, () =>
            send('reload-1', { version: 1, id: '', command: 'reload', requestedBy }),
          ),
        lift: () => send('activate-1', { ...subject, id: '', command: 'activate' }),
      }),
    )
  },
}

/**
 * An entry that stands in the file only, until an edge reads it again: that proves a reload without asking
 * anybody else.
 */
const marker = { set: 9, uri: 'sip:127.0.2.99:5060', flags: 4 } as const

async function reloadEverywhere(world: World, send: () => Promise<void>): Promise<readonly Problem[]> {
  for (const edge of world.edges) edge.writeList([...dispatcherEntries(world.machines.all()), marker])
  world.marks.push({ at: Date.now(), label: 'reload' })
  await send()
  const reloaded = await Promise.all(
    world.edges.map((edge) =>
      waitFor(30_000, async () => (await edge.list()).some(({ uri }) => uri === marker.uri), 200),
    ),
  )
  return world.edges
    .filter((_, index) => reloaded[index] !== true)
    .map(({ name }) => ({ figure: 'reload', text: `${name} did not read its list again within 30 s` }))
}

export const badCommand: Scenario = {
  name: 'bad command',
  wave: 1,
  run: async (world, found) => {
    const machine = world.machines.named('ms-7')
    const body = JSON.stringify({
      version: 1,
      id: 'bad-1',
      command: 'drain',
      destnation: machine.uri,
      requestedBy,
    })
    const subject = { version: 1, destination: machine.uri, requestedBy } as const
    found(
      await holdAndLift(world, machine, {
        scenario: 'bad command',
        trigger: 'bad and good drain',
        place: () =>
          sendCommands(world, [
            { id: 'bad-1', group: 'bad', body },
            wellFormed({ ...subject, id: 'drain-2', command: 'drain', reason: 'sent next to a bad one' }),
          ]),
        meanwhile: () => deadLetterOf(world, body),
        lift: () => sendCommands(world, [wellFormed({ ...subject, id: 'activate-2', command: 'activate' })]),
      }),
    )
  },
}

/** What can never be done is in the dead-letter queue, as it came and with what is wrong with it. */
async function deadLetterOf(world: World, body: string): Promise<readonly Problem[]> {
  const letter = await takeDeadLetter(world, 20_000)
  if (letter === undefined)
    return [{ figure: 'deadLetter', text: 'the bad command did not reach the dead-letter queue' }]
  const named = letter.errorName === 'InvalidMessage' && letter.errorMessage?.includes('destnation') === true
  if (letter.body === body && named) return []
  return [
    {
      figure: 'deadLetter',
      text: `the dead letter does not name what is wrong: ${letter.errorName}: ${letter.errorMessage}`,
    },
  ]
}
