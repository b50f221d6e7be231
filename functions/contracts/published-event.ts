import type { EventType } from './names.ts'

/** What goes over the bus: consumers match on `version`, which rises where the form of events changes. */
export interface PublishedEvent {
  readonly type: EventType
  readonly detail: Readonly<Record<string, unknown>>
}

export const eventVersion = 1

/** Characters of a text. One that is longer ends with an ellipsis. */
export const longestText = 1024
/** Of a list, and of a list within one of its entries. */
export const longestList = 100
export const longestInnerList = 20

/** Lists are cut to the first of these that the event fits with, the inner ones first. */
const bounds = [
  { outer: longestList, inner: longestInnerList },
  { outer: longestList, inner: 5 },
  { outer: longestList, inner: 1 },
  { outer: 20, inner: 1 },
  { outer: 5, inner: 1 },
]

/** EventBridge takes 256 KB with the envelope, and a row that keeps a refused event 400 KB. */
const mostBytes = 200_000

/**
 * @returns the event in the form of its schema: with its version, and cut to what EventBridge takes. Of each
 * list that was cut, `leftOut` has how many entries are missing.
 */
export function publishedForm({ type, detail }: PublishedEvent): PublishedEvent {
  let form = detail
  for (const most of bounds) {
    form = cut(detail, most)
    if (Buffer.byteLength(JSON.stringify(form)) <= mostBytes) break
  }
  return { type, detail: { ...form, version: eventVersion } }
}

function cut(
  detail: PublishedEvent['detail'],
  most: (typeof bounds)[number],
): Readonly<Record<string, unknown>> {
  const leftOut: Record<string, number> = {}
  const within = (value: unknown, path: string, depth: number): unknown => {
    if (typeof value === 'string') return cutText(value)
    if (Array.isArray(value)) {
      const longest = depth === 0 ? most.outer : most.inner
      if (value.length > longest) leftOut[path] = value.length - longest
      return value.slice(0, longest).map((one, index) => within(one, `${path}.${index}`, depth + 1))
    }
    return typeof value === 'object' && value !== null ? inside(value, `${path}.`, depth) : value
  }
  const inside = (value: object, path: string, depth: number) =>
    Object.fromEntries(Object.entries(value).map(([key, one]) => [key, within(one, `${path}${key}`, depth)]))
  const form = inside(detail, '', 0)
  return Object.keys(leftOut).length === 0 ? form : { ...form, leftOut }
}

/** Half of a pair, such as of an emoji, is no JSON to others. */
function cutText(text: string): string {
  return text.length <= longestText ? text : `${text.slice(0, longestText - 1).toWellFormed()}…`
}
