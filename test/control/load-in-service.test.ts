import { expect, test } from 'vitest'
import { activeHosts, loadInService } from '../../functions/control/load-in-service.ts'
import { listed } from './samples.ts'

const edge = (calls: number | undefined, ...active: string[]) => ({ calls, active })
const draining = (calls: number, unknown = 0) => [{ group: 'media', servers: 1, calls, unknown }]

test('a server in service is one that some edge may send new calls to, however often it is listed', () => {
  const entries = [
    listed('sip:10.0.1.20:5060', { flags: 'AP' }),
    listed('sip:10.0.1.20:5080', { set: 2, flags: 'TX' }),
    listed('sip:10.0.1.21', { flags: 'DX' }),
    listed('sip:10.0.1.22', { flags: 'IP' }),
  ]
  expect(activeHosts(entries)).toEqual(['10.0.1.20'])
  expect(loadInService([edge(0, 'a', 'b'), edge(0, 'b', 'c')], []).servers).toBe(3)
})

test('its calls are all but those of draining servers', () => {
  expect(loadInService([edge(7, 'a'), edge(5, 'a')], draining(4))).toEqual({ servers: 1, calls: 8 })
  expect(loadInService([edge(3, 'a')], draining(4)).calls).toBe(0)
})

test('they are unknown while an edge, or a draining server, is', () => {
  expect(loadInService([edge(7, 'a'), undefined], [])).toEqual({ servers: 1, calls: undefined })
  expect(loadInService([edge(7, 'a'), edge(undefined, 'a')], []).calls).toBe(undefined)
  expect(loadInService([edge(7, 'a')], draining(2, 1)).calls).toBe(undefined)
})
