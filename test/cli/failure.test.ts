import { afterEach, expect, test, vi } from 'vitest'
import { Stop } from '../../cli/desk/exit-codes.ts'
import { reach } from '../../cli/reach/reach.ts'
import { UnexpectedAnswer } from '../../functions/control/errors.ts'
import { neighbour, server } from '../world/world.ts'
import { kdcWorld } from './kdc-world.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

const named = (name: string, message = 'as AWS words it') => Object.assign(new Error(message), { name })
const coded = (code: string) => Object.assign(new Error(`getaddrinfo ${code}`), { code })

/** As the SDK throws what has no body, or one that is no JSON. */
const without = (name: string, httpStatusCode: number) =>
  Object.assign(named(name, 'UnknownError'), { $metadata: { httpStatusCode } })

test.each([
  [new Stop('no deployment "voice"'), 'no deployment "voice"'],
  [named('CredentialsProviderError'), 'no AWS credentials: log in, or name a profile with --profile'],
  [named('ExpiredTokenException'), 'AWS does not take these credentials: log in anew'],
  [
    named('AccessDeniedException'),
    "not allowed: have the policy of the stack's output ReadPolicyArn attached",
  ],
  [named('TimeoutError'), 'AWS does not answer: look at the network'],
  [named('QueueDoesNotExist'), 'the deployment is not whole, or in another account'],
  [coded('ENOTFOUND'), 'AWS is not reached: look at the network, and at --region'],
  [named('Error', 'Region is missing'), 'no region: name one with --region, or set AWS_REGION'],
  [
    coded('ERR_INVALID_URL'),
    'AWS_ENDPOINT_URL, or an endpoint_url of the AWS configuration, is no URL: leave',
  ],
  [new UnexpectedAnswer('HOLDS: who: is missing'), 'what is stored can not be read: kdc may be older'],
  [
    without('Unknown', 404),
    'HTTP status 404 without a word of AWS: look at --region, AWS_ENDPOINT_URL and proxies',
  ],
  [without('SyntaxError', 200), 'HTTP status 200 without a word of AWS'],
  [named('TypeError', 'two\nlines'), 'TypeError: two lines'],
  [new Stop('refused: of bob (a disk\nkdc: done)'), 'refused: of bob (a disk·kdc: done)'],
])('%s is one line that says what to do, and ends with 1', async (error, line) => {
  const { kdc } = kdcWorld()
  const { code, out, err } = await kdc('status', { reach: () => Promise.reject(error) })
  expect({ code, out }).toEqual({ code: 1, out: '' })
  expect(err).toMatch(/^kdc: [^\n]+\n$/)
  expect(err).toContain(line)
})

test('a region that can be none is told so by what to do, and ends with 2: no AWS is asked', async () => {
  vi.stubEnv('AWS_ENDPOINT_URL', undefined)
  const { kdc, world } = kdcWorld()
  const from = { clock: world.clock, random: () => 0.5, usualProfile: undefined }
  expect(await kdc("status --region 'eu central'", { reach: (place) => reach(place, from) })).toEqual({
    ...{ code: 2, out: '' },
    err: expect.stringMatching(
      /^kdc: no region has such a name: write one such as [^\n]*eu central[^\n]*\n$/,
    ),
  })
})

test('a command that may not be sent is told so, and who asks is not guessed', async () => {
  const { kdc, sent } = kdcWorld()
  const refused = () => Promise.reject(named('AccessDenied'))
  for (const deployed of [{ send: refused }, { caller: refused }])
    expect(await kdc('unfreeze', { deployed })).toMatchObject({
      code: 1,
      err: expect.stringContaining('OperatePolicyArn for commands'),
    })
  expect(sent).toEqual([])
})

test('what is refused in several lines is told in one, also of one of several targets', async () => {
  const { kdc, world } = kdcWorld()
  const commandOutcome = async (id: string) => ({ id, refused: 'a disk\nkdc: all is done' })
  const deployed = { shelf: { ...world.memory.store, commandOutcome } }
  const { code, err } = await kdc(`drain ${server} ${neighbour} -m why`, { deployed })
  expect(code).toBe(3)
  expect(err.match(/^kdc: .*$/gm)).toEqual(
    [server, neighbour].map((uri) => `kdc: ${uri}: refused: a disk·kdc: all is done`),
  )
})

const widest = (text: string) => Math.max(...text.split('\n').map((line) => line.length))

test('on a terminal an error breaks between two words, and its command, which is to be pasted, does not', async () => {
  const { kdc } = kdcWorld()
  expect((await kdc(`watch ${server}`, { errColumns: 30 })).err.split('\n')).toEqual([
    'kdc: nothing drains',
    `  ${server}:`,
    `  kdc explain ${server} shows who holds it,`,
    '  kdc drain begins one',
    '',
  ])
  const { err } = await kdc('status -o xml', { errColumns: 30 })
  expect(err.replaceAll(/\n +/g, ' ')).toBe((await kdc('status -o xml')).err)
  expect(widest(err)).toBeLessThanOrEqual(30)
  const several = await kdc(`drain ${server} nobody -m why`, { errColumns: 30 })
  expect(widest(several.err)).toBeLessThanOrEqual(40)
})

test('a row that can not be read keeps the rest from being shown by no more than its line', async () => {
  const { kdc, world } = kdcWorld()
  const shelf = { ...world.memory.store, waiting: async () => ({ drains: [], unread: ['WAITING/x: who'] }) }
  const { code, out } = await kdc('status', { deployed: { shelf } })
  expect(code).toBe(0)
  expect(out).toContain("a row can't be read: WAITING/x: who")
})
