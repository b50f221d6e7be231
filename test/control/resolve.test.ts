import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  AmbiguousDestination,
  InvalidDestinationName,
  UnknownDestination,
} from '../../functions/control/errors.ts'
import { instanceDestinations, isInstanceId, namedDestination } from '../../functions/control/resolve.ts'
import { listed, uri } from './samples.ts'

const fleet = [
  listed('sip:10.0.1.2:5060', { duid: 'ms-a' }),
  listed('sip:10.0.1.20:5060', { duid: 'ms-b' }),
  listed('sip:10.0.1.20:5060', { set: 7 }),
  listed('sip:10.0.1.21:5060;transport=tcp'),
  listed('sip:10.0.1.22:5070'),
  listed('sip:10.0.1.23;transport=tls'),
  listed('sip:[2001:db8::20]:5060'),
  listed('sip:media-d.example.com'),
]

describe('a destination named by people', () => {
  it.each([
    ['10.0.1.20', 'sip:10.0.1.20:5060'],
    ['sip:10.0.1.20', 'sip:10.0.1.20:5060'],
    ['10.0.1.20:5060', 'sip:10.0.1.20:5060'],
    ['SIP:10.0.1.20:5060;transport=UDP', 'sip:10.0.1.20:5060'],
    ['ms-b', 'sip:10.0.1.20:5060'],
    ['10.0.1.2', 'sip:10.0.1.2:5060'],
    ['10.0.1.21', 'sip:10.0.1.21:5060;transport=tcp'],
    ['10.0.1.21;transport=tcp', 'sip:10.0.1.21:5060;transport=tcp'],
    ['10.0.1.22', 'sip:10.0.1.22:5070'],
    ['10.0.1.23:5061', 'sip:10.0.1.23;transport=tls'],
    ['sips:10.0.1.23', 'sip:10.0.1.23;transport=tls'],
    ['2001:DB8:0::20', 'sip:[2001:db8::20]:5060'],
    ['[2001:db8::20]', 'sip:[2001:db8::20]:5060'],
    ['[2001:db8::20]:5060', 'sip:[2001:db8::20]:5060'],
    ['sip:[2001:db8:0:0:0:0:0:20]', 'sip:[2001:db8::20]:5060'],
    ['Media-D.example.com', 'sip:media-d.example.com'],
    ['media-d.example.com:5060', 'sip:media-d.example.com'],
  ])('%s is %s', (name, uri) => {
    expect(namedDestination(name, fleet)).toEqual([uri])
  })

  it.each([
    '10.0.1',
    '10.0.1.200',
    '0.0.1.20',
    'sip:10.0.1.20:5061',
    '10.0.1.20;transport=tcp',
    'example.com',
    'all',
    'ALL',
  ])('%s names nothing that is listed', (name) => {
    expect(() => namedDestination(name, fleet)).toThrow(UnknownDestination)
  })

  it.each(['', ' ', '*', 'sip:', 'sip:10.0.1.20:99999', '<sip:10.0.1.20>', '1:2:3', 'tel:+4930'])(
    '"%s" is a form that nothing can match',
    (name) => {
      expect(() => namedDestination(name, fleet)).toThrow(InvalidDestinationName)
    },
  )

  it('an entry that is listed by a DNS name is named by the address that the edge resolved, with its own port', () => {
    const byName = { ...listed('sip:media-e.example.com:5070'), address: '10.0.1.30' }
    const overIpv6 = { ...listed('sip:media-f.example.com'), address: '2001:db8::30' }
    const all = [...fleet, byName, overIpv6]
    for (const name of ['10.0.1.30', 'sip:10.0.1.30:5070', 'media-e.example.com'])
      expect(namedDestination(name, all)).toEqual([byName.uri])
    expect(namedDestination('2001:DB8:0::30', all)).toEqual([overIpv6.uri])
    for (const name of ['10.0.1.30:5060', '10.0.1.3'])
      expect(() => namedDestination(name, all)).toThrow(UnknownDestination)
    const machine = (addresses: string[]) => ({
      ...{ instanceId: 'i-0123456789abcdef0', addresses, taggedDestinations: [] },
    })
    expect(instanceDestinations(machine(['10.0.1.30', '2001:db8:0:0::30']), all)).toEqual([
      byName.uri,
      overIpv6.uri,
    ])
    expect(instanceDestinations(machine(['10.0.1.3']), all)).toEqual([])
    const tagged = { ...machine([]), taggedDestinations: ['10.0.1.30:5070'] }
    expect(instanceDestinations(tagged, all)).toEqual([byName.uri])
  })

  it('a duid that is no host is a name too', () => {
    expect(
      namedDestination('media server #4', [listed('sip:10.0.1.4', { duid: 'media server #4' })]),
    ).toEqual(['sip:10.0.1.4'])
  })

  it('an ambiguity is an error that lists every candidate', () => {
    const twoPorts = [listed('sip:10.0.1.20:5060'), listed('sip:10.0.1.20:5070'), listed('sip:10.0.1.21')]
    expect(() => namedDestination('10.0.1.20', twoPorts)).toThrow(AmbiguousDestination)
    expect(() => namedDestination('10.0.1.20', twoPorts)).toThrow(
      /2 destinations: sip:10\.0\.1\.20:5060, sip:10\.0\.1\.20:5070;/,
    )
    expect(() => namedDestination('10.0.1.20', twoPorts)).not.toThrow(/10\.0\.1\.21/)
    expect(namedDestination('10.0.1.20:5070', twoPorts)).toEqual(['sip:10.0.1.20:5070'])
  })

  it('a duid that two machines carry, or that is another machine’s host, is ambiguous', () => {
    const sharedDuid = [listed('sip:10.0.1.20', { duid: 'a' }), listed('sip:10.0.1.21', { duid: 'a' })]
    expect(() => namedDestination('a', sharedDuid)).toThrow(AmbiguousDestination)
    const hostAndDuid = [listed('sip:media-a'), listed('sip:10.0.1.21', { duid: 'media-a' })]
    expect(() => namedDestination('media-a', hostAndDuid)).toThrow(AmbiguousDestination)
  })

  it('what is written as it is listed means that, even beside a longer spelling', () => {
    const both = [listed('sip:10.0.1.20'), listed('sip:10.0.1.20:5070')]
    expect(namedDestination('sip:10.0.1.20', both)).toEqual(['sip:10.0.1.20'])
  })

  it('the spellings of all edges come back verbatim, each once', () => {
    const edges = [
      listed('sip:10.0.1.20'),
      listed('sip:10.0.1.20:5060', { set: 2 }),
      listed('SIP:10.0.1.20;transport=udp'),
      listed('sip:10.0.1.20:5060', { set: 3 }),
    ]
    for (const name of ['10.0.1.20', 'sip:10.0.1.20:5060', 'sip:10.0.1.20;TRANSPORT=udp'])
      expect(namedDestination(name, edges)).toEqual([
        'sip:10.0.1.20',
        'sip:10.0.1.20:5060',
        'SIP:10.0.1.20;transport=udp',
      ])
  })

  it('may mean a URI that is held and that no edge lists, beside what is listed', () => {
    const held = [uri('sip:10.0.1.30:5060')]
    expect(namedDestination('10.0.1.30', [listed('sip:10.0.1.20')], held)).toEqual(held)
    expect(namedDestination('10.0.1.30', [listed('sip:10.0.1.30')], held)).toEqual([
      'sip:10.0.1.30',
      'sip:10.0.1.30:5060',
    ])
    const otherPort = [listed('sip:10.0.1.30:5070')]
    expect(() => namedDestination('10.0.1.30', otherPort, held)).toThrow(AmbiguousDestination)
  })

  it('an IPv4 address finds exactly the machine with that address', () => {
    const address = fc
      .tuple(fc.constant('10.0.1'), fc.integer({ min: 1, max: 29 }))
      .map((parts) => parts.join('.'))
    fc.assert(
      fc.property(fc.uniqueArray(address, { minLength: 1, maxLength: 12 }), address, (addresses, name) => {
        const strangers = addresses.filter((each) => each !== name).map((each) => listed(`sip:${each}:5060`))
        const own = listed(`sip:${name}:5060`)
        expect(namedDestination(name, [...strangers, own])).toEqual([own.uri])
        expect(() => namedDestination(name, strangers)).toThrow(UnknownDestination)
      }),
    )
  })
})

describe('an instance is its whole set', () => {
  const instanceId = 'i-0123456789abcdef0'
  const alone = { instanceId, addresses: [], taggedDestinations: [] }

  it('every listed URI of its addresses, in every set and on every port, each once', () => {
    const entries = [
      listed('sip:10.0.1.20'),
      listed('sip:10.0.1.20', { set: 2 }),
      listed('sip:10.0.1.20:5070;transport=tcp'),
      listed('sip:203.0.113.9'),
      listed('sip:[2001:DB8::0020]'),
      listed('sip:IP-10-0-1-20.ec2.internal'),
      listed('sip:10.0.1.2'),
      listed('sip:10.0.1.200'),
    ]
    const addresses = ['10.0.1.20', '203.0.113.9', '2001:db8:0:0:0:0:0:20', 'ip-10-0-1-20.EC2.internal']
    expect(instanceDestinations({ ...alone, addresses }, entries)).toEqual([
      'sip:10.0.1.20',
      'sip:10.0.1.20:5070;transport=tcp',
      'sip:203.0.113.9',
      'sip:[2001:DB8::0020]',
      'sip:IP-10-0-1-20.ec2.internal',
    ])
  })

  it('whatever carries its id as duid', () => {
    const entries = [
      listed('sip:nat.example.com:5071', { duid: instanceId }),
      listed('sip:nat.example.com:5072'),
    ]
    expect(instanceDestinations(alone, entries)).toEqual(['sip:nat.example.com:5071'])
  })

  it('what its tag names, and nothing for a tag that names nothing', () => {
    const entries = [listed('sip:nat.example.com:5071'), listed('sip:nat.example.com:5072')]
    const tagged = (...taggedDestinations: string[]) =>
      instanceDestinations({ ...alone, taggedDestinations }, entries)
    expect(tagged('nat.example.com:5071')).toEqual(['sip:nat.example.com:5071'])
    expect(tagged('nat.example.com')).toEqual(['sip:nat.example.com:5071', 'sip:nat.example.com:5072'])
    expect(tagged('', '*', 'all', 'sip:')).toEqual([])
  })

  it('what is held at its addresses or in its tag, also where no edge lists it', () => {
    const held = [uri('sip:10.0.1.20:5070'), uri('sip:nat.example.com:5071'), uri('sip:10.0.1.2')]
    const tagged = { ...alone, addresses: ['10.0.1.20'], taggedDestinations: ['nat.example.com:5071'] }
    expect(instanceDestinations(tagged, [listed('sip:10.0.1.20')], held)).toEqual([
      'sip:10.0.1.20',
      'sip:10.0.1.20:5070',
      'sip:nat.example.com:5071',
    ])
  })

  it('empty where nothing is listed', () => {
    expect(instanceDestinations({ ...alone, addresses: ['10.0.1.20'] }, [listed('sip:10.0.1.2')])).toEqual([])
  })

  it.each([
    ['i-01234567', true],
    ['i-0123456789abcdef0', true],
    ['i-0123456789', false],
    ['i-0123456789ABCDEF0', false],
    ['xi-01234567', false],
    ['i-01234567 ', false],
  ])('an instance id has 8 or 17 hex digits: %s', (text, is) => {
    expect(isInstanceId(text)).toBe(is)
  })
})
