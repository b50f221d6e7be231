import { describe, expect, test } from 'vitest'
import { mayBelong } from '../../functions/control/edge-list.ts'

const instanceId = 'i-0123456789abcdef0'
const names = { addresses: ['10.0.1.20', '2001:db8::20', 'Media-1.Example'], instanceId }

describe('an entry that can not be read may belong to an instance', () => {
  test.each([
    ['its address', { group: 1, text: 'sip:10.0.1.20:0' }],
    ['its address in another scheme', { group: 1, text: 'tel:10.0.1.20' }],
    ['its address somewhere in it', { group: 1, text: 'sip:x;maddr=10.0.1.20;y="q"' }],
    ['its name in any case', { group: 1, text: 'SIP:MEDIA-1.EXAMPLE:0' }],
    ['any IPv6 address, which has too many spellings', { group: 1, text: 'sip:[fe80::1%eth0]:0' }],
    ['its id as a duid', { group: 1, text: 'tel:+123', duid: instanceId }],
    ['its id in its text', { group: 1, text: `{"DEST":{"ATTRS":{"DUID":"${instanceId}"}}}` }],
    [
      'an address that only begins like its own: rather once too often',
      { group: 1, text: 'sip:10.0.1.200:0' },
    ],
  ])('that shows %s', (_what, entry) => {
    expect(mayBelong(entry, names)).toBe(true)
  })

  test.each([
    ['another address', { group: 1, text: 'sip:10.0.1.21:0' }],
    ['another name', { group: 1, text: 'sip:media-2.example:0' }],
    ['the id of another', { group: 1, text: 'tel:+123', duid: 'i-0fedcba9876543210' }],
    ['part of its id as a duid', { group: 1, text: 'tel:+123', duid: 'i-0123456789abcdef' }],
    ['nothing', { group: 1, text: '' }],
  ])('but not one that shows %s', (_what, entry) => {
    expect(mayBelong(entry, names)).toBe(false)
  })

  test('of an instance without IPv6 no IPv6 address is one', () => {
    expect(
      mayBelong({ group: 1, text: 'sip:[2001:db8::20]:0' }, { addresses: ['10.0.1.20'], instanceId }),
    ).toBe(false)
  })

  test('of an instance without an id, or with nothing, none is by that', () => {
    expect(mayBelong({ group: 1, text: 'tel:+123', duid: instanceId }, { addresses: [] })).toBe(false)
    expect(mayBelong({ group: 1, text: 'sip:10.0.1.20:0' }, { addresses: [], instanceId: undefined })).toBe(
      false,
    )
  })

  test("a whole set that can't be read may hold an entry of anybody", () => {
    expect(mayBelong({ text: '{"SET":{"ID":"x"}}' }, names)).toBe(true)
  })
})
