import type { MemoryClock } from '../memory/clock.ts'
import type { FileEntry } from '../memory/dispatcher-memory.ts'
import type { MemoryEdge } from '../memory/edge.ts'
import { present } from '../present.ts'
import { inUri, spelled } from './choices.ts'
import { type EdgeTruth, keyOf } from './edge-truth.ts'
import { createSimulatedEdge, watchedFile } from './edges.ts'
import type { Faults } from './faults.ts'
import { guardKey } from './late-writes.ts'
import type { EdgePlan, FileFlags, Plan } from './plan.ts'
import type { Runs } from './runs.ts'
import type { Truth } from './truth.ts'

export interface FileLine {
  readonly server: number
  readonly set: number
  flags: FileFlags
  listed: boolean
  port: number | undefined
}

/** The list files, one per edge. */
export class Lists {
  private readonly plan: Plan
  private readonly files: readonly FileLine[][]

  constructor(plan: Plan) {
    this.plan = plan
    this.files = plan.edges.map((_, edge) =>
      plan.servers.flatMap(({ port, lines }, server) =>
        lines.flatMap((line): FileLine[] =>
          line.edge === edge ? [{ server, set: line.set, flags: line.flags, listed: line.listed, port }] : [],
        ),
      ),
    )
  }

  linesOf(edge: number): FileEntry[] {
    const listed = (this.files[edge] ?? []).filter((line) => line.listed)
    // Never empty: an edge that lists nothing at all is a trouble of its own.
    const ours = listed.flatMap((line) =>
      this.urisOf(line).map((uri) => ({ set: line.set, uri, flags: line.flags })),
    )
    return [...ours, { set: 9, uri: 'sip:10.9.9.9:5060', flags: 'AP' }]
  }

  uriOf({ server, port }: Pick<FileLine, 'server' | 'port'>): string {
    const { address = '', name, transport } = this.plan.servers[server] ?? {}
    const after = transport === undefined ? '' : `;transport=${transport}`
    return `sip:${name ?? inUri(address)}${port === undefined ? '' : `:${port}`}${after}`
  }

  private urisOf(line: FileLine): string[] {
    const { secondPort } = this.plan.servers[line.server] ?? {}
    const second = secondPort === undefined ? [] : [this.uriOf({ server: line.server, port: secondPort })]
    return [this.uriOf(line), ...second]
  }

  lineOf(server: number, edge: number, set: number): FileLine | undefined {
    return this.files[edge]?.find((line) => line.server === server && line.set === set)
  }

  /** The place that a listed URI leads to. */
  serverOf(uri: string): number | undefined {
    const [host] = /(?<=^sip:)(\[[^\]]+\]|[^:;]+)/.exec(uri) ?? []
    const found = this.plan.servers.findIndex(({ address, name }) => host === (name ?? inUri(address)))
    return found === -1 ? undefined : found
  }

  isListed(server: number): boolean {
    return this.files.some((file) => file.some((line) => line.server === server && line.listed))
  }
}

const writing = /"(dispatcher\.set_|htable\.(seti|delete))/

interface Around {
  readonly clock: MemoryClock
  readonly runs: Runs
  readonly faults: Faults
  readonly truth: Truth
}

function addressesByName({ servers }: Plan): Record<string, string> | undefined {
  const named = servers.flatMap(({ address, name }) => (name === undefined ? [] : [[name, address] as const]))
  return named.length > 0 ? Object.fromEntries(named) : undefined
}

function without(uris: readonly string[], others: readonly string[]): string[] {
  return uris.filter((uri) => !others.includes(uri))
}

function noteExecuted(
  request: string,
  index: number,
  edge: MemoryEdge,
  told: EdgeTruth,
  { lists, truth, now }: { readonly lists: Lists; readonly truth: Truth; readonly now: number },
): void {
  const [method, state = '', set = '', uri = ''] = request.split(' ')
  // `htable.seti held <uri> 1`, `htable.delete held <uri>`
  if (method === 'htable.seti' || method === 'htable.delete')
    told.late.done(guardKey(set), edge.truth().held.includes(set) !== (method === 'htable.seti'))
  if (method === 'dlg.profile_get_size') told.countedAt.push(now)
  if (method === 'dispatcher.list') noteListed(index, edge, lists, { truth, now })
  if (method !== 'dispatcher.set_state') return
  const shown = edge.truth().entries.find((entry) => keyOf(entry.set, entry.uri) === keyOf(Number(set), uri))
  told.late.done(keyOf(Number(set), uri), !isAlready(state, shown?.flags))
  const entry = told.written(Number(set), uri, now)
  const server = lists.serverOf(uri)
  if (!state.startsWith('d')) truth.givenBack += 1
  else if (server !== undefined) truth.disabled.push({ edge: index, server, at: now })
  const isOthers = entry && [...entry.accepts].every((flags) => flags.startsWith('D'))
  if (isOthers && shown?.flags.startsWith('D') && !state.startsWith('d'))
    truth.opened.push({ edge: index, entry: `${set} ${uri}`, server, at: now })
}

function noteListed(
  index: number,
  edge: MemoryEdge,
  lists: Lists,
  { truth, now }: { readonly truth: Truth; readonly now: number },
): void {
  const entries = edge.truth().entries.map(({ set, uri, flags }) => ({
    ...{ set, uri: spelled(uri), server: lists.serverOf(uri) },
    isActive: /^[AT]/.test(flags),
    isSelectable: /^[ATI]/.test(flags),
  }))
  truth.choices.shows(index, truth.choices.at(now), entries)
}

/** The entries that show a D which we can have set. */
function showingOurs(edge: MemoryEdge, known: EdgeTruth): Set<string> {
  const held = edge
    .truth()
    .entries.filter(
      ({ set, uri, flags }) =>
        flags.startsWith('D') &&
        [...(known.entries.get(keyOf(set, uri))?.accepts ?? [])].some(
          (accepted) => !accepted.startsWith('D'),
        ),
    )
  return new Set(held.map(({ set, uri }) => keyOf(set, uri)))
}

/** The edges of a plan and the files that they load; every load, state and hand is told to the truth. */
export class ListedEdges {
  readonly edges: readonly MemoryEdge[]
  readonly lists: Lists
  private readonly around: Around
  private readonly causes: { by: 'restart' | 'reload' }[]

  constructor(plan: Plan, around: Around) {
    this.around = around
    this.lists = new Lists(plan)
    this.causes = plan.edges.map(() => ({ by: 'reload' }))
    const names = addressesByName(plan)
    this.edges = plan.edges.map((own, index) => this.newEdge(own, index, names))
    for (const index of plan.edges.keys()) this.writeFile(index)
  }

  /** An administrator's file: what it says when it is loaded, then. */
  writeFile(index: number): void {
    const lines = this.lists.linesOf(index)
    this.edgeAt(index).writeFile(
      watchedFile(lines, () => {
        const by = this.causes[index]?.by ?? 'reload'
        this.noteLoad(index, lines, by)
        this.truthOf(index).loaded(lines, by, this.around.clock.now(), this.heldByUs(index))
      }),
    )
  }

  heldByUs(index: number): Set<string> {
    return showingOurs(this.edgeAt(index), this.truthOf(index))
  }

  restart(index: number): void {
    const cause = present(this.causes[index], `edge ${index}`)
    cause.by = 'restart'
    this.edgeAt(index).restart()
    cause.by = 'reload'
  }

  private newEdge(own: EdgePlan, index: number, names: Record<string, string> | undefined): MemoryEdge {
    const { clock, runs, faults, truth } = this.around
    const { lists } = this
    this.noteDisabled(index, lists.linesOf(index))
    return createSimulatedEdge({
      ...{ plan: own, clock, runs, faults, names },
      truth: this.truthOf(index),
      lines: () => lists.linesOf(index),
      onExecuted: (request) =>
        noteExecuted(request, index, this.edgeAt(index), this.truthOf(index), {
          lists,
          truth,
          now: clock.now(),
        }),
      onPosted: (body) => this.notePosted(index, body),
    })
  }

  private edgeAt(index: number): MemoryEdge {
    return present(this.edges[index], `edge ${index}`)
  }

  private truthOf(index: number): EdgeTruth {
    return present(this.around.truth.edges[index], `truth of edge ${index}`)
  }

  private notePosted(index: number, body: string): void {
    const writes = body.split('\n').filter((line) => writing.test(line))
    const servers = writes.flatMap((line) => this.lists.serverOf(/sip:[^"]+/.exec(line)?.[0] ?? '') ?? [])
    this.around.runs.note((trace, now) => {
      trace.asks(index, now)
      for (const server of servers) trace.writes(index, server, now)
    })
  }

  /** What a load changes for whom, in the words of incidents. */
  private noteLoad(index: number, lines: readonly FileEntry[], by: 'restart' | 'reload'): void {
    const { clock, truth } = this.around
    const now = clock.now()
    truth.happened(by, now, { edge: index })
    const former = this.truthOf(index).loads.at(-1)?.uris ?? []
    const uris = lines.map(({ uri }) => uri)
    const differ = [...without(uris, former), ...without(former, uris)]
    for (const server of new Set(differ.map((uri) => this.lists.serverOf(uri))))
      if (server !== undefined) truth.happened('relisted', now, { edge: index, server })
    this.noteDisabled(index, lines)
  }

  private noteDisabled(index: number, lines: readonly FileEntry[]): void {
    const { clock, truth } = this.around
    for (const { uri, flags } of lines) {
      const server = this.lists.serverOf(uri)
      if (server !== undefined && flags?.startsWith('D'))
        truth.happened('disabled by the list', clock.now(), { edge: index, server }, Number.POSITIVE_INFINITY)
    }
  }
}

/** Whether an entry shows already what a state sets: `a`, `ap`, `i`, `ip`, or `d` with whatever is beside. */
function isAlready(state: string, flags = ''): boolean {
  if (state.startsWith('d')) return flags.startsWith('D')
  return flags.toLowerCase() === (state.endsWith('p') ? state : `${state}x`)
}
