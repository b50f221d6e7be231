import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { type ExitCode, worse } from '../../cli/desk/exit-codes.ts'
import { instanceId, minutes, neighbour, server } from '../world/world.ts'
import { bob, kdcWorld } from './kdc-world.ts'

const both = `drain ${server} ${neighbour} -m 'disk failing'`

test('each of several targets is a command of its own, in their order, with its answer and its undo', async () => {
  const { kdc, world, sent } = kdcWorld()
  const { code, out } = await kdc(both)
  expect(code).toBe(0)
  expect(sent).toMatchObject([
    { command: 'drain', destination: server, reason: 'disk failing' },
    { command: 'drain', destination: neighbour, reason: 'disk failing' },
  ])
  expect(new Set(sent.map((command) => JSON.stringify(command))).size).toBe(2)
  expect(out.match(/^drain \S+: started|^undo: .*$/gm)).toEqual([
    `drain ${server}: started`,
    `undo: kdc activate ${server}`,
    `drain ${neighbour}: started`,
    `undo: kdc activate ${neighbour}`,
  ])
  const back = await kdc(`activate ${server} ${neighbour}`)
  expect(back.out.match(/^undo: .*$/gm)).toEqual([
    `undo: kdc drain ${server} -m 'disk failing'`,
    `undo: kdc drain ${neighbour} -m 'disk failing'`,
  ])
  expect(await world.heldBy()).toEqual([])
})

test('a target that is named twice is drained once', async () => {
  const { kdc, sent } = kdcWorld()
  await kdc(`drain ${server} ${server} -m why`)
  expect(sent).toHaveLength(1)
})

test.each([
  `drain ${server} ${neighbour} 10.0.9.9 -m why`,
  `activate ${server} ${neighbour} 10.0.9.9`,
  // The rest of a reason that was not quoted.
  `drain ${server} -m disk failing`,
  `drain ${server} all -m why`,
])('%s has a typo, so none of them is sent: 3', async (line) => {
  const { kdc, sent } = kdcWorld()
  expect(await kdc(line)).toMatchObject({ code: 3, out: '', err: expect.stringMatching(/^kdc: refused: /) })
  expect(sent).toEqual([])
})

test('one that is refused keeps none of the others from being sent, is named, and ends it with 3', async () => {
  const { kdc, world } = kdcWorld()
  const { code, out, err } = await kdc(`drain i-0bbbbbbbbbbbbbbbb ${server} -m why`)
  expect(code).toBe(3)
  expect(err).toContain('kdc: i-0bbbbbbbbbbbbbbbb: refused: EC2 knows no instance')
  expect(err).toMatch(new RegExp(`^${server}: drain kdc-\\S+ is sent by `, 'm'))
  expect(out).toContain(`drain ${server}: started`)
  expect(await world.heldBy()).toHaveLength(1)
})

test.each([`drain i-0bbbbbbbbbbbbbbbb ${server} -m why`, `drain ${server} i-0bbbbbbbbbbbbbbbb -m why`])(
  'the exit code of %s is the worst: no answer is worse than a refusal, whichever comes first',
  async (line) => {
    const { kdc, world } = kdcWorld()
    const commandOutcome = async (id: string) => {
      const outcome = await world.memory.store.commandOutcome(id)
      return outcome?.['refused'] === undefined ? undefined : outcome
    }
    const deployed = { shelf: { ...world.memory.store, commandOutcome } }
    const { code, err } = await kdc(`${line} --timeout 30s`, { deployed })
    expect(code).toBe(1)
    expect(err).toContain('i-0bbbbbbbbbbbbbbbb: refused: EC2 knows no')
    expect(err).toContain(`${server}: no answer within 30 s`)
  },
)

const worstFirst: readonly ExitCode[] = [130, 1, 3, 5, 6, 4, 0]
test.each([...worstFirst.entries()])(
  'at place %s of the worst exit codes is %s, as docs/commands.md has them',
  (place, code) => {
    const those = worstFirst.slice(place)
    expect([those.reduce(worse), those.toReversed().reduce(worse)]).toEqual([code, code])
  },
)

test('who stops it while one is answered has the others not sent, and is told which', async () => {
  const { kdc } = kdcWorld()
  const stop = new AbortController()
  const bodies: string[] = []
  const send = async ({ body }: { readonly body: string }) => {
    bodies.push(body)
    stop.abort()
  }
  const { code, err } = await kdc(both, { stopped: stop.signal, deployed: { send } })
  expect(code).toBe(130)
  expect(err).toContain('the command is sent: kdc get command kdc-')
  expect(err).toContain(`not sent: ${neighbour}\n`)
  expect(bodies).toHaveLength(1)
})

test('who stops it as an answer comes has the others not sent either, and nothing is waited for', async () => {
  const { kdc, world, sent } = kdcWorld()
  world.edge('edge-a').callTo(server)
  const stop = new AbortController()
  const at = { stopped: stop.signal, onOut: () => stop.abort() }
  expect(await kdc(`${both} --wait`, at)).toMatchObject({
    ...{ code: 130, out: expect.stringContaining('started') },
    err: expect.stringContaining(`not sent: ${neighbour}\n`),
  })
  expect(sent).toHaveLength(1)
})

test('what AWS refuses for all of them ends it at the first one, and names which were not sent', async () => {
  const { kdc } = kdcWorld()
  const send = () => Promise.reject(Object.assign(new Error('no'), { name: 'AccessDenied' }))
  const { code, err } = await kdc(both, { deployed: { send } })
  expect(code).toBe(1)
  expect(err).toContain(`not sent: ${neighbour}\nkdc: not allowed`)
})

test('--wait waits for all of them, once all are sent', async () => {
  const { kdc, world, sent } = kdcWorld()
  const edge = world.edge('edge-a')
  const [first, second] = [edge.callTo(server), edge.callTo(neighbour)]
  const start = world.clock.now()
  // The first that is waited for is the last that is over.
  world.clock.at(start + 10 * minutes, () => edge.hangUp(first))
  world.clock.at(start + 5 * minutes, () => edge.hangUp(second))
  world.clock.at(start + 1 * minutes, () => expect(sent).toHaveLength(2))
  const { code, err } = await kdc(`${both} --wait`)
  expect(code).toBe(0)
  expect(world.clock.now()).toBeGreaterThan(start + 10 * minutes)
  for (const target of [server, neighbour]) expect(err).toContain(`${target}: drained: calls left: 0\n`)
})

test('one whose time is over keeps none of the others from being waited for, and the worst is the exit code', async () => {
  const { kdc, world } = kdcWorld()
  world.edge('edge-a').callTo(server)
  const { code, err } = await kdc(`${both} --wait --timeout 5m`)
  expect(code).toBe(4)
  expect(err).toMatch(new RegExp(`${server}: .*timed out(?:.|\\n)*${neighbour}: drained: calls left: 0\\n`))
})

test('who stops the wait for one stops it for all, and is told which', async () => {
  const { kdc, world } = kdcWorld()
  world.edge('edge-a').callTo(server)
  const stop = new AbortController()
  world.clock.at(world.clock.now() + 2 * minutes, () => stop.abort())
  const { code, err } = await kdc(`${both} --wait`, { stopped: stop.signal })
  expect(code).toBe(130)
  expect(err).toMatch(
    new RegExp(`stopped: the drain goes on: kdc status shows it\\nnot waited for: ${neighbour}\\n$`),
  )
  expect(await world.heldBy()).toHaveLength(2)
})

test('whoever would lift holds of others is asked once for all of them, before anything is sent', async () => {
  const { kdc, sent } = kdcWorld()
  await kdc(both, { who: bob })
  const questions: string[] = []
  const ask = async (question: string) => {
    questions.push(question)
    return false
  }
  const { code } = await kdc(`activate ${server} ${neighbour} --source operator`, { ask })
  expect(code).toBe(3)
  expect(questions).toEqual([expect.stringMatching(/10\.0\.1\.20.*10\.0\.1\.21/)])
  expect(sent).toHaveLength(2)
})

test('of several answers a program gets a document each', async () => {
  const { kdc } = kdcWorld()
  const { out } = await kdc(`drain ${server} ${instanceId} -m why -o yaml`)
  const answers = parseAllDocuments(out).map((each) => each.toJS())
  expect(answers).toMatchObject([{ destination: server }, { instance: instanceId }])
  const lines = (await kdc(`activate ${server} ${instanceId} -o jsonl`)).out.trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ result: 'lifted' }, { result: 'lifted' }])
})

test('a long name leaves its lines wide enough: no terminal is shown a word a line', async () => {
  const long = 'sip:media-server-0123456789abcdef0.eu-central-1.voice.prod.example.com:5060;transport=tcp'
  const file = [server, long].map((uri) => ({ set: 1, uri, flags: 'AP' }) as const)
  const { kdc } = kdcWorld({ edges: [{ id: 'edge-a', file }] })
  const { err } = await kdc(`drain '${long}' ${server} -m 'disk failing'`, { errColumns: 80 })
  const lines = err.trimEnd().split('\n')
  expect(lines.filter((line) => !line.trimStart().includes(' '))).toEqual(
    lines.filter((line) => /^ {2}arn:/.test(line)),
  )
  expect(err).toMatch(/: drain kdc-\S+ is sent by\n {2}arn:/)
})
