import { GetParametersCommand, type SSMClient } from '@aws-sdk/client-ssm'
import { type EdgeTls, type EdgeTlsParameters, namesOf } from '../contracts/edge-tls.ts'
import { InvalidConfiguration } from '../control/errors.ts'
import type { Clock } from '../ports/clock.ts'
import { type Cached, createCached } from './cached.ts'

/** Reads PEM; undefined is what can't be used. */
export interface PemReader {
  /** the certificates of a text, without what tools write around them */
  certificates(text: string): string | undefined
  /** a private key that has no passphrase */
  key(text: string): string | undefined
  /** whether the key is the first certificate's */
  belong(certificates: string, key: string): boolean
}

/**
 * Our side of TLS to the edges, from SSM's Parameter Store: all of it in one request, so that certificate and
 * key belong together unless somebody is just writing them. Its errors name a parameter and never show what
 * it holds.
 */
export function createEdgeTls(
  client: SSMClient,
  names: EdgeTlsParameters,
  { clock, pem }: { readonly clock: Clock; readonly pem: PemReader },
): Cached<EdgeTls> {
  const { caParameter, certificateParameter, keyParameter } = names
  const asked = namesOf(names)

  async function read() {
    const answer = await client.send(new GetParametersCommand({ Names: asked, WithDecryption: true }))
    const found = new Map((answer.Parameters ?? []).map((parameter) => [parameter.Name, parameter]))
    const missing = asked.filter((name) => !found.has(name))
    if (missing.length > 0) throw new InvalidConfiguration(`parameter ${missing.join(', ')} is missing`)
    return (name: string) => {
      const { Value: text = '', Type: type } = found.get(name) ?? {}
      return { text, type }
    }
  }
  function certificatesIn(name: string, { text }: { readonly text: string }): string {
    const certificates = pem.certificates(text)
    if (certificates !== undefined) return certificates
    throw new InvalidConfiguration(`parameter ${name} must hold certificates in PEM`)
  }

  return createCached(async () => {
    const parameter = await read()
    const ca = certificatesIn(caParameter, parameter(caParameter))
    if (certificateParameter === undefined || keyParameter === undefined) return { ca }
    const certificate = certificatesIn(certificateParameter, parameter(certificateParameter))
    const { text, type } = parameter(keyParameter)
    if (type !== 'SecureString')
      throw new InvalidConfiguration(`parameter ${keyParameter} holds a private key: make it a SecureString`)
    const key = pem.key(text)
    if (key === undefined)
      throw new InvalidConfiguration(
        `parameter ${keyParameter} must hold a private key in PEM, without a passphrase`,
      )
    if (!pem.belong(certificate, key))
      throw new InvalidConfiguration(
        `the key in parameter ${keyParameter} is not the one of the certificate in ${certificateParameter}: write both`,
      )
    return { ca, client: { certificate, key } }
  }, clock)
}
