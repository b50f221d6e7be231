import type { Clock } from '../ports/clock.ts'

/** Something that may change at any time. */
export interface Cached<T> {
  get(): Promise<T>
  /** Reads it again at once, where the one at hand is known to be of old. */
  refresh(): Promise<T>
}

const maxAgeMs = 300_000

/** Read again after 5 minutes; those who ask at once share one request. */
export function createCached<T>(read: () => Promise<T>, clock: Clock): Cached<T> {
  let last: { readonly value: T; readonly readAt: number } | undefined
  let reading: Promise<T> | undefined

  async function readNow() {
    const value = await read()
    last = { value, readAt: clock.now() }
    return value
  }
  function refresh() {
    reading ??= readNow().finally(() => {
      reading = undefined
    })
    return reading
  }

  return {
    refresh,
    async get() {
      return last !== undefined && clock.now() - last.readAt < maxAgeMs ? last.value : refresh()
    },
  }
}
