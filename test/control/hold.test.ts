import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { belongsTo, coversUri, holdKey, orderOf } from '../../functions/control/hold.ts'
import { hold, listed, machine, uri } from './samples.ts'

const { instanceId } = machine

describe('a hold on exactly its URIs', () => {
  it('holds them however an edge spells them, and nothing else of the machine', () => {
    const exactly = hold({ uris: [uri('sip:10.0.1.20:5060')] })
    expect(belongsTo(listed('sip:10.0.1.20'), exactly)).toBe(true)
    expect(belongsTo(listed('SIP:10.0.1.20;transport=udp', { set: 9 }), exactly)).toBe(true)
    expect(belongsTo(listed('sip:10.0.1.20:5070'), exactly)).toBe(false)
    expect(belongsTo(listed('sip:10.0.1.99', { duid: instanceId }), exactly)).toBe(false)
    expect(belongsTo(listed('sip:10.0.1.2'), exactly)).toBe(false)
  })
})

describe('a hold on the whole instance', () => {
  const whole = hold({ uris: [], wholeInstance: true })

  it('holds whatever an edge lists for its addresses or its id, also what was listed later', () => {
    expect(belongsTo(listed('sip:10.0.1.20:5070;transport=tcp'), whole)).toBe(true)
    expect(belongsTo(listed('sip:nat.example.com', { duid: instanceId }), whole)).toBe(true)
    expect(
      belongsTo(listed('sip:nat.example.com'), { ...whole, uris: [uri('sip:nat.example.com:5060')] }),
    ).toBe(true)
  })

  it('never a neighbour whose address begins the same', () => {
    expect(belongsTo(listed('sip:10.0.1.2'), whole)).toBe(false)
    expect(belongsTo(listed('sip:10.0.1.200'), whole)).toBe(false)
    expect(belongsTo(listed('sip:10.0.1.99', { duid: 'i-0123456789abcdef1' }), whole)).toBe(false)
  })

  it('knows its addresses in every spelling', () => {
    const addresses = ['2001:DB8:0:0:0:0:0:20', 'ip-10-0-1-20.EC2.internal.']
    const spelled = { ...whole, addresses }
    expect(belongsTo(listed('sip:[2001:db8::20]:5070'), spelled)).toBe(true)
    expect(belongsTo(listed('sip:IP-10-0-1-20.ec2.internal'), spelled)).toBe(true)
  })

  it('covers a URI of its addresses that no list shows, and not a name that only a list could resolve', () => {
    expect(coversUri(uri('sip:10.0.1.20:5070'), whole)).toBe(true)
    expect(coversUri(uri('sip:10.0.1.20:5070'), { ...whole, wholeInstance: false })).toBe(false)
    expect(coversUri(uri('sip:media.example.com'), whole)).toBe(false)
    expect(belongsTo({ ...listed('sip:media.example.com'), address: '10.0.1.20' }, whole)).toBe(true)
  })

  it('a bare URI has no duid to be known by', () => {
    const bare = hold({ subject: { kind: 'uri', uri: machine.uri }, wholeInstance: true, addresses: [] })
    expect(belongsTo(listed('sip:10.0.1.99'), bare)).toBe(false)
    expect(belongsTo(listed('sip:10.0.1.99', { duid: machine.uri }), bare)).toBe(false)
  })
})

describe('orders', () => {
  const time = fc.integer({ min: 0, max: 253_402_300_799_999 })

  it('sort as text as their times do', () => {
    fc.assert(
      fc.property(time, time, fc.string(), fc.string(), (a, b, x, y) => {
        fc.pre(a < b)
        expect(orderOf(a, x) < orderOf(b, y)).toBe(true)
      }),
    )
  })

  it('of the same time sort by their tie-breaks, after one that has none', () => {
    fc.assert(
      fc.property(time, fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (a, x, y) => {
        expect(orderOf(a, x) < orderOf(a, y)).toBe(x < y)
        expect(orderOf(a) < orderOf(a, x)).toBe(true)
      }),
    )
  })

  it('take times with fractions', () => {
    expect(orderOf(9.7)).toBe(orderOf(9))
    expect(orderOf(9.7) < orderOf(10)).toBe(true)
  })
})

it('a hold is known by its source and id', () => {
  expect(holdKey({ source: 'alarm', id: 'cpu' })).toBe('alarm/cpu')
  expect(holdKey({ source: 'operator', id: 'cpu' })).not.toBe(holdKey({ source: 'alarm', id: 'cpu' }))
})
