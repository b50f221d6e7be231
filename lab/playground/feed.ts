import { setTimeout as sleep } from 'node:timers/promises'
import type { ControlEvent } from '../emulator/control-events.ts'
import type { World } from '../world/world.ts'

const intervalMs = 500

/** Prints what the control plane publishes, a line each, until it is told to end. @returns ends it */
export function feedEvents(world: World, print: (line: string) => void): () => Promise<void> {
  const over = new AbortController()
  let shown = world.controlEvents.all().length
  const printNew = () => {
    const events = world.controlEvents.all()
    for (const event of events.slice(shown)) print(lineOf(world, event))
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

function lineOf(world: World, { type, at, detail }: ControlEvent): string {
  const uris = [...(detail.uris ?? []), ...(detail.destinations ?? [])]
  const about = world.machines
    .all()
    .filter(({ uri, instance }) => uris.includes(uri) || (instance && detail.instanceId === instance.id))
    .map(({ serverName }) => serverName)
  const calls = detail.callsLeft === undefined ? [] : [`${detail.callsLeft} calls left`]
  const words = [about.join(' '), detail.verdict ?? '', ...calls, detail.because ?? '']
  const time = new Date(at).toISOString().slice(11, 19)
  return [time, type, ...words.filter((word) => word !== '')].join('  ')
}
