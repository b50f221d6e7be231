import { createPrivateKey } from 'node:crypto'
import { SSMClient } from '@aws-sdk/client-ssm'
import { describe, expect, test } from 'vitest'
import { createEdgeTls } from '../../functions/aws/edge-tls.ts'
import { InvalidConfiguration } from '../../functions/control/errors.ts'
import { pem } from '../../functions/runtime/pem.ts'
import { createMemoryClock } from '../memory/clock.ts'
import { createAuthority } from '../rpc-client/tls-certificates.ts'
import { expectNothingOf } from '../rpc-client/tls-contract.ts'
import { awsStub } from './aws-stub.ts'

const ca = createAuthority('Our CA')
const client = ca.issue({ name: 'dispatcher-control' })
const names = { caParameter: '/tls/ca', certificateParameter: '/tls/client', keyParameter: '/tls/key' }
const good = {
  '/tls/ca': { Type: 'String', Value: ca.certificate },
  '/tls/client': { Type: 'String', Value: client.certificate },
  '/tls/key': { Type: 'SecureString', Value: client.key },
}
type Store = Readonly<Record<string, { readonly Type: string; readonly Value: string }>>

async function over(store: () => Store, of: Parameters<typeof createEdgeTls>[1] = names) {
  const stub = await awsStub(({ body }) => {
    const asked = (body as { Names: string[] }).Names
    const Parameters = asked.flatMap((Name) => {
      const found = store()[Name]
      return found === undefined ? [] : [{ Name, ...found }]
    })
    return { result: { Parameters, InvalidParameters: asked.filter((name) => !(name in store())) } }
  })
  const clock = createMemoryClock()
  return { stub, clock, tls: createEdgeTls(new SSMClient(stub.client), of, { clock, pem }) }
}

test('all of it is read decrypted in one request, kept for five minutes, and read again when asked to', async () => {
  let store: Store = good
  const { stub, clock, tls } = await over(() => store)
  const [first] = await Promise.all([tls.get(), tls.get()])
  expect(first.ca).toBe(ca.certificate)
  expect(first.client?.certificate).toBe(client.certificate)
  expect(stub.requests).toEqual([
    { operation: 'GetParameters', body: { Names: Object.values(names), WithDecryption: true } },
  ])
  const next = ca.issue({ name: 'dispatcher-control' })
  store = {
    ...good,
    '/tls/client': { Type: 'String', Value: next.certificate },
    '/tls/key': { Type: 'SecureString', Value: next.key },
  }
  await clock.advance(299_999)
  expect((await tls.get()).client?.certificate).toBe(client.certificate)
  expect((await tls.refresh()).client?.certificate).toBe(next.certificate)
  expect((await tls.get()).client?.certificate).toBe(next.certificate)
  expect(stub.requests).toHaveLength(2)
})

test('a CA alone is enough, several are a bundle, and what tools write around a certificate is left out', async () => {
  const another = createAuthority('The next CA')
  const Value = `# rotation\nsubject=CN = Our CA\n${ca.certificate}\nBag Attributes\n${another.certificate}`
  const { tls } = await over(() => ({ '/tls/ca': { Type: 'String', Value } }), { caParameter: '/tls/ca' })
  expect(await tls.get()).toEqual({ ca: `${ca.certificate}${another.certificate}` })
})

const encrypted = createPrivateKey(client.key)
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'planted' })
  .toString()
const { '/tls/key': _key, ...withoutKey } = good

describe('what can not be used is named by its parameter, and never shown', () => {
  test.each<[string, Store, string]>([
    ['a parameter that is not there', withoutKey, 'parameter /tls/key is missing'],
    [
      'a key in a String',
      { ...good, '/tls/key': { Type: 'String', Value: client.key } },
      'parameter /tls/key holds a private key: make it a SecureString',
    ],
    [
      'a key with a passphrase',
      { ...good, '/tls/key': { Type: 'SecureString', Value: encrypted } },
      'parameter /tls/key must hold a private key in PEM, without a passphrase',
    ],
    [
      "another certificate's key",
      { ...good, '/tls/key': { Type: 'SecureString', Value: ca.key } },
      'the key in parameter /tls/key is not the one of the certificate in /tls/client: write both',
    ],
    [
      'a key in the place of the CA',
      { ...good, '/tls/ca': { Type: 'String', Value: client.key } },
      'parameter /tls/ca must hold certificates in PEM',
    ],
    [
      'a certificate that was cut off',
      { ...good, '/tls/client': { Type: 'String', Value: client.certificate.replace(/\n.{64}\n/, '\n') } },
      'parameter /tls/client must hold certificates in PEM',
    ],
  ])('%s', async (_what, store, said) => {
    const { tls } = await over(() => store)
    const error = await tls.get().catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(InvalidConfiguration)
    expect(error).toMatchObject({ message: said })
    expectNothingOf({ ca: ca.certificate, client }, error)
    expectNothingOf({ ca: encrypted, client: { certificate: client.certificate, key: ca.key } }, error)
  })
})
