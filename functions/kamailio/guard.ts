import * as z from 'zod'
import type { DestinationUri } from '../control/destination.ts'
import type { EdgeError } from '../control/errors.ts'
import type { RpcCall } from './json-rpc.ts'
import { noSuchKey, noSuchTable, RpcRefusal } from './rpc-faults.ts'
import type { RpcAnswer } from './rpc-steps.ts'

/**
 * The drain guard's htable: key = URI as listed, value 1 = held. It survives a reload and is lost at a
 * restart.
 */
const table = 'held'

const keySet = z.literal('Ok. Key set to new value.')
const keyDeleted = z.literal('Ok. Key deleted.')
/** `{"item":{"name":"sip:10.0.1.20:5060","value":1,"flags":0,"expire":"NEVER"}}` */
const item = z.object({ item: z.object({ name: z.string(), value: z.union([z.string(), z.number()]) }) })

/** Marks or unmarks a URI. */
export function guardWrite(uri: DestinationUri, held: boolean): RpcCall<unknown> {
  return held
    ? { method: 'htable.seti', params: [table, uri, 1], result: keySet }
    : { method: 'htable.delete', params: [table, uri], result: keyDeleted }
}

/** @returns `no-guard` where the edge has no such table, no htable at all, or a policy that refuses it */
export function guardWritten(answer: RpcAnswer<unknown>): 'done' | 'no-guard' | EdgeError {
  if ('result' in answer || refusedWith(answer.error, 'Key not found in htable.')) return 'done'
  return hasNoGuard(answer.error) ? 'no-guard' : answer.error
}

/** @param uri as listed, or one that is never held, to see whether there is a guard */
export function guardRead(uri: string): RpcCall<boolean> {
  return {
    method: 'htable.get',
    params: [table, uri],
    result: item.transform((found) => found.item.value === 1),
  }
}

/** @returns whether the edge's script keeps this URI out, or `no-guard` (see {@link guardWritten}) */
export function guardShown(answer: RpcAnswer<boolean>): boolean | 'no-guard' | EdgeError {
  if ('result' in answer) return answer.result
  if (refusedWith(answer.error, noSuchKey)) return false
  return hasNoGuard(answer.error) ? 'no-guard' : answer.error
}

function refusedWith(error: EdgeError, reason: string): boolean {
  return error instanceof RpcRefusal && error.reason === reason
}

function hasNoGuard(error: EdgeError): boolean {
  return refusedWith(error, noSuchTable) || error.fault === 'unsupported'
}
