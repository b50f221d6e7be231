import { describe, expect, test } from 'vitest'
import { mayBelong } from '../../functions/control/edge-list.ts'

const instanceId = 'i-0123456789abcdef0'
const names = { addresses: ['10.0.1.20', '2001:db8::20', 'Media-1.Example'], instanceId }

describe('an entry that can not be read may belong to an instance', () => {
  test.each([
    ['its address', { set: 1, text: 'sip:10.0.1.20:0' }],
    ['its address in another scheme', { set: 1, text: 'tel:10.0.1.20' }],
    ['its address somewhere in it', { set: 1, text: 'sip:x;maddr=10.0.1.20;y="q"' }],
    ['its name in any case', { set: 1, text: 'SIP:MEDIA-1.EXAMPLE:0' }],
    ['any IPv6 address, which has too many spellings', { set: 1, text: 'sip:[fe80::1%eth0]:0' }],
    ['its id as a duid', { set: 1, text: 'tel:+123', duid: instanceId }],
    ['its id in its text', { set: 1, text: `{"DEST":{"ATTRS":{"DUID":"${instanceId}"}}}` }],
    [
      'its address, to which the edge resolved a name',
      { set: 1, text: 'sip:x.example:0', address: '10.0.1.20' },
    ],
    ['its IPv6 address by resolution', { set: 1, text: 'sip:x.example:0', address: '2001:db8::20' }],
  ])('that shows %s', (_what, entry) => {
    expect(mayBelong(entry, names)).toBe(true)
  })

  test.each([
    ['another address', { set: 1, text: 'sip:10.0.1.21:0' }],
    ['an address that only begins like its own', { set: 1, text: 'sip:10.0.1.200:0' }],
    ['an address that only ends like its own', { set: 1, text: 'sip:110.0.1.20:0' }],
    ['a name that only ends like its own', { set: 1, text: 'sip:a-media-1.example:0' }],
    ['a name that only begins like its own', { set: 1, text: 'sip:media-1.example.net:0' }],
    [
      'another address, to which the edge resolved a name',
      { set: 1, text: 'sip:x.example:0', address: '10.0.1.21' },
    ],
    ['another name', { set: 1, text: 'sip:media-2.example:0' }],
    ['the id of another', { set: 1, text: 'tel:+123', duid: 'i-0fedcba9876543210' }],
    ['part of its id as a duid', { set: 1, text: 'tel:+123', duid: 'i-0123456789abcdef' }],
    ['nothing', { set: 1, text: '' }],
  ])('but not one that shows %s', (_what, entry) => {
    expect(mayBelong(entry, names)).toBe(false)
  })

  test('of an instance without IPv6 no IPv6 address is one', () => {
    expect(
      mayBelong({ set: 1, text: 'sip:[2001:db8::20]:0' }, { addresses: ['10.0.1.20'], instanceId }),
    ).toBe(false)
  })

  test('of an instance without an id, or with nothing, none is by that', () => {
    expect(mayBelong({ set: 1, text: 'tel:+123', duid: instanceId }, { addresses: [] })).toBe(false)
    expect(mayBelong({ set: 1, text: 'sip:10.0.1.20:0' }, { addresses: [], instanceId: undefined })).toBe(
      false,
    )
  })

  test("a whole set that can't be read may hold an entry of anybody", () => {
    expect(mayBelong({ text: '{"SET":{"ID":"x"}}' }, names)).toBe(true)
  })
})
