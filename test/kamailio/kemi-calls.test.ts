import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { provision } from '../../lab/programs/provision.ts'
import type { MediaServer } from '../../lab/sip/calls.ts'
import type { Edge } from '../../lab/sip/edge.ts'
import { drain, type Lab, openLab } from './lab.ts'

const example = resolve(import.meta.dirname, '../../kamailio/kemi')
const tools = await provision({ kamailio: ['6.1'], log: (line) => console.log(line) })
const hasLua = tools.kamailio.get('6.1')?.lua === true
if (!hasLua)
  console.warn('The edge in Lua is not tried: this Kamailio 6.1 has no app_lua (kamailio-lua-modules)')

describe.skipIf(!hasLua)('live calls through an edge in Lua, on Kamailio 6.1', () => {
  let lab: Lab
  let one: MediaServer
  let two: MediaServer
  let edge: Edge

  beforeEach(async () => {
    lab = await openLab('6.1')
    one = await lab.server('127.0.2.61')
    two = await lab.server('127.0.2.62')
    edge = await lab.edge({
      destinations: [one, two].map(({ uri }) => ({ set: 1, uri })),
      dialogDb: false,
      settings: { EDGE_SCRIPT: `"${join(example, 'edge.lua')}"` },
      edit: () => readFileSync(join(example, 'kamailio.cfg'), 'utf8'),
    })
  })
  afterEach(() => lab.close())

  const counted = ({ uri }: MediaServer) => edge.call('dlg.profile_get_size', ['dst', uri])

  test('a drained media server keeps its calls with their re-INVITEs to the end, and gets no new one', async () => {
    // Of 30 calls, each with a re-INVITE in three of ten cases, hardly ever none has one.
    const before = await lab.hold(edge, { maxCalls: 60, callsPerSecond: 60, callMs: 8000 })
    expect(await Promise.all([one, two].map(counted))).toEqual([30, 30])
    let reinvites = 0
    const stop = lab.ledger.subscribe(({ kind, seenBy }) => {
      if (kind === 'reinvite' && seenBy === one.name) reinvites++
    })
    await drain(edge, 1, one.uri)
    const after = await lab.place(edge, { maxCalls: 10 })
    await before.done
    stop()
    expect(after.map(({ outcome }) => outcome)).toEqual(Array(10).fill('ended'))
    expect(new Set(after.flatMap(({ invites }) => invites.map(({ server }) => server)))).toEqual(
      new Set([two.name]),
    )
    expect(lab.callsOf(before).map(({ outcome }) => outcome)).toEqual(Array(60).fill('ended'))
    expect(reinvites).toBeGreaterThan(0)
    expect(await Promise.all([one, two].map(counted))).toEqual([0, 0])
  })
})
