import type { ControlConfig } from '../../functions/contracts/config.ts'
import { type EdgeDescription, type Lack, lacksIn } from '../../functions/control/edge-facts.ts'
import { isUnresolved } from '../../functions/control/edge-list.ts'
import { clocksApartMs } from '../../functions/control/observation.ts'
import { notReadYet, type Reading } from '../../functions/control/reading.ts'
import { span } from '../desk/times.ts'
import type { EdgeShelf, Stored } from '../views/look-around.ts'
import { error, type Finding, onEdge, runbook, warning } from './finding.ts'

/** What settle found of each edge, against the settings. */
export function checkEdges(stored: Stored, control: ControlConfig): Finding[] {
  const edges = stored.edges.filter(({ head }) => head.removedAt === undefined)
  return edges.flatMap((edge) => {
    const { reading } = edge
    return [
      ...checkReadable(edge, stored),
      ...(reading ? checkFacts(reading.description, control, stored.kdc) : []),
      ...(reading ? checkVersion(reading.description) : []),
      ...(reading ? checkWrites(reading, stored.kdc) : []),
      ...checkList(edge, control, stored.kdc),
    ]
  })
}

function checkReadable({ head: { edge, unreadable } }: EdgeShelf, { readings, at }: Stored): Finding[] {
  const found = readings.edges.find((each) => each.edge === edge)
  if (!found || found.readable) return []
  const reason = found.reason.replace(`edge ${edge}: `, '')
  const since = unreadable && unreadable.since > 0 ? ` for ${span(at - unreadable.since)}` : ''
  const what = reason === notReadYet ? reason : `can't be read${since}: ${reason}`
  return [error('edge-unreadable', edge, what, runbook('edges-unreachable'))]
}

/** How an edge gets what it lacks. */
const lackRemedies = (kdc: string): Readonly<Record<Lack['lack'], string>> => ({
  profiles: onEdge('what-each-feature-needs'),
  outbound: onEdge('what-each-feature-needs'),
  counting: onEdge('the-steps'),
  counters: `${onEdge('the-steps')}, step 1: its call-profiles.cfg is older`,
  guard: onEdge('what-each-feature-needs'),
  batches: `${onEdge('the-steps')}, step 1`,
  'readable-list': `write sip: or sips: URIs with a port into its list, and then: ${kdc} reload`,
  'sound-script': onEdge('check-it'),
})
/** Without these no drain of this edge ends by itself. */
const serious: readonly Lack['lack'][] = ['counting', 'sound-script']

function checkFacts(facts: EdgeDescription, { groups, timers }: ControlConfig, kdc: string): Finding[] {
  const { edge, longestCallSeconds: ends, clockDifferenceSeconds: clock = 0 } = facts
  const remedies = lackRemedies(kdc)
  const isCountedThere = groups.length > 0 && groups.every(({ callCount }) => callCount !== undefined)
  const lacks = lacksIn(facts, isCountedThere).map(({ lack, words }) =>
    (serious.includes(lack) ? error : warning)(`edge-${lack}`, edge, words, remedies[lack]),
  )
  const found: (Finding | false)[] = [
    ends !== undefined &&
      ends > timers.longestCallSeconds &&
      error(
        'longest-call',
        edge,
        `it lets calls last ${ends} s, and the settings' timers.longestCallSeconds is ${timers.longestCallSeconds}: calls that a restart forgot may be cut`,
        `set longestCallSeconds to ${ends} and deploy, or LONGEST_CALL_SECONDS on the edge: ${onEdge('settings')}`,
      ),
    facts.batch &&
      facts.endsCalls === undefined &&
      warning(
        'edge-older-files',
        edge,
        'its rpc.cfg does not show its settings: it is older than this release',
        `${onEdge('the-steps')}, step 1`,
      ),
    facts.batch &&
      facts.endsCalls !== undefined &&
      ends === undefined &&
      error(
        'longest-call',
        edge,
        `it sets no end to a call, and the settings' timers.longestCallSeconds is ${timers.longestCallSeconds}`,
        `set LONGEST_CALL_SECONDS on the edge: ${onEdge('settings')}`,
      ),
    Math.abs(clock) * 1000 > clocksApartMs &&
      error(
        'edge-clock',
        edge,
        `its clock is ${Math.abs(clock)} s ${clock > 0 ? 'ahead' : 'behind'}: ${clocksApartMs / 1000} s are allowed for`,
        'let chrony or another NTP client set it, on the edge: chronyc tracking',
      ),
    groups.some(({ deadlinePolicy }) => deadlinePolicy.callsLeft === 'end-calls') &&
      facts.endsCalls !== true &&
      error(
        'ends-calls',
        edge,
        'a group has its calls ended at the deadline (end-calls), and this edge does not allow it',
        `define DC_RPC_END_CALLS on the edge: ${onEdge('ending-calls')}`,
      ),
  ]
  return [...lacks, ...found.filter((each) => each !== false)]
}

/** What kamailio/README.md has of releases. */
function checkVersion({ edge, version }: EdgeDescription): Finding[] {
  const { release, patch } = releaseIn(version)
  const upgrade = `install 5.6, 6.0, or 6.1.1 or newer: ${onEdge('what-to-have')}`
  if (release < 506) return [error('kamailio-version', edge, `${version} can't be steered`, upgrade)]
  if (release === 601 && patch === '0')
    return [error('kamailio-version', edge, `${version} has a deadlock in dialog profiles`, upgrade)]
  return []
}

/** @returns e.g. `{ release: 506, patch: '3' }`; the release is NaN where the text names none */
function releaseIn(version: string) {
  const [, major, minor, patch] = /kamailio (\d+)\.(\d+)(?:\.(\d+))?/.exec(version) ?? []
  const release = major === undefined ? Number.NaN : Number(major) * 100 + Number(minor)
  return { release, patch }
}

/** @param overTls the edges that speak TLS themselves */
export function checkTls(overTls: readonly string[], seen: readonly EdgeShelf[]): Finding[] {
  return seen.flatMap(({ head: { edge }, reading }) => {
    const { version = '' } = reading?.description ?? {}
    if (!overTls.includes(edge) || !(releaseIn(version).release < 508)) return []
    const what = `${version} speaks TLS with us, and can crash of two handshakes at the same time, which cuts its calls`
    return [error('edge-tls', edge, what, onEdge('tls-and-client-certificates'))]
  })
}

function checkWrites({ edge, entries, problem }: Reading, kdc: string): Finding[] {
  const refused = entries.flatMap(({ set, uri, refused: why }) =>
    why === undefined
      ? []
      : [
          error(
            'entry-refused',
            edge,
            `${uri} of set ${set} is not as wanted: ${why}`,
            `give each of its entries a duid of its own in the list, and then: ${kdc} reload`,
          ),
        ],
  )
  const open =
    problem === undefined ? [] : [warning('edge-write', edge, problem, runbook('edges-unreachable'))]
  return [...refused, ...open]
}

function checkList(
  { head: { edge }, listing }: EdgeShelf,
  { staticNames }: ControlConfig,
  kdc: string,
): Finding[] {
  if (!listing) return []
  const names = new Set(
    listing.listed.filter((entry) => isUnresolved(entry, staticNames)).map(({ uri }) => uri),
  )
  return [
    ...(listing.listed.length === 0 && (listing.opaque ?? []).length === 0
      ? [
          warning(
            'empty-list',
            edge,
            'it lists no destination',
            `mend its list, and then: ${kdc} reload ${edge}`,
          ),
        ]
      : []),
    ...[...names].map((uri) =>
      warning(
        'unresolved-name',
        edge,
        `it lists ${uri} without an address: it may be any server's, so that none is ever absent`,
        "list its address, or name it in the settings' staticNames if it is no server of the groups",
      ),
    ),
  ]
}
