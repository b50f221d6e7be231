import { packed as asStored } from '../functions/aws/packed.ts'

/** What a row has besides its data: keys, names, numbers' own form. A guess on the safe side. */
export const rowBytes = 100
/**
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html, strongly
 * consistent
 */
export const readUnits = (size: number) => Math.max(1, Math.ceil(size / 4096))
export const writeUnits = (size: number) => Math.max(1, Math.ceil(size / 1024))

const packedSizes = new WeakMap<object, number>()
export const bytes = (data: unknown) => rowBytes + Buffer.byteLength(JSON.stringify(data) ?? '')
export const sum = (rows: readonly unknown[]) => rows.reduce((total: number, row) => total + bytes(row), 0)

/** As it is stored; what is asked for again and again is packed once. */
export function packed(data: unknown): number {
  if (typeof data !== 'object' || data === null) return rowBytes
  const size = packedSizes.get(data) ?? rowBytes + asStored(data).brotli.length
  packedSizes.set(data, size)
  return size
}
