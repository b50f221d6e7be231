/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** Numbers from 0 to below 1, the same for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export type Random = () => number
export const below = (random: Random, limit: number) => Math.floor(random() * limit)
export function oneOf<T>(random: Random, items: readonly T[]): T {
  const item = items[below(random, items.length)]
  if (item === undefined) throw new Error('nothing to choose from')
  return item
}

const junk: readonly Json[] = [
  ...[
    null,
    true,
    false,
    0,
    -1,
    1.5,
    2 ** 53,
    1e300,
    '',
    'all',
    'ALL',
    '0',
    ' ',
    '\0',
    '\ud800',
    'x'.repeat(5000),
  ],
  ...[
    [],
    {},
    [[]],
    [null],
    { DEST: {} },
    { SET: {} },
    { SET: { ID: 1, TARGETS: [] } },
    ['toString'],
    { length: 3 },
  ],
]

/** Changes one place of a value, in place. `special` gives other values for some keys. */
export function mutate(
  random: Random,
  value: Json,
  special: Readonly<Record<string, readonly Json[]>> = {},
): void {
  const places = placesIn(value)
  if (places.length === 0) return
  const { parent, key } = oneOf(random, places)
  if (Array.isArray(parent)) mutateArray(random, parent, Number(key))
  else mutateObject(random, parent, key, Object.hasOwn(special, key) ? special[key] : undefined)
}

interface Place {
  readonly parent: Json[] | { [key: string]: Json }
  readonly key: string
}

function placesIn(value: Json): Place[] {
  if (typeof value !== 'object' || value === null) return []
  const own = Object.keys(value).map((key) => ({ parent: value, key }))
  return [...own, ...Object.values(value).flatMap(placesIn)]
}

function mutateArray(random: Random, array: Json[], index: number): void {
  const old = array[index] ?? null
  const other = below(random, array.length)
  const ways = [
    () => void array.splice(index, 1),
    () => void array.splice(other, 0, structuredClone(old)),
    () => void array.splice(index, 1, structuredClone(array[other] ?? null)),
    () => void array.splice(index, 1, structuredClone(oneOf(random, junk))),
    () => void array.splice(index, 0, structuredClone(oneOf(random, junk))),
    () => void array.splice(index, 1, [old]),
    () => void array.reverse(),
  ]
  oneOf(random, ways)()
}

function mutateObject(
  random: Random,
  object: { [key: string]: Json },
  key: string,
  special: readonly Json[] | undefined,
): void {
  const old = object[key] ?? null
  const put = (at: string, value: Json) => void Reflect.set(object, at, structuredClone(value))
  const ways = [
    () => void Reflect.deleteProperty(object, key),
    () => put(key, oneOf(random, junk)),
    () => put(key, [old]),
    () => put(key, { [key]: old }),
    () => put(key.toLowerCase(), oneOf(random, junk)),
    () => put('toString', old),
    () => put(key, typeof old === 'string' ? mutateText(random, old) : old),
    () => put(key, oneOf(random, special ?? junk)),
    () => put(key, oneOf(random, special ?? junk)),
  ]
  oneOf(random, ways)()
}

const characters = [...'{}[]":,\\ 0123456789.;=@<>?abcdefxADITPNX-+eE\n\t\0\u007fé\u2028']

/** Changes, inserts, doubles or takes away some characters. */
export function mutateText(random: Random, text: string): string {
  const at = below(random, text.length + 1)
  const length = 1 + below(random, 6)
  const ways = [
    () => text.slice(0, at) + text.slice(at + length),
    () => text.slice(0, at) + oneOf(random, characters) + text.slice(at + 1),
    () => text.slice(0, at) + oneOf(random, characters) + text.slice(at),
    () => text.slice(0, at + length) + text.slice(at),
    () => text.slice(0, at),
    () => text.slice(0, at) + text.slice(at, at + length).toUpperCase() + text.slice(at + length),
  ]
  // Cutting the rest away is one way of six, and hardly ever interesting in a long text.
  return oneOf(random, text.length > 100 && random() < 0.9 ? ways.filter((_, n) => n !== 4) : ways)()
}
