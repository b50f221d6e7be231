import { expect, test } from 'vitest'
import { minutes, server } from '../world/world.ts'
import { kdcWorld } from './kdc-world.ts'

const wait = `drain ${server} -m 'disk failing' --wait`

type Read = 'holds' | 'commandOutcome'

/** @param fails which looks at what is stored, the first is 0 */
function failing(fails: (look: number) => boolean, failure: object, what: Read = 'holds') {
  const { kdc, world, sent } = kdcWorld()
  const { store } = world.memory
  let looks = 0
  const reading =
    <In extends unknown[], Out>(read: (...asked: In) => Promise<Out>) =>
    async (...asked: In) => {
      looks += 1
      if (fails(looks - 1)) throw Object.assign(new Error('as it is worded'), failure)
      return read(...asked)
    }
  const shelf = { ...store, [what]: what === 'holds' ? reading(store.holds) : reading(store.commandOutcome) }
  const stop = new AbortController()
  const run = (words = '') => kdc(words, { deployed: { shelf }, stopped: stop.signal })
  return { kdc, world, sent, stop, run }
}

test('a network that is away for some looks does not end a wait, and is named once', async () => {
  const { run } = failing((look) => look < 10, { code: 'ENOTFOUND' })
  const { code, err } = await run(wait)
  expect(code).toBe(0)
  expect(err.match(/AWS is not reached/g)).toHaveLength(1)
})

test.each([
  { name: 'ThrottlingException' },
  { name: 'ProvisionedThroughputExceededException' },
  { name: 'InternalServerError', $metadata: { httpStatusCode: 500 } },
])('what AWS has no time for does not end a wait: %o', async (failure) => {
  const { run } = failing((look) => look < 10, failure)
  expect(await run(wait)).toMatchObject({ code: 0 })
})

test.each(['drained', 'confirmed'])(
  'a wait until it is %s outlasts an edge that can not be read, and names it once until it can',
  async (goal) => {
    const { kdc, world } = kdcWorld()
    await world.settledAll()
    const call = world.edge('edge-a').callTo(server)
    world.edge('edge-b').misbehaviour = { unreachable: true }
    await world.pass(minutes)
    const waited = kdc(`drain ${server} -m 'disk failing' --wait=${goal} --timeout 10m`)
    await world.pass(4 * minutes)
    world.edge('edge-b').misbehaviour = {}
    world.edge('edge-a').hangUp(call)
    const { code, err } = await waited
    expect(err.match(/disabling: calls left: 1\+ \(edge-a 1, edge-b unknown\)\n/g)).toHaveLength(1)
    expect(err).not.toMatch(/unknown\)[^\n]*\n$/)
    expect(code).toBe(0)
  },
)

test('a network that is away until --timeout is over ends a wait with 6, and the drain goes on', async () => {
  const { run, world } = failing(() => true, { name: 'TimeoutError' })
  expect(await run(`${wait} --timeout 2m`)).toMatchObject({
    code: 6,
    err: expect.stringContaining('the drain goes on'),
  })
  expect(world.age()).toBeGreaterThanOrEqual(2 * minutes)
})

test('what no second look mends ends a wait at once, and says that the drain goes on', async () => {
  // The first are for what it names and for its undo, and keep nothing from being sent.
  const { run, world } = failing((look) => look < 3, { name: 'AccessDeniedException' })
  expect(await run(wait)).toMatchObject({ code: 1, err: expect.stringContaining('the drain goes on') })
  expect(await world.heldBy()).toHaveLength(1)
})

test('a network that is away twice is named twice: once for each run of failures', async () => {
  const { run } = failing((look) => look < 3 || (look > 4 && look < 8), { code: 'ENETUNREACH' })
  const { err } = await run(wait)
  expect(err.match(/AWS is not reached/g)).toHaveLength(2)
})

test.each(['watch', 'status -w', `watch ${server}`])(
  '%s goes on where the network is away for some looks, and ends at once where a look is refused',
  async (words) => {
    const { kdc, world, run, stop } = failing((look) => look < 3, { code: 'ENETUNREACH' })
    await kdc(`drain ${server} -m 'disk failing'`)
    world.edge('edge-a').callTo(server)
    const watching = run(words)
    await world.pass(minutes)
    stop.abort()
    const { code, out, err } = await watching
    expect(code).toBe(130)
    expect(out).toContain('draining')
    expect(err.match(/AWS is not reached/g)).toHaveLength(1)
    const refused = failing((look) => look < 1, { name: 'AccessDeniedException' })
    expect(await refused.run(words)).toMatchObject({ code: 1, err: expect.stringContaining('not allowed') })
  },
)

test('a network that is away while an answer is waited for does not end that, and --timeout does', async () => {
  const drain = `drain ${server} -m 'disk failing'`
  const { run } = failing((look) => look < 5, { code: 'ECONNRESET' }, 'commandOutcome')
  const { code, out, err } = await run(drain)
  expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('started') })
  expect(err.match(/AWS is not reached/g)).toHaveLength(1)
  const away = failing(() => true, { code: 'ECONNRESET' }, 'commandOutcome')
  expect(await away.run(`${drain} --timeout 30s`)).toMatchObject({
    code: 1,
    err: expect.stringMatching(/timed out: AWS is not reached.*; the command is sent: kdc get command kdc-/),
  })
})

test('who may send and not read is told at once that the command is sent', async () => {
  const { run, sent } = failing((look) => look < 1, { name: 'AccessDeniedException' }, 'commandOutcome')
  expect(await run(`drain ${server} -m 'disk failing'`)).toMatchObject({
    code: 1,
    err: expect.stringMatching(/not allowed: .*; the command is sent: kdc get command kdc-/),
  })
  expect(sent).toHaveLength(1)
})
