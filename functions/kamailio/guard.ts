import * as z from 'zod'
import type { DestinationUri } from '../control/destination.ts'
import { EdgeError } from '../control/errors.ts'
import type { JsonRpc } from './json-rpc.ts'
import { RpcRefusal } from './rpc-faults.ts'

/** The drain guard's htable: key = URI as listed, value 1 = held. It survives a reload and is lost at a restart. */
const table = 'held'

const keySet = z.literal('Ok. Key set to new value.')
const keyDeleted = z.literal('Ok. Key deleted.')
/** `{"item":{"name":"sip:10.0.1.20:5060","value":1,"flags":0,"expire":"NEVER"}}` */
const item = z.object({ item: z.object({ name: z.string(), value: z.union([z.string(), z.number()]) }) })

/** @returns `no-guard` where the edge has no such table, no htable at all, or a policy that refuses it. */
export async function setGuard(
  rpc: JsonRpc,
  uri: DestinationUri,
  held: boolean,
): Promise<'done' | 'no-guard'> {
  try {
    if (held) await rpc.call('htable.seti', [table, uri, 1], keySet)
    else await rpc.call('htable.delete', [table, uri], keyDeleted)
    return 'done'
  } catch (error) {
    if (refusedWith(error, 'Key not found in htable.')) return 'done'
    if (hasNoGuard(error)) return 'no-guard'
    throw error
  }
}

/** @returns whether the edge's script keeps this URI out, or `no-guard` (see {@link setGuard}). */
export async function readGuard(rpc: JsonRpc, uri: DestinationUri): Promise<boolean | 'no-guard'> {
  try {
    return (await rpc.call('htable.get', [table, uri], item)).item.value === 1
  } catch (error) {
    if (refusedWith(error, "Key name doesn't exist in htable.")) return false
    if (hasNoGuard(error)) return 'no-guard'
    throw error
  }
}

function refusedWith(error: unknown, reason: string): boolean {
  return error instanceof RpcRefusal && error.reason === reason
}

function hasNoGuard(error: unknown): boolean {
  return refusedWith(error, 'No such htable') || (error instanceof EdgeError && error.fault === 'unsupported')
}
