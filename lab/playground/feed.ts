import { setTimeout as sleep } from 'node:timers/promises'
import type { ControlEvent } from '../emulator/control-events.ts'
import { callsText } from '../world/display.ts'
import { cutAtWord } from '../world/live-table.ts'
import type { World } from '../world/world.ts'

const intervalMs = 500

/**
 * Prints what the control plane publishes, a line each, until it is told to end.
 * @param columns of the terminal, which lines are cut for; undefined: there is none
 * @returns ends it
 */
export function feedEvents(
  world: World,
  print: (line: string) => void,
  columns: () => number | undefined,
): () => Promise<void> {
  const over = new AbortController()
  let shown = world.controlEvents.all().length
  const printNew = () => {
    const events = world.controlEvents.all()
    for (const [index, event] of events.entries())
      if (index >= shown) print(lineOf(event, events.slice(0, index), world.machines.all(), columns()))
    shown = events.length
  }
  const feeding = (async () => {
    while (!over.signal.aborted) {
      printNew()
      await sleep(intervalMs, undefined, { signal: over.signal }).catch(() => undefined)
    }
  })()
  return async () => {
    over.abort()
    await feeding
  }
}

/** A server as the feed names it. */
interface Server {
  readonly uri: string
  readonly serverName: string
  readonly instance: { readonly id: string } | undefined
}

type Detail = ControlEvent['detail']

/** @param before what was published before it: some events have only the id of their drain */
export function lineOf(
  event: ControlEvent,
  before: readonly ControlEvent[],
  servers: readonly Server[],
  columns?: number,
): string {
  const { type, at, detail } = event
  const words = [...aboutOf(detail, before, servers), ...cameOf(detail)]
  const time = new Date(at).toISOString().slice(11, 19)
  const line = [time, type, ...words.filter((word) => word !== '')].join('  ')
  return columns === undefined ? line : cutAtWord(line, columns)
}

function aboutOf(detail: Detail, before: readonly ControlEvent[], servers: readonly Server[]): string[] {
  const drain = drainOf(detail)
  const earlier = before.findLast((event) => event.detail.drainId === drain)?.detail
  const named = [detail, ...(drain !== '' && earlier ? [earlier] : [])]
    .map((each) => namesIn(each, servers))
    .find(({ length }) => length > 0)
  const edge = textIn(detail, 'edge')
  if (named) return [named.join(' '), edge]
  const others = ['instanceId', 'alarm', 'parameter', 'requestedBy', 'who', 'by'] as const
  return [drain, edge, ...others.map((key) => textIn(detail, key))].filter((word) => word !== '').slice(0, 1)
}

/** Of a drain, or of the hold that makes one; an alarm's hold is named without its source. */
function drainOf(detail: Detail): string {
  const alarms = textIn(detail, 'what') === 'alarm' ? `alarm/${textIn(detail, 'holdId')}` : ''
  return detail.drainId ?? (textIn(detail, 'hold') || alarms)
}

function namesIn(detail: Detail, servers: readonly Server[]): string[] {
  const uris = [...(detail.uris ?? []), ...(detail.destinations ?? [])]
  const parts = [detail.instanceId, ...drainOf(detail).split('/')]
  return servers
    .filter(({ uri, instance }) => uris.includes(uri) || (instance && parts.includes(instance.id)))
    .map(({ serverName }) => serverName)
}

/** A drain's own reason was told by whoever began it; of what has no event id nobody was told. */
function cameOf(detail: Detail): string[] {
  const why = ['because', 'endedWhy', 'reason', 'error', ...(textIn(detail, 'eventId') === '' ? ['why'] : [])]
  const first = why.map((key) => textIn(detail, key)).find((word) => word !== '')
  const [floor] = Array.isArray(detail['floors']) ? detail['floors'].map(String) : []
  return [
    textIn(detail, 'command'),
    detail.verdict ?? textIn(detail, 'result'),
    callsText(detail),
    first ?? detail.unknown?.[0] ?? floor ?? '',
  ]
}

function textIn(detail: Detail, key: string): string {
  const value = detail[key]
  return typeof value === 'string' ? value : ''
}
