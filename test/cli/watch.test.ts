import { expect, test } from 'vitest'
import { minutes, neighbour, server } from '../world/world.ts'
import { bob, kdcWorld } from './kdc-world.ts'

function watched() {
  const { kdc, world } = kdcWorld()
  const stop = new AbortController()
  const after = (ms: number, what: () => unknown) => world.clock.at(world.clock.now() + ms, what)
  const watch = (words = '') => kdc(`watch ${words}`, { stopped: stop.signal })
  return { kdc, world, after, watch, stop }
}

test('watch prints what there is, each drain, edge and change as it comes, and ends with 130 while all goes on', async () => {
  const { kdc, world, after, watch, stop } = watched()
  await kdc(`drain ${server} -m 'disk failing'`)
  const call = world.edge('edge-a').callTo(server)
  after(2 * minutes, () => world.edge('edge-a').hangUp(call))
  after(4 * minutes, () => {
    world.edge('edge-b').misbehaviour = { unreachable: true }
  })
  const watching = watch()
  await world.pass(minutes)
  await kdc(`drain ${neighbour} -m 'noisy fan'`, { who: bob })
  await world.pass(8 * minutes)
  stop.abort()
  const { code, out, err } = await watching
  expect({ code, err }).toEqual({ code: 130, err: 'kdc: stopped: what is under way goes on\n' })
  expect(out).toMatch(/Z {2}edge {4}edge-a {2}readable\n/)
  expect(out).not.toContain('placed by Operators/alice')
  expect(out).toContain('placed by Operators/bob: noisy fan')
  expect(out).toMatch(/drain {3}sip:10\.0\.1\.20:5060 {2}draining: calls left: 1 \(edge-a 1\)\n/)
  expect(out).toMatch(/drain {3}\S+ {2}drained: calls left: 0\n/)
  expect(out).toMatch(/edge {4}edge-b {2}unreadable: /)
  expect(await world.heldBy()).toHaveLength(2)
})

test('one drain is watched until its last call is over: 0, each line is data', async () => {
  const { kdc, world, after, watch } = watched()
  await kdc(`drain ${server} -m 'disk failing'`)
  const call = world.edge('edge-a').callTo(server)
  after(3 * minutes, () => world.edge('edge-a').hangUp(call))
  const { code, out } = await watch(`${server} -o jsonl`)
  expect(code).toBe(0)
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines.at(0)).toMatchObject({
    what: 'drain',
    on: server,
    drain: { why: 'disk failing' },
  })
  expect(lines.at(-1)).toMatchObject({ is: 'drained: calls left: 0' })
})

test('who stops watching one drain leaves it as it is: 130', async () => {
  const { kdc, world, after, watch, stop } = watched()
  world.edge('edge-a').callTo(server)
  await kdc(`drain ${server} -m 'disk failing'`)
  after(2 * minutes, () => stop.abort())
  expect(await watch('10.0.1.20')).toMatchObject({ code: 130, out: expect.stringContaining('calls left: 1') })
  expect(await world.heldBy()).toHaveLength(1)
})

test('of several drains of a server that of Auto Scaling is watched, at whose end the machine goes', async () => {
  const { kdc, world, watch } = watched()
  await kdc(`drain ${server} -m 'disk failing'`)
  await world.scaleIn()
  const { code, out } = await watch(`${server} -o jsonl`)
  expect(code).toBe(0)
  expect(JSON.parse(out.split('\n')[0] ?? '')).toMatchObject({
    drain: { drain: expect.stringMatching(/^lifecycle\//) },
  })
})

test('a server that nothing drains is told so in one line', async () => {
  const { watch } = watched()
  expect(await watch(server)).toMatchObject({
    code: 1,
    err: `kdc: nothing drains ${server}: kdc explain ${server} shows who holds it, kdc drain begins one\n`,
  })
})

test.each(['json', 'yaml'])('%s is a document for each line', async (format) => {
  const { watch, after, stop } = watched()
  after(minutes, () => stop.abort())
  const { out } = await watch(`-o ${format}`)
  expect(out.match(format === 'yaml' ? /^---$/gm : /^\{.*\}$/gm)?.length).toBe(2)
})

test('at 80 columns a line is wrapped: who, why and each edge with its calls are told whole', async () => {
  const file = [server, neighbour].map((uri) => ({ set: 1, uri, flags: 'AP' }) as const)
  const edges = ['edge-a', 'sbc-frankfurt-03-replacement'].map((id) => ({ id, file }))
  const { kdc, world } = kdcWorld({ edges })
  const stop = new AbortController()
  await kdc(`drain ${server} -m 'disk failing'`)
  for (const { id } of edges) world.edge(id).callTo(server)
  const watching = (words: string) =>
    kdc(words, { stopped: stop.signal, screen: { columns: 80, isTerminal: true } })
  const shown = [watching('watch'), watching('watch -o wide')]
  await world.pass(2 * minutes)
  const why = 'the carrier has maintenance, see the change CHG-12345 of its own portal'
  await kdc(`drain ${neighbour} --from 3h -m '${why}'`, { who: bob })
  await kdc(`freeze -m '${why}'`, { who: bob })
  await world.pass(minutes)
  stop.abort()
  const [narrow = '', wide = ''] = (await Promise.all(shown)).map(({ out }) => out)
  for (const whole of [
    ...['calls left: 2 (edge-a 1, sbc-frankfurt-03-replacement 1)', `(Operators/bob: ${why})`],
    `frozen by Operators/bob: ${why}\n`,
  ]) {
    expect(narrow.replaceAll('\n  ', ' ')).toContain(whole)
    expect(wide).toContain(whole)
  }
  expect(Math.max(...narrow.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(80)
})

test('what can not be read is named once, however long it is watched', async () => {
  const { kdc, world } = kdcWorld()
  const { store } = world.memory
  const changes: typeof store.changes = async (...asked) => ({
    ...(await store.changes(...asked)),
    unread: ['CHANGES#day/7: kind: is of a later release'],
  })
  const stop = new AbortController()
  world.clock.at(world.clock.now() + 10_000, () => stop.abort())
  const { err } = await kdc('watch', { stopped: stop.signal, deployed: { shelf: { ...store, changes } } })
  expect(err).toBe(
    "a row can't be read: CHANGES#day/7: kind: is of a later release\nkdc: stopped: what is under way goes on\n",
  )
})
