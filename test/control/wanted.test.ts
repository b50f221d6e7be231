import { describe, expect, it } from 'vitest'
import type { Hold } from '../../functions/control/hold.ts'
import { holdKey } from '../../functions/control/hold.ts'
import { wantedOf } from '../../functions/control/wanted.ts'
import { hold, listed, machine, uri } from './samples.ts'

const onMachine = hold({ uris: [], wholeInstance: true })

/** Readable: which entries and which URIs, by which holds. */
function shown(holds: readonly Hold[], list: ReturnType<typeof listed>[]) {
  const { held, guards } = wantedOf(holds, list)
  return {
    held: [...held].map(([entry, by]) => `${entry.set} ${entry.uri} by ${by.map(holdKey).join(', ')}`),
    guards: [...guards].map(([key, by]) => `${key} by ${by.map(holdKey).join(', ')}`),
  }
}

describe('what holds ask of an edge', () => {
  it('a hold on a URI takes it in every set and in every spelling that the edge lists', () => {
    const list = [
      listed('sip:10.0.1.20:5060'),
      listed('SIP:10.0.1.20;transport=udp', { set: 7 }),
      listed('sip:10.0.1.2'),
    ]
    expect(shown([hold()], list)).toEqual({
      held: [
        '1 sip:10.0.1.20:5060 by operator/sip:10.0.1.20:5060',
        '7 SIP:10.0.1.20;transport=udp by operator/sip:10.0.1.20:5060',
      ],
      guards: [
        'sip:10.0.1.20:5060 by operator/sip:10.0.1.20:5060',
        'SIP:10.0.1.20;transport=udp by operator/sip:10.0.1.20:5060',
      ],
    })
  })

  it('a hold on an instance takes what is listed by its addresses, by its duid, or by a name that the edge resolved to it', () => {
    const byName = { ...listed('sip:ms-a.test'), address: machine.address }
    const list = [
      listed('sip:10.0.1.20:5080'),
      listed('sip:other.test', { duid: machine.instanceId }),
      byName,
      listed('sip:10.0.1.21', { duid: 'i-0aaaaaaaaaaaaaaaa' }),
    ]
    const { held } = wantedOf([onMachine], list)
    expect([...held.keys()]).toEqual(list.slice(0, 3))
  })

  it('a hold on exactly its URIs leaves the other destinations of the instance alone', () => {
    const { held } = wantedOf([hold()], [listed('sip:10.0.1.20:5080'), listed(machine.uri)])
    expect([...held.keys()].map((entry) => entry.uri)).toEqual([machine.uri])
  })

  it('where one entry of a URI is held, all are: the guard knows no sets', () => {
    const list = [
      listed('sip:ms.test', { duid: machine.instanceId }),
      listed('sip:ms.test', { set: 2 }),
      listed('sip:ms.test:5080', { set: 2 }),
    ]
    expect([...wantedOf([onMachine], list).held.keys()]).toEqual(list.slice(0, 2))
  })

  it('a URI that a hold names is guarded where it is not listed, too: a reload may list it', () => {
    const { held, guards } = wantedOf([hold()], [listed('sip:10.0.1.2')])
    expect(held.size).toBe(0)
    expect([...guards.keys()]).toEqual([machine.uri])
  })

  it('two holds on one entry are both named: lifting one leaves it held', () => {
    const alarm = hold({ source: 'alarm', id: 'cpu' })
    const list = [listed(machine.uri)]
    expect(shown([hold(), alarm], list).held).toEqual([
      '1 sip:10.0.1.20:5060 by operator/sip:10.0.1.20:5060, alarm/cpu',
    ])
    const lifted = { ...alarm, lifted: { at: 1, by: 'alice' } }
    expect(shown([hold(), lifted], list).held).toEqual([
      '1 sip:10.0.1.20:5060 by operator/sip:10.0.1.20:5060',
    ])
  })

  it('a hold never ends by its own time', () => {
    expect(wantedOf([hold({ until: 1 })], [listed(machine.uri)]).held.size).toBe(1)
  })

  it('a lifted hold asks for nothing', () => {
    const lifted = hold({ lifted: { at: 1, by: 'alice' } })
    const { held, guards } = wantedOf([lifted], [listed(machine.uri)])
    expect([held.size, guards.size]).toEqual([0, 0])
  })

  it('an unlisted instance whose URIs nobody names asks for nothing', () => {
    const { held, guards } = wantedOf([onMachine], [listed('sip:10.0.1.2'), listed(uri('sip:other.test'))])
    expect([held.size, guards.size]).toEqual([0, 0])
  })
})
