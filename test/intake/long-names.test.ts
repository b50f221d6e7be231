import { expect, test } from 'vitest'
import { message } from '../contracts/event-files.ts'
import { drain } from '../world/members-world.ts'
import { config, createWorld } from '../world/world.ts'

const short = '10.0.2.9'
const long = `sip:${short}:5060;x=${'a'.repeat(700)}`
const beside = 'sip:10.0.2.10:5060'
const name = 'é'.repeat(255)
const requestedBy = 'é'.repeat(128)

const worldWith = () =>
  createWorld({
    edges: [{ file: [long, beside].map((uri) => ({ set: 1, uri, flags: 'AP' as const })) }],
    config: { ...config, alarms: [{ name, target: short }] },
  })
const refused = {
  name: 'InvalidMessage',
  message: expect.stringMatching(/would need a key of 1\d\d\d bytes/),
}

test('an alarm whose name and URI are too long for a key of the table is refused in words, and its OK is not', async () => {
  const world = worldWith()
  const stateOf = (sample: 'alarm-metric-alarm' | 'alarm-metric-ok') => {
    const { detail, ...rest } = JSON.parse(message(sample))
    const { configuration: _, ...more } = detail
    return JSON.stringify({ ...rest, detail: { ...more, alarmName: name } })
  }
  await expect(world.alarm(stateOf('alarm-metric-alarm'))).rejects.toMatchObject(refused)
  await world.alarm(stateOf('alarm-metric-ok'))
  expect(await world.heldBy()).toEqual([])
})

test('a drain of a short name by which an edge lists a URI that is too long is refused in words, and so is its dry run', async () => {
  const world = worldWith()
  for (const dryRun of [true, false]) {
    const body = drain({ destination: short, requestedBy, id: `dry-${dryRun}`, dryRun })
    await expect(world.command(body)).rejects.toMatchObject(refused)
  }
  expect(await world.heldBy()).toEqual([])
})

test('of many such a one is refused by itself', async () => {
  const world = worldWith()
  expect(await world.command(drain({ set: 1, requestedBy }))).toMatchObject({
    ...{ counts: { refused: 1, started: 1 } },
    members: [{ target: long, because: refused.message }, { target: beside }],
  })
})
