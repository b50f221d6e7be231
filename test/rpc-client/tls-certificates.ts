import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIPv4 } from 'node:net'

/** A certificate with its key, both PEM. */
export interface Identity {
  readonly certificate: string
  readonly key: string
}

export interface CertificateSpec {
  /** its common name */
  readonly name: string
  /** an IPv4 address or a DNS name that it is valid for */
  readonly host?: string
  /** Default: in an hour. */
  readonly expires?: Date
}

export interface Authority extends Identity {
  issue(spec: CertificateSpec): Identity
}

const hour = 3_600_000

/**
 * A certificate authority of its own. Written by hand, since a plain Debian has no `openssl` and Node makes
 * no certificates.
 */
export function createAuthority(name: string): Authority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  // Basic constraints: a CA. Key usage: it signs certificates and lists of revoked ones.
  const extensions = [
    extension('551d13', true, tag(0x30, tag(0x01, hex('ff')))),
    extension('551d0f', true, hex('03020106')),
  ]
  const own = { subject: name, issuer: name, signer: keys.privateKey, expires: new Date(Date.now() + hour) }
  return {
    certificate: certificateOf({ ...own, publicKey: keys.publicKey, extensions }),
    key: pemOf(keys.privateKey),
    issue({ name: subject, host, expires = own.expires }) {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const names = host === undefined ? [] : [extension('551d11', false, tag(0x30, hostOf(host)))]
      const made = certificateOf({ ...own, subject, publicKey, expires, extensions: names })
      return { certificate: made, key: pemOf(privateKey) }
    },
  }
}

interface Unsigned {
  readonly subject: string
  readonly issuer: string
  readonly publicKey: KeyObject
  readonly signer: KeyObject
  readonly expires: Date
  readonly extensions: readonly Buffer[]
}

/** RFC 5280, section 4.1. */
function certificateOf({ subject, issuer, publicKey, signer, expires, extensions }: Unsigned): string {
  // ecdsa-with-SHA256
  const algorithm = tag(0x30, hex('06082a8648ce3d040302'))
  const begins = new Date(Math.min(Date.now(), expires.getTime()) - hour)
  const body = tag(
    0x30,
    tag(0xa0, hex('020102')),
    tag(0x02, hex('01'), randomBytes(8)),
    algorithm,
    nameOf(issuer),
    tag(0x30, timeOf(begins), timeOf(expires)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions.length > 0 ? [tag(0xa3, tag(0x30, ...extensions))] : []),
  )
  const signed = tag(0x30, body, algorithm, tag(0x03, hex('00'), sign('sha256', body, signer)))
  const lines = signed.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

/** One DER element: what it is, how long, what is in it. */
function tag(type: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 0x80 ? [length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([type, ...size]), content])
}

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex')
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return tag(0x30, tag(0x06, hex(id)), ...(critical ? [hex('0101ff')] : []), tag(0x04, value))
}

/** Only a common name. */
function nameOf(text: string): Buffer {
  return tag(0x30, tag(0x31, tag(0x30, hex('0603550403'), tag(0x0c, Buffer.from(text)))))
}

/** `YYMMDDhhmmssZ`, which is for years below 2050. */
function timeOf(date: Date): Buffer {
  return tag(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replace(/\D/g, '')}Z`))
}

function hostOf(host: string): Buffer {
  return isIPv4(host) ? tag(0x87, Buffer.from(host.split('.').map(Number))) : tag(0x82, Buffer.from(host))
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}
