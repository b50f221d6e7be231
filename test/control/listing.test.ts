import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Scope } from '../../functions/control/hold.ts'
import { lookup } from '../../functions/control/listing.ts'
import { entriesOf } from '../../functions/control/plan.ts'
import { listed, uri } from './samples.ts'

const hosts = ['10.0.1.2', '10.0.1.20', '[2001:db8::a]', '[2001:DB8:0::A]', 'ms-a.example.com']
const text = fc
  .tuple(
    fc.constantFrom(...hosts),
    fc.constantFrom('', ':5060', ':5080'),
    fc.constantFrom('', ';transport=tcp', ';transport=udp'),
  )
  .map(([host, port, transport]) => `sip:${host}${port}${transport}`)
const duid = fc.constantFrom('i-1', 'i-2', 'other')
const entry = fc
  .tuple(text, fc.integer({ min: 1, max: 2 }), fc.option(duid, { nil: undefined }))
  .map(([name, set, id]) => listed(name, { set, ...(id !== undefined && { duid: id }) }))
const scope: fc.Arbitrary<Scope> = fc.record(
  {
    uris: fc.array(text.map(uri), { maxLength: 2 }),
    addresses: fc.array(fc.constantFrom(...hosts), { maxLength: 2 }),
    wholeInstance: fc.boolean(),
    subject: duid.map((instanceId) => ({ kind: 'instance', instanceId, launchedAt: 1 }) as const),
  },
  { requiredKeys: ['uris', 'addresses', 'wholeInstance'] },
)

test('the index finds what comparing each entry finds, in the same order', () => {
  let found = 0
  const property = fc.property(fc.array(entry, { maxLength: 12 }), scope, (entries, one) => {
    const expected = entriesOf(one, entries)
    found += expected.length
    expect(lookup(entries)(one)).toEqual(expected)
  })
  fc.assert(property, { numRuns: 500 })
  expect(found).toBeGreaterThan(300)
})
