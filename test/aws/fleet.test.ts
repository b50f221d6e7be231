import { SSMClient } from '@aws-sdk/client-ssm'
import { expect, test, vi } from 'vitest'
import { createFleet } from '../../functions/aws/fleet.ts'
import type { EdgeParameter } from '../../functions/contracts/config.ts'
import { InvalidConfiguration } from '../../functions/control/errors.ts'
import type { Edge } from '../../functions/ports/edge.ts'
import { createMemoryClock } from '../memory/clock.ts'
import { type AwsAnswer, awsStub } from './aws-stub.ts'

const path = '/control/edges'
const edge = (id: string, url = `http://10.0.0.${id.charCodeAt(0)}:8080/rpc`, more = {}) => ({
  Name: `${path}/${id}`,
  Value: JSON.stringify({ url, ...more }),
})

interface Table {
  readonly kept?: ReadonlyMap<string, EdgeParameter>
  readonly writes: number
}

async function fleetOver(
  first: readonly object[],
  table: Table = { writes: 0 },
  needsUrl = true,
  routes?: readonly string[],
) {
  const world = { parameters: first, refusal: undefined as AwsAnswer | undefined }
  // As SSM may: short pages, an empty one with a token among them.
  const stub = await awsStub(({ body }) => {
    if (world.refusal) return world.refusal
    const page = Number(body.NextToken ?? 0)
    const more = page < 2 * world.parameters.length - 1
    const Parameters = page % 2 === 0 ? world.parameters.slice(page / 2, page / 2 + 1) : []
    return { result: { Parameters, ...(more && { NextToken: `${page + 1}` }) } }
  })
  const clock = createMemoryClock()
  const onRefused = vi.fn()
  const onRoutesDiffer = vi.fn()
  const created: string[] = []
  const fleet = createFleet({
    client: new SSMClient(stub.client),
    path,
    clock,
    onRefused,
    onRoutesDiffer,
    ...(routes && { routes }),
    needsUrl,
    lastGood: {
      read: async () => table.kept,
      write: async (edges) => void Object.assign(table, { kept: edges, writes: table.writes + 1 }),
    },
    createEdge: (id, parameter) => {
      created.push(`${id} ${parameter.url} ${parameter.restoresDialogs}`)
      return { id, restoresDialogs: parameter.restoresDialogs } as Edge
    },
  })
  const ids = async () => (await fleet.edges()).map(({ id }) => id)
  return { world, stub, clock, onRefused, onRoutesDiffer, created, fleet, ids, table }
}

test('every page is read, short and empty ones too', async () => {
  const { ids, created, stub } = await fleetOver([
    edge('a'),
    edge('b', 'http://[fd00::1]:8080/rpc'),
    edge('c'),
  ])
  expect(await ids()).toEqual(['a', 'b', 'c'])
  expect(created[1]).toBe('b http://[fd00::1]:8080/rpc false')
  expect(stub.requests).toHaveLength(6)
})

test('a byte order mark that an editor left before the JSON does not hide an edge', async () => {
  const { ids } = await fleetOver([{ Name: `${path}/a`, Value: '\uFEFF{"url":"http://10.0.0.1:8080/rpc"}' }])
  expect(await ids()).toEqual(['a'])
})

test('the list is read again after 5 s, by all who ask at once together; an edge that did not change stays', async () => {
  const { ids, fleet, clock, world, stub, created } = await fleetOver([edge('a')])
  const [before] = await fleet.edges()
  await Promise.all([ids(), ids()])
  await clock.advance(4_999)
  expect(await ids()).toEqual(['a'])
  expect(stub.requests).toHaveLength(2)
  world.parameters = [edge('a'), edge('b', undefined, { restoresDialogs: true })]
  await clock.advance(1)
  const [one, two] = await Promise.all([ids(), ids()])
  expect(one).toEqual(['a', 'b'])
  expect(two).toEqual(one)
  expect(stub.requests).toHaveLength(2 + 4)
  expect(created).toHaveLength(2)
  expect((await fleet.edges())[0]).toBe(before)
})

test('a list that is wrong is refused with every problem, each with its parameter', async () => {
  const { fleet } = await fleetOver([
    edge('a', 'http://10.0.0.1/rpc'),
    edge('b', 'http://10.0.0.1:80/rpc'),
    edge('c', 'ftp://10.0.0.2/rpc'),
    { Name: `${path}/d`, Value: 'http://10.0.0.3/rpc' },
    { Name: `${path}/zone/a`, Value: JSON.stringify({ url: 'http://10.0.0.4/rpc' }) },
    edge('e', 'no url'),
    edge('g', 'http://user:planted-secret@10.0.0.5/rpc'),
    edge('f', undefined, { restoreDialogs: true }),
    edge('h', 'http://198.51.100.7:8080/rpc'),
  ])
  const edges = fleet.edges()
  await expect(edges).rejects.toThrow(InvalidConfiguration)
  for (const problem of [
    `${path}/b: has the same url as ${path}/a`,
    `${path}/c: url:`,
    `${path}/e: url:`,
    `${path}/d: is not JSON`,
    `${path}/h: url: must be https, or a private DNS name`,
    `${path}/g: url: must not hold a password`,
    `${path}/zone/a: edge "a" is there twice`,
    `${path}/f: restoreDialogs: is not a known key`,
  ])
    await expect(edges).rejects.toThrow(problem)
  await expect(edges).rejects.not.toThrow('planted-secret')
})

test('an empty list is refused', async () => {
  const { fleet } = await fleetOver([])
  await expect(fleet.edges()).rejects.toThrow('no edge is there')
})

test('the last good list is kept, and said, while the new one is wrong or can not be read', async () => {
  const { ids, clock, world, onRefused } = await fleetOver([edge('a'), edge('b')])
  await ids()
  world.parameters = []
  await clock.advance(5_000)
  expect(await ids()).toEqual(['a', 'b'])
  await clock.advance(59_999)
  expect(await ids()).toEqual(['a', 'b'])
  expect(onRefused).toHaveBeenCalledExactlyOnceWith(expect.any(InvalidConfiguration), true)
  world.refusal = { error: 'ThrottlingException', message: 'Rate exceeded' }
  await clock.advance(60_000)
  expect(await ids()).toEqual(['a', 'b'])
  expect(onRefused).toHaveBeenCalledTimes(2)
  world.refusal = undefined
  world.parameters = [edge('c')]
  await clock.advance(60_000)
  expect(await ids()).toEqual(['c'])
})

test('a function that starts while the list is wrong has the last good one, from the table', async () => {
  const before = await fleetOver([edge('a'), edge('b')])
  await before.ids()
  await before.clock.advance(60_000)
  await before.ids()
  expect(before.table.writes).toBe(1)
  const after = await fleetOver([{ Name: `${path}/a`, Value: 'oops' }], before.table)
  expect(await after.ids()).toEqual(['a', 'b'])
  expect(after.onRefused).toHaveBeenCalledExactlyOnceWith(expect.any(InvalidConfiguration), true)
  expect(after.table.writes).toBe(1)
  after.world.parameters = [edge('c')]
  await after.clock.advance(60_000)
  expect(await after.ids()).toEqual(['c'])
  expect([...(after.table.kept?.keys() ?? [])]).toEqual(['c'])
})

test('a function that was last asked before an edit has the same last good list as the others', async () => {
  const table: Table = { writes: 0 }
  const idle = await fleetOver([edge('a'), edge('b'), edge('c')], table)
  expect(await idle.ids()).toEqual(['a', 'b', 'c'])
  const busy = await fleetOver([edge('a'), edge('b')], table)
  expect(await busy.ids()).toEqual(['a', 'b'])
  idle.world.parameters = [{ Name: `${path}/b`, Value: 'oops' }]
  await idle.clock.advance(60_000)
  expect(await idle.ids()).toEqual(['a', 'b'])
  expect(idle.onRefused).toHaveBeenCalledExactlyOnceWith(expect.any(InvalidConfiguration), true)
  expect(table.writes).toBe(2)
})

test('a first list that is wrong, with no earlier one, is said each time that it is read', async () => {
  const { ids, onRefused } = await fleetOver([{ Name: `${path}/a`, Value: 'oops' }])
  for (const times of [1, 2]) {
    await expect(ids()).rejects.toThrow('is not JSON')
    expect(onRefused).toHaveBeenCalledTimes(times)
    expect(onRefused).toHaveBeenLastCalledWith(expect.any(InvalidConfiguration), false)
  }
})

test('an edge without a route and a route without an edge are said at each reading, and stop nothing', async () => {
  const { ids, clock, world, onRoutesDiffer } = await fleetOver([edge('a'), edge('b')], undefined, false, [
    'a',
    'c',
  ])
  expect(await ids()).toEqual(['a', 'b'])
  await ids()
  expect(onRoutesDiffer).toHaveBeenCalledExactlyOnceWith({ withoutRoute: ['b'], withoutParameter: ['c'] })
  world.parameters = [edge('a'), edge('c')]
  await clock.advance(60_000)
  expect(await ids()).toEqual(['a', 'c'])
  expect(onRoutesDiffer).toHaveBeenCalledOnce()
  const unrouted = await fleetOver([edge('a')])
  await unrouted.ids()
  expect(unrouted.onRoutesDiffer).not.toHaveBeenCalled()
})

test('an edge needs no url of its own where the stack leads to it, and is refused without one elsewhere', async () => {
  const bare = { Name: `${path}/a`, Value: '{"instanceId":"i-0abc","groups":["media-servers"]}' }
  expect(await (await fleetOver([bare], undefined, false)).ids()).toEqual(['a'])
  await expect((await fleetOver([bare])).ids()).rejects.toThrow(`${path}/a: url: is missing`)
})

test('an edit is seen at once by who is told of it, and why it is refused', async () => {
  const { ids, fleet, world } = await fleetOver([edge('a')])
  await ids()
  world.parameters = [edge('a'), edge('b')]
  expect(await fleet.reread()).toBeUndefined()
  expect(await ids()).toEqual(['a', 'b'])
  world.parameters = []
  expect(await fleet.reread()).toBeInstanceOf(InvalidConfiguration)
  expect(await ids()).toEqual(['a', 'b'])
})
