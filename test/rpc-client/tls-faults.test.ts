import { describe, expect, test } from 'vitest'
import type { EdgeTls } from '../../functions/contracts/edge-tls.ts'
import { InvalidConfiguration } from '../../functions/control/errors.ts'
import { mistrust } from '../../functions/kamailio/tls-faults.ts'
import { createTlsTransport } from '../../functions/kamailio/tls-transport.ts'

const caOnly: EdgeTls = { ca: 'CA' }
const both: EdgeTls = { ca: 'CA', client: { certificate: 'CERTIFICATE', key: 'KEY' } }
const failed = (code: string) => Object.assign(new Error('OpenSSL said planted-secret'), { code })

test.each<[string, EdgeTls | undefined, RegExp]>([
  ['CERT_HAS_EXPIRED', caOnly, /has expired: renew it on the edge \(CERT_HAS_EXPIRED\)$/],
  ['CERT_NOT_YET_VALID', caOnly, /is not valid yet: compare the clocks/],
  ['ERR_TLS_CERT_ALTNAME_INVALID', caOnly, /names another host than 10\.0\.0\.5: give it that as/],
  ['SELF_SIGNED_CERT_IN_CHAIN', caOnly, /not signed by our CA/],
  [
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    undefined,
    /no CA that is known here: name its CA with edgeTls\.caParameter/,
  ],
  [
    'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
    caOnly,
    /none is configured: .* \(alert CERTIFICATE_REQUIRED\)$/,
  ],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', undefined, /none is configured/],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', both, /saw no client certificate that it could use/],
  // TLS 1.2, as different releases of OpenSSL name it
  ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', caOnly, /none is configured/],
  ['ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', caOnly, /none is configured/],
  ['ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', both, /refused the TLS handshake: compare its TLS version/],
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', both, /not signed by a CA that the edge trusts/],
  ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', both, /our client certificate has expired: renew/],
  ['ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_REVOKED', both, /our client certificate is revoked/],
  ['ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE', both, /the edge refused our client certificate/],
  ['ERR_OSSL_PEM_NO_START_LINE', both, /our CA, client certificate or key can not be used/],
])('%s says which side is not trusted, and what to do', (code, tls, said) => {
  const why = mistrust(failed(code), '10.0.0.5', tls)
  expect(why).toMatch(said)
  expect(why).not.toContain('planted-secret')
})

test.each([
  'ECONNREFUSED',
  'UND_ERR_SOCKET',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR',
])('%s is no question of trust', (code) => {
  expect(mistrust(failed(code), '10.0.0.5', both)).toBeUndefined()
})

describe('our side that can not be read', () => {
  const message = { body: '{}', secret: undefined, limit: 1000, signal: AbortSignal.timeout(1000) }
  const over = (get: () => Promise<EdgeTls>, refresh: () => Promise<EdgeTls> = get) => {
    const asked: EdgeTls[] = []
    const transport = createTlsTransport({ get, refresh }, (tls) => ({
      post: async () => {
        asked.push(tls)
        return { failure: 'untrusted', why: 'by the edge' }
      },
      close: async () => undefined,
    }))
    return { transport, asked }
  }

  test('is a fault that names the parameter where it is wrong, and the edge is not asked', async () => {
    const { transport, asked } = over(() =>
      Promise.reject(new InvalidConfiguration('parameter /ca is missing')),
    )
    expect(await transport.post(message)).toMatchObject({
      failure: 'untrusted',
      why: 'what edgeTls names could not be read: parameter /ca is missing',
    })
    expect(asked).toEqual([])
  })

  test('keeps the words of others for the cause', async () => {
    const { transport } = over(() => Promise.reject(new Error('planted-secret')))
    expect(await transport.post(message)).toMatchObject({ why: 'what edgeTls names could not be read' })
  })

  test('a second time leaves what the edge said', async () => {
    const { transport, asked } = over(
      async () => caOnly,
      () => Promise.reject(new Error('throttled')),
    )
    expect(await transport.post(message)).toEqual({ failure: 'untrusted', why: 'by the edge' })
    expect(asked).toEqual([caOnly])
  })

  test('is asked for once more, and no more often', async () => {
    const { transport, asked } = over(
      async () => caOnly,
      async () => both,
    )
    expect(await transport.post(message)).toEqual({ failure: 'untrusted', why: 'by the edge' })
    expect(asked).toEqual([caOnly, both])
  })
})
