import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { some } from '../present.ts'
import { minutes, server } from '../world/world.ts'
import { bob, kdcWorld } from './kdc-world.ts'

const edges = ['edge-a', 'sbc-frankfurt-03-replacement'].map((id) => ({
  id,
  file: [
    { set: 1, uri: server, flags: 'AP' } as const,
    { set: 2, uri: 'sip:media-server-with-a-long-name.example.com:5060;transport=tcp', flags: 'AP' } as const,
  ],
}))

test.each([80, 160])(
  'a terminal of %i columns is shown no longer line, and no heading is cut',
  async (columns) => {
    const { kdc, world } = kdcWorld({ edges })
    const at = { screen: { columns, isTerminal: true }, errColumns: columns }
    await world.settledAll()
    world.edge('edge-a').callTo(server)
    world.edge('sbc-frankfurt-03-replacement').misbehaviour = { unreachable: true }
    await world.pass(minutes)
    const why = 'the carrier has maintenance, see the change CHG-12345 of its own portal'
    await kdc(`drain ${edges[0]?.file[1]?.uri} -m '${why}' --from 3h`)
    const shown = [
      await kdc(`drain ${server} -m '${why}' --wait --timeout 1m`, at),
      await kdc(`freeze -m '${why}' --until 2h`, at),
      await kdc('status', at),
      await kdc('get commands', at),
    ].flatMap(({ out, err }) => `${out}${err}`.split('\n'))
    expect(shown).toContainEqual(expect.stringMatching(/^FROZEN by /))
    expect(shown).toContainEqual(expect.stringMatching(/^not done everywhere: /))
    // What is to be pasted stays one line.
    const lines = some(shown.filter((line) => !line.startsWith('undo: ')))
    expect(lines.filter((line) => line.length > columns)).toEqual([])
    expect(lines.filter((line) => /^[A-Z][A-Z ]+…|[A-Z]…/.test(line))).toEqual([])
  },
)

test('a line whose characters take two columns counts with all its rows in the height of a picture', async () => {
  const { kdc, world } = kdcWorld()
  await kdc(`freeze -m ${'設'.repeat(39)}`)
  const picture = async (rows: number) => {
    const stop = new AbortController()
    world.clock.at(world.clock.now() + 1000, () => stop.abort())
    const screen = { isTerminal: true, columns: 60, rows }
    return (await kdc('status -w', { screen, stopped: stop.signal })).out
  }
  const whole = await picture(40)
  // The cursor has a row, and so has what is left of the reason.
  const rows = whole.split('\n').length + 1
  expect(await picture(rows)).not.toContain('more rows')
  expect(await picture(rows - 1)).toContain('more rows')
})

test.each(['json', 'jsonl', 'yaml'])(
  'status -w of %s is data on a terminal too: nothing is cut to its rows, or drawn over',
  async (format) => {
    const { kdc, world } = kdcWorld()
    const stop = new AbortController()
    world.clock.at(world.clock.now() + 1000, () => stop.abort())
    const screen = { isTerminal: true, columns: 80, rows: 10 }
    const { out } = await kdc(`status -w -o ${format}`, { screen, stopped: stop.signal })
    expect(out).not.toContain('\u001b')
    expect(parse(out)).toMatchObject({ edges: [{ edge: 'edge-a' }, { edge: 'edge-b' }] })
  },
)

test('what a write tells beside its table is wrapped on a terminal, and what is to be pasted stays one line', async () => {
  const { kdc } = kdcWorld()
  const at = { screen: { columns: 80, isTerminal: true } }
  const why = 'the carrier has maintenance, see the change CHG-12345 of its own portal'
  await kdc(`drain ${server} -m '${why}'`)
  await kdc(`drain ${server} -m '${why}'`, { who: bob })
  const renewed = await kdc(`drain ${server} -m '${why}'`, at)
  const dryRun = await kdc(`drain ${server} -m '${why}' --dry-run`, at)
  const lifted = await kdc(`activate ${server}`, at)
  await kdc(`freeze -m '${why}'`)
  await kdc(`drain ${server} -m '${why}'`)
  const thawing = await kdc('unfreeze --dry-run', at)
  const shown = [renewed, dryRun, lifted, thawing].map(({ out }) => out)
  const out = shown.join('')
  expect(out).toMatch(/^in the place of your own hold since(?:.*\n {2})+.*portal$/m)
  expect(out).toMatch(/^held by(?:.*\n {2})+.*portal$/m)
  expect(out).toMatch(/^lifted(?:.*\n {2})+.*portal$/m)
  expect(out).toMatch(/^still held by(?:.*\n {2})+.*portal$/m)
  expect(out).toMatch(/^frozen by(?:.*\n {2})+.*portal$/m)
  expect(out).toMatch(/^waits:(?:.*\n {2})+.*portal$/m)
  expect(lifted.out).toMatch(/^ {2}lifted by: kdc activate \S+ --hold \S+bob'$/m)
  const isPasted = (line: string) => /^(undo| {2}lifted by): /.test(line)
  const lines = some(out.split('\n').filter((line) => !isPasted(line)))
  // No word is broken, such as the id of a hold.
  expect(lines.filter((line) => line.length > 80 && line.trim().includes(' '))).toEqual([])
})
