import { GetParametersByPathCommand, type Parameter, type SSMClient } from '@aws-sdk/client-ssm'
import { type EdgeParameter, edgeParameter } from '../contracts/config.ts'
import { check, withoutMark } from '../contracts/parse.ts'
import { InvalidConfiguration } from '../control/errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Edge } from '../ports/edge.ts'
import type { Fleet } from '../ports/fleet.ts'
import type { LastGoodEdges } from './last-good-edges.ts'

export interface FleetOptions {
  readonly client: SSMClient
  /** every parameter under it is one edge, e.g. `/dispatcher-control/edges` */
  readonly path: string
  readonly clock: Clock
  readonly createEdge: (id: string, parameter: EdgeParameter) => Edge
  /** whether an edge is of no use without a `url` of its own */
  readonly needsUrl: boolean
  /** the edges that can be reached at all, where a stack names them */
  readonly routes?: readonly string[]
  readonly lastGood: LastGoodEdges
  /** A list that can't be read or used. @param kept whether there is an earlier one to go on with */
  readonly onRefused: (reason: unknown, kept: boolean) => void
  /** Counted and logged at each reading of the list; nothing is stopped by it. */
  readonly onRoutesDiffer: (differing: RoutesDiffer) => void
}

/** Ids of edges. */
export interface RoutesDiffer {
  /** each call to them fails as `no-route` */
  readonly withoutRoute: readonly string[]
  /** nobody asks them anything, their calls are in nobody's count */
  readonly withoutParameter: readonly string[]
}

/** @param routes undefined: the stack names none */
export function routesDiffer(edges: readonly string[], routes: readonly string[] | undefined): RoutesDiffer {
  return {
    withoutRoute: routes === undefined ? [] : edges.filter((id) => !routes.includes(id)),
    withoutParameter: (routes ?? []).filter((id) => !edges.includes(id)),
  }
}

/**
 * The next settles know of an edge that is listed in the middle of a drain before a look can find that it is
 * over.
 */
const maxAgeMs = 5_000
/** While the list can't be used: trying takes its time, and is logged each time. */
const retryAfterMs = 60_000

interface Known {
  readonly parameter: EdgeParameter
  readonly edge: Edge
}

/**
 * The edges under one path of SSM parameters, read again after 5 s. A list that is wrong in any part is
 * refused as a whole (`InvalidConfiguration`, every problem listed): half a fleet would pass for all of it.
 * The last good list is kept meanwhile: the stored one, so that a function that starts only now, or was last
 * asked before an edit, knows the same edges as the others.
 */
export function createFleet(options: FleetOptions): Fleet {
  const { client, path, clock, createEdge, needsUrl, routes, lastGood, onRefused, onRoutesDiffer } = options
  let known: ReadonlyMap<string, Known> = new Map()
  let readAgainAt = Number.NEGATIVE_INFINITY
  let reading: Promise<Error | undefined> | undefined

  /** An edge that did not change keeps its connections. @returns whether anything is new */
  function adopt(edges: ReadonlyMap<string, EdgeParameter>): boolean {
    const before = known
    const entries = [...edges].map(([id, parameter]): [string, Known] => {
      const old = before.get(id)
      const same = old && JSON.stringify(old.parameter) === JSON.stringify(parameter)
      return [id, same ? old : { parameter, edge: createEdge(id, parameter) }]
    })
    known = new Map(entries)
    return entries.length !== before.size || entries.some(([id, entry]) => before.get(id) !== entry)
  }

  function compare(edges: ReadonlyMap<string, EdgeParameter>): void {
    const differing = routesDiffer([...edges.keys()], routes)
    if (differing.withoutRoute.length + differing.withoutParameter.length > 0) onRoutesDiffer(differing)
  }

  async function refresh(): Promise<Error | undefined> {
    let refused: Error | undefined
    try {
      const edges = await readEdges(client, path, needsUrl)
      compare(edges)
      if (adopt(edges)) await lastGood.write(edges)
    } catch (error) {
      refused = error instanceof Error ? error : new Error(String(error))
      try {
        const stored = await lastGood.read()
        if (stored !== undefined) adopt(stored)
      } finally {
        onRefused(error, known.size > 0)
      }
      if (known.size === 0) throw error
    }
    readAgainAt = clock.now() + (refused ? retryAfterMs : maxAgeMs)
    return refused
  }

  function reread(): Promise<Error | undefined> {
    reading ??= refresh().finally(() => {
      reading = undefined
    })
    return reading
  }

  return {
    reread,
    async edges() {
      if (clock.now() >= readAgainAt) await reread()
      return [...known.values()].map(({ edge }) => edge)
    },
  }
}

/**
 * @param needsUrl whether an edge is of no use without a `url` of its own
 * @throws InvalidConfiguration that lists every problem
 */
export async function readEdges(
  client: SSMClient,
  path: string,
  needsUrl: boolean,
): Promise<ReadonlyMap<string, EdgeParameter>> {
  const parameters: Parameter[] = []
  let token: string | undefined
  do {
    const page = await client.send(
      new GetParametersByPathCommand({ Path: path, Recursive: true, ...(token && { NextToken: token }) }),
    )
    parameters.push(...(page.Parameters ?? []))
    token = page.NextToken
  } while (token)
  return edgesOf(path, parameters, needsUrl)
}

function edgesOf(
  path: string,
  parameters: readonly Parameter[],
  needsUrl: boolean,
): ReadonlyMap<string, EdgeParameter> {
  const edges = new Map<string, EdgeParameter>()
  const urls = new Map<string, string>()
  const problems: string[] = []
  for (const { Name = '', Value = '' } of parameters) {
    const id = Name.slice(Name.lastIndexOf('/') + 1)
    const parsed = parseEdge(Value)
    if (edges.has(id)) problems.push(`${Name}: edge "${id}" is there twice`)
    if ('problems' in parsed) {
      problems.push(...parsed.problems.map((problem) => `${Name}: ${problem}`))
      continue
    }
    const url = parsed.data.url && new URL(parsed.data.url).href
    if (url !== undefined) {
      const other = urls.get(url)
      if (other !== undefined) problems.push(`${Name}: has the same url as ${other}`)
      urls.set(url, Name)
    } else if (needsUrl) problems.push(`${Name}: url: is missing`)
    edges.set(id, parsed.data)
  }
  if (parameters.length === 0) problems.push('no edge is there')
  if (problems.length > 0)
    throw new InvalidConfiguration(`the edges under ${path} can't be used: ${problems.join('; ')}`)
  return edges
}

function parseEdge(text: string): { data: EdgeParameter } | { problems: string[] } {
  let value: unknown
  try {
    value = JSON.parse(withoutMark(text))
  } catch {
    // The parser's own words would quote the text.
    return { problems: ['is not JSON'] }
  }
  const checked = check(edgeParameter, value)
  return 'data' in checked
    ? checked
    : { problems: checked.problems.map((problem) => `${problem.path}: ${problem.what}`) }
}
