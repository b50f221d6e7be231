import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { destinationUri } from '../../functions/control/destination.ts'
import { EdgeError } from '../../functions/control/errors.ts'
import { dispatcherList } from '../../functions/kamailio/dispatcher-list.ts'
import { resultOf } from '../../functions/kamailio/rpc-faults.ts'
import { some } from '../present.ts'

const uris = fc.oneof(
  fc.constantFrom('sip:10.0.1.20:5060', 'sip:[2001:db8::1]:5060;transport=tls', 'sips:ms.example'),
  fc.constantFrom('all', 'ALL', '', 'sip:', ' sip:10.0.1.20', 'sip:a b', '10.0.1.20'),
  fc.string(),
)
const flags = fc.oneof(fc.constantFrom('AX', 'DP', 'IN', 'TX'), fc.string({ maxLength: 3 }))
const target = fc.record({
  DEST: fc.record(
    {
      URI: uris,
      FLAGS: flags,
      IUID: fc.string(),
      ATTRS: fc.record({ DUID: fc.option(fc.string()) }, { requiredKeys: [] }),
      RUNTIME: fc.record({ DLGLOAD: fc.oneof(fc.nat(), fc.jsonValue()) }),
      ADDED_LATER: fc.jsonValue(),
    },
    { requiredKeys: ['URI', 'FLAGS'] },
  ),
})
const list = fc.record({
  NRSETS: fc.nat(),
  RECORDS: fc.array(
    fc.record({ SET: fc.record({ ID: fc.oneof(fc.nat(), fc.string()), TARGETS: fc.array(target) }) }),
  ),
})

test('no entry of a list is left out or made up, and none names a destination that is not a SIP URI, such as "all"', () => {
  fc.assert(
    fc.property(fc.oneof(list, fc.jsonValue()), (value) => {
      const parsed = dispatcherList.safeParse(value)
      if (!parsed.success) return
      const { targets, opaque } = parsed.data
      expect(targets.length + opaque.length).toBe(entriesOf(value))
      const isSound = ({ uri, flags, set }: (typeof targets)[number]['destination']) =>
        destinationUri(uri) === uri &&
        uri.toLowerCase() !== 'all' &&
        /^[AIDT][PNX]$/.test(flags) &&
        Number.isInteger(set)
      expect(targets.filter(({ destination }) => !isSound(destination))).toEqual([])
    }),
  )
})

const records = z.object({ RECORDS: z.array(z.unknown()) })
const set = z.object({ SET: z.object({ ID: z.int().min(0), TARGETS: z.array(z.unknown()) }) })

/** Each target is an entry, and a set that is none is one too. */
function entriesOf(value: unknown): number {
  return records.parse(value).RECORDS.reduce((total: number, record) => {
    const found = set.safeParse(record)
    return total + (found.success ? found.data.SET.TARGETS.length : 1)
  }, 0)
}

test('what is listed with good values is read, whatever else stands beside them', () => {
  const good = fc.record({
    DEST: fc.record({
      URI: fc.constantFrom('sip:10.0.1.20:5060', 'sip:10.0.1.20:5060;transport=tcp'),
      FLAGS: fc.constantFrom('AX', 'AP', 'AN', 'DX', 'DP', 'IX', 'IP', 'TX'),
      ADDED_LATER: fc.jsonValue(),
    }),
  })
  const sets = fc.array(fc.record({ SET: fc.record({ ID: fc.nat(), TARGETS: fc.array(good) }) }))
  fc.assert(
    fc.property(sets, (RECORDS) => {
      const { targets, opaque } = dispatcherList.parse({ NRSETS: RECORDS.length, RECORDS })
      expect(opaque).toEqual([])
      expect(targets.map((t) => [t.destination.set, t.destination.uri, t.destination.flags])).toEqual(
        RECORDS.flatMap(({ SET }) => SET.TARGETS.map(({ DEST }) => [SET.ID, DEST.URI, DEST.FLAGS])),
      )
    }),
  )
})

test('any status with any body gives the result of our own id at 200, or an EdgeError', () => {
  const error = fc.record({ code: fc.integer(), message: fc.string() })
  const envelope = fc.record(
    { jsonrpc: fc.constantFrom('2.0', '1.0'), id: fc.constantFrom(1, 2, '1'), result: fc.jsonValue(), error },
    { requiredKeys: ['jsonrpc'] },
  )
  const right = fc.jsonValue().map((result) => ({ jsonrpc: '2.0', id: 1, result }))
  const body = fc.oneof(
    fc.oneof(right, envelope).map((value) => JSON.stringify(value)),
    fc.string(),
    fc.json(),
  )
  const seen = { read: 0, refused: 0 }
  const status = fc.oneof(
    fc.constantFrom(200, 400, 401, 404, 429, 500, 503),
    fc.integer({ min: 0, max: 999 }),
  )
  fc.assert(
    fc.property(status, body, (code, text) => {
      try {
        const value = resultOf('edge-a', { method: 'core.uptime', id: 1 }, { status: code, body: text })
        expect(code).toBe(200)
        expect(JSON.parse(text)).toMatchObject({ jsonrpc: '2.0', id: 1, result: value })
        seen.read++
      } catch (thrown) {
        if (!(thrown instanceof EdgeError)) throw thrown
        seen.refused++
      }
    }),
    { numRuns: 500 },
  )
  expect(some(Object.values(seen)).every((times) => times > 0)).toBe(true)
})
