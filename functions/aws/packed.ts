import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from 'node:zlib'
import * as z from 'zod'
import { UnexpectedAnswer } from '../control/errors.ts'
import { parseAnswer } from './rows.ts'

const bytes = z.instanceof(Uint8Array)
const packedRow = z.union([
  z.object({ brotli: bytes }).transform(({ brotli }) => brotliDecompressSync(brotli)),
  z.object({ gzip: bytes }).transform(({ gzip }) => gunzipSync(gzip)),
])

/**
 * By far quicker than the default of 11, and smaller than gzip: each KB that is written costs (`npm run
 * cost`).
 */
const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }

/** A value as JSON, compressed. */
export function packed(value: unknown): { readonly brotli: Uint8Array } {
  return { brotli: new Uint8Array(brotliCompressSync(JSON.stringify(value), quality)) }
}

/** The same as a former release reads it. @param sk the row's own, without which it reads none */
export function gzipped(sk: string, value: unknown): { readonly sk: string; readonly gzip: Uint8Array } {
  return { sk, gzip: new Uint8Array(gzipSync(JSON.stringify(value))) }
}

/**
 * @returns the value of what `packed` or `gzipped` made.
 * @throws UnexpectedAnswer where it is something else
 */
export function unpacked<T>(schema: z.ZodType<T>, data: unknown, key: string): T {
  return parseAnswer(schema, parsedJson(data, key), key)
}

function parsedJson(data: unknown, key: string): unknown {
  try {
    return JSON.parse(parseAnswer(packedRow, data, key).toString())
  } catch (error) {
    throw error instanceof UnexpectedAnswer ? error : new UnexpectedAnswer(`${key}: ${String(error)}`)
  }
}
