import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  canonicalHost,
  destinationKey,
  destinationUri,
  portOf,
  sameDestination,
  sipUri,
} from '../../functions/control/destination.ts'
import { uri } from './samples.ts'

/** Eight 16-bit numbers, many of them 0, so that `::` has something to stand for. */
const ipv6 = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
  minLength: 8,
  maxLength: 8,
})
const inFull = (parts: readonly number[]) => parts.map((part) => part.toString(16)).join(':')
const padded = (parts: readonly number[]) =>
  parts.map((part) => part.toString(16).padStart(4, '0').toUpperCase()).join(':')
/** `::` for the run of zeros at `start`, if there is one. */
const compressed = (parts: readonly number[], start: number) => {
  let end = start
  while (parts[end] === 0) end++
  return end === start ? inFull(parts) : `${inFull(parts.slice(0, start))}::${inFull(parts.slice(end))}`
}
const port = fc.integer({ min: 1, max: 65535 })

describe('a destination is a SIP URI', () => {
  it.each([
    'all',
    'ALL',
    'All',
    '',
    ' ',
    '*',
    'all ',
    '10.0.1.20',
    'http://10.0.1.20',
    'sip:',
    'sip:@',
    'sips:',
  ])('a whole set can not be said, nor anything else that is no SIP URI: "%s"', (text) => {
    expect(destinationUri(text)).toBeUndefined()
  })

  it('no text without a SIP scheme is ever a destination', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/^sips?:/i.test(text))
        expect(destinationUri(text)).toBeUndefined()
      }),
    )
  })

  it('it is kept verbatim, since Kamailio compares the whole stored string', () => {
    const spelled = 'SIP:Media-A.Example.COM:5060;Transport=UDP'
    expect(destinationUri(spelled)).toBe(spelled)
  })

  it.each([
    'sip:10.0.1.20:0',
    'sip:10.0.1.20:65536',
    'sip:10.0.1.20:',
    'sip:a b',
    'sip:[::1',
    'sip:[1:2]',
    '<sip:a>',
  ])('what names no machine and port is refused: %s', (text) => {
    expect(sipUri(text)).toBeUndefined()
  })

  it('its user, parameters and headers say nothing about the machine', () => {
    expect(sipUri('sip:alice@10.0.1.20:5070;lr;transport=TCP;x=y?subject=z')).toEqual({
      host: '10.0.1.20',
      port: 5070,
      transport: 'tcp',
    })
  })
})

describe('one key per machine, port and transport', () => {
  it('an address is compared whole: 10.0.1.2 is not 10.0.1.20', () => {
    expect(sameDestination(uri('sip:10.0.1.2:5060'), uri('sip:10.0.1.20:5060'))).toBe(false)
    expect(sameDestination(uri('sip:10.0.1.2'), uri('sip:10.0.1.2.example.com'))).toBe(false)
  })

  it.each([
    ['sip:10.0.1.20', 'sip:10.0.1.20:5060'],
    ['sip:10.0.1.20', 'sip:10.0.1.20;transport=udp'],
    ['sip:10.0.1.20;transport=tls', 'sip:10.0.1.20:5061;transport=TLS'],
    ['sips:10.0.1.20', 'sip:10.0.1.20:5061;transport=tls'],
    ['sips:10.0.1.20;transport=tcp', 'sips:10.0.1.20:5061'],
    ['sip:Media.Example.com', 'sip:media.example.COM.:5060'],
    ['sip:[2001:db8::20]', 'sip:[2001:DB8:0:0::0020]:5060'],
  ])('%s is %s', (one, other) => {
    expect(destinationKey(uri(one))).toBe(destinationKey(uri(other)))
    expect(sameDestination(uri(one), uri(other))).toBe(true)
  })

  it.each([
    ['sip:10.0.1.20', 'sip:10.0.1.20:5061'],
    ['sip:10.0.1.20', 'sip:10.0.1.20;transport=tcp'],
    ['sip:10.0.1.20', 'sips:10.0.1.20'],
    ['sip:10.0.1.20:5061', 'sips:10.0.1.20:5061'],
    ['sip:[2001:db8::2]', 'sip:[2001:db8::20]'],
  ])('%s is not %s', (one, other) => {
    expect(sameDestination(uri(one), uri(other))).toBe(false)
  })

  it('no port means 5060, with TLS 5061', () => {
    const meant = (text: string) => portOf(sipUri(text) ?? { host: '' })
    expect(meant('sip:a')).toBe(5060)
    expect(meant('sip:a;transport=tcp')).toBe(5060)
    expect(meant('sips:a')).toBe(5061)
    expect(meant('sip:a;transport=tls')).toBe(5061)
    expect(meant('sips:a:5070')).toBe(5070)
  })

  it('different IPv4 addresses or ports never share a key', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), port, port, (a, b, p, q) => {
        const same = a === b && p === q
        expect(sameDestination(uri(`sip:${a}:${p}`), uri(`sip:${b}:${q}`))).toBe(same)
      }),
    )
  })

  it('every spelling of an IPv6 address is one machine', () => {
    fc.assert(
      fc.property(ipv6, fc.nat(7), (parts, start) => {
        const host = canonicalHost(inFull(parts))
        expect(host).toBeDefined()
        for (const spelled of [padded(parts), compressed(parts, start), `[${inFull(parts)}]`])
          expect(canonicalHost(spelled)).toBe(host)
        expect(destinationKey(uri(`sip:[${padded(parts)}]`))).toBe(
          destinationKey(uri(`sip:[${compressed(parts, start)}]:5060`)),
        )
      }),
    )
  })

  it('different IPv6 addresses are different machines', () => {
    fc.assert(
      fc.property(ipv6, ipv6, (a, b) => {
        expect(canonicalHost(inFull(a)) === canonicalHost(inFull(b))).toBe(inFull(a) === inFull(b))
      }),
    )
  })
})

describe('canonicalHost', () => {
  it.each(['', '.', '-a', 'a-', 'a b', '::g', '1:2:3', '[::1', 'fe80::1%eth0', 'a/b', '::1/64'])(
    'says undefined for what is neither a name nor an address: "%s"',
    (text) => {
      expect(canonicalHost(text)).toBeUndefined()
    },
  )

  it('is done once: a canonical host stays as it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV6(), fc.ipV4(), fc.domain()), (text) => {
        const host = canonicalHost(text)
        expect(host).toBeDefined()
        expect(canonicalHost(host ?? '')).toBe(host)
      }),
    )
  })
})
