import { gunzipSync, gzipSync } from 'node:zlib'
import * as z from 'zod'
import { UnexpectedAnswer } from '../control/errors.ts'
import { parseAnswer } from './rows.ts'

const packedRow = z.object({ gzip: z.instanceof(Uint8Array) })

/** A value as JSON, gzipped: 500 drains on one edge are 138 KB, 8 KB packed. @param sk the row's own: a former release reads none without it */
export function packed(sk: string, value: unknown): { readonly sk: string; readonly gzip: Uint8Array } {
  return { sk, gzip: new Uint8Array(gzipSync(JSON.stringify(value))) }
}

/** @returns the value of what `packed` made. @throws UnexpectedAnswer where it is something else */
export function unpacked<T>(schema: z.ZodType<T>, data: unknown, key: string): T {
  const { gzip } = parseAnswer(packedRow, data, key)
  return parseAnswer(schema, inflated(gzip, key), key)
}

function inflated(gzip: Uint8Array, key: string): unknown {
  try {
    return JSON.parse(gunzipSync(gzip).toString())
  } catch (error) {
    throw new UnexpectedAnswer(`${key}: ${String(error)}`)
  }
}
