import type { EdgeList } from './edge-list.ts'

/**
 * What one edge is and can do, as it shows it itself. Times are epoch milliseconds unless noted otherwise.
 */
export interface EdgeFacts {
  /** what it calls itself, such as `kamailio 6.1.5 (x86_64/Linux)` */
  readonly version: string
  /** `up_since` of `core.uptime`, verbatim: compared, never computed with */
  readonly bootTime: string
  readonly uptimeSeconds: number
  /**
   * named in each of its replies; absent: it has none of our rpc.cfg, and with it neither batches nor a fence
   */
  readonly bootId?: string
  /** executes many requests in one */
  readonly batch: boolean
  /** refuses what a run that has lost its lease sends late */
  readonly fence: boolean
  /** keeps held destinations out over a reload */
  readonly guard: boolean
  /** which directions of calls it can count for one media server */
  readonly profiles: readonly ('dst' | 'src')[]
  /** counts how many calls ever began for each of them */
  readonly counters: boolean
  /** dialogs that are up now, whoever has them; absent without the dialog module */
  readonly dialogs?: number
  /** calls in the profile `dst` now, of all destinations; absent where it does not keep it */
  readonly callsTo?: number
  /** calls in the profile `src` now, of all media servers; absent where it does not keep it */
  readonly callsFrom?: number
  /**
   * calls ever begun since its boot, by the counters, and those of them to a destination; absent where it
   * keeps none
   */
  readonly begun?: number
  readonly begunTo?: number
  /** after which the edge's own settings end a call; absent where they set none */
  readonly longestCallSeconds?: number
  /** whether its policy lets calls be ended; absent where it does not show it, as the next three */
  readonly endsCalls?: boolean
  readonly keepalives?: boolean
  /** its clock less ours, to about a second */
  readonly clockDifferenceSeconds?: number
  /** what its script last logged as an error of the edge's configuration */
  readonly configurationError?: string
}

/** All that is known of one edge: what it is, and what its list is like. */
export interface EdgeDescription extends EdgeFacts {
  readonly edge: string
  readonly restoresDialogs: boolean
  readonly list: {
    readonly destinations: number
    /** entries that can't be read, and the first few of them */
    readonly opaque: number
    readonly opaqueSamples: readonly string[]
    /** whether a reload can be told from a restart: 6.1 */
    readonly iuid: boolean
  }
  /**
   * Whether its counting of calls to destinations is proved: `counting` it has counted some; `never` dialogs
   * are up that no profile has, and it has counted none, so that its zeros prove nothing; `unproved` no such
   * call came yet.
   */
  readonly counts: 'counting' | 'never' | 'unproved'
}

const samples = 5

export function describeEdge(
  edge: { readonly id: string; readonly restoresDialogs: boolean },
  facts: EdgeFacts,
  { destinations, opaque }: EdgeList,
): EdgeDescription {
  return {
    ...facts,
    edge: edge.id,
    restoresDialogs: edge.restoresDialogs,
    list: {
      destinations: destinations.length,
      opaque: opaque.length,
      opaqueSamples: opaque.slice(0, samples).map(({ text }) => text),
      iuid: destinations.some(({ iuid }) => iuid !== undefined),
    },
    counts: countsOf(facts),
  }
}

function countsOf({ begunTo, dialogs = 0, callsTo, callsFrom = 0 }: EdgeFacts): EdgeDescription['counts'] {
  if (callsTo === undefined && begunTo === undefined) return 'unproved'
  if ((begunTo ?? 0) > 0 || (callsTo ?? 0) > 0) return 'counting'
  return dialogs > (callsTo ?? 0) + callsFrom ? 'never' : 'unproved'
}

/**
 * @returns the calls of all media servers, in both directions; undefined where it does not keep both profiles
 */
export function totalCalls({ callsTo, callsFrom }: EdgeFacts): number | undefined {
  return callsTo === undefined || callsFrom === undefined ? undefined : callsTo + callsFrom
}

/** What an edge lacks for a drain to be sure: the drain still works, by weaker means. */
export interface Lack {
  readonly lack:
    | 'profiles'
    | 'outbound'
    | 'counting'
    | 'counters'
    | 'guard'
    | 'batches'
    | 'readable-list'
    | 'sound-script'
  readonly words: string
}

/**
 * @param ownCount whether the media server's own count is read: it sees the calls that an edge can't count
 */
export function lacksIn(description: EdgeDescription, ownCount = false): Lack[] {
  const { profiles, counters, guard, batch, counts, list, configurationError } = description
  const found: Readonly<Record<Lack['lack'], string | false | undefined>> = {
    profiles: !profiles.includes('dst') && 'no call profiles, calls are counted by weaker means',
    outbound:
      profiles.includes('dst') &&
      !profiles.includes('src') &&
      !ownCount &&
      'no profile "src", calls that the media server places through it are not counted',
    counting:
      counts === 'never' &&
      'its call profiles have counted none of the calls that are up: its script does not call DISPATCHER_CONTROL_COUNT_TO',
    counters:
      profiles.includes('dst') && !counters && 'no begun counters, a call between two counts is not seen',
    guard: !guard && 'no drain guard, a reload opens what is held until it is held again',
    batches:
      !batch && 'no batches and no fence, requests are sent one by one: its rpc.cfg is older, or not ours',
    'readable-list':
      list.opaque > 0 &&
      `${list.opaque} entries of its list can not be read, such as ${JSON.stringify(list.opaqueSamples[0])}: nothing is written to them`,
    'sound-script': configurationError && `its script reports: ${configurationError}`,
  }
  const lacks = Object.keys(found) as Lack['lack'][]
  return lacks.flatMap((lack) => {
    const words = found[lack]
    return words ? [{ lack, words }] : []
  })
}

/** One line for each, which is published with the drain. */
export function lacksOf(description: EdgeDescription, ownCount = false): string[] {
  return lacksIn(description, ownCount).map(({ words }) => `edge ${description.edge}: ${words}`)
}
