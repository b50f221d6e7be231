import * as z from 'zod'
import { isSpeakable } from '../contracts/rpc.ts'
import { EdgeError } from '../control/errors.ts'
import type { CallsOf, Edge } from '../ports/edge.ts'
import { profileSizes, sourceSpellings } from './calls.ts'
import type { JsonRpc } from './json-rpc.ts'
import { RpcRefusal } from './rpc-faults.ts'

/**
 * `dlg.profile_list` writes about 625 bytes for each dialog and keeps all of it in the worker's memory: 1,200
 * take 25 ms (6.1.5, 5.6.3), and dialogs with long routes or many variables take twice that.
 */
const longestList = 1000

/**
 * Waiting for the ACK, and with it; before that a call rings, and ending it is answered as done and does
 * nothing.
 */
const confirmed = [3, 4]
const side = z.object({ tag: z.string().nullable() })
const dialogs = z.array(z.object({ 'call-id': z.string(), state: z.int(), caller: side, callee: side }))
type Dialog = z.output<typeof dialogs>[number]
/** The same as for what was not executed: only the next count proves it. */
const terminated = z.strictObject({})

/**
 * Ends calls by their dialogs: those of the profile `dst` of each URI and, where the edge keeps it, of `src`
 * of each address. Which ones come first is the edge's order. What fails is still counted and comes again; it
 * is thrown when nothing else could be ended.
 */
export function createCallEnder(edge: string, rpc: JsonRpc): Edge['endCalls'] {
  return async (of, most) => {
    const busy = await busyProfiles(edge, rpc, of)
    const up = await upIn(
      edge,
      rpc,
      busy.filter(({ calls }) => calls <= longestList),
    )
    const chosen = up.filter((id) => id.every(isSpeakable)).slice(0, most)
    const outcomes = await end(edge, rpc, chosen)
    const ended = outcomes.filter((outcome) => outcome === true).length
    if (ended > 0) return ended
    const failed = outcomes.find((outcome) => outcome instanceof EdgeError)
    if (failed) throw failed
    const tooLong = busy.find(({ calls }) => calls > longestList)
    if (tooLong)
      throw new EdgeError(
        edge,
        'refused',
        `calls can not be ended: ${tooLong.value} has ${tooLong.calls} on this edge, and no more than ${longestList} are listed at once`,
      )
    const unspeakable = up.find((id) => !id.every(isSpeakable))
    if (unspeakable && chosen.length === 0)
      throw new EdgeError(
        edge,
        'refused',
        `${up.length} calls can not be ended: their Call-ID or tags hold a quote, a backslash or what is not UTF-8, such as ${JSON.stringify(unspeakable)}`,
      )
    return 0
  }
}

/** @returns the profiles that have calls, with how many */
async function busyProfiles(edge: string, rpc: JsonRpc, { uris, addresses }: CallsOf) {
  const [to, from = []] = await Promise.all([
    profileSizes(rpc, 'dst', uris),
    profileSizes(rpc, 'src', addresses.flatMap(sourceSpellings)),
  ])
  if (to === undefined)
    throw new EdgeError(
      edge,
      'unsupported',
      'calls can not be ended: it has no dialog profile "dst". Include kamailio/call-profiles.cfg in its kamailio.cfg',
    )
  return [...to, ...from].filter(({ calls }) => calls > 0)
}

/** @returns call-id and tags of the calls that are up, each once */
async function upIn(
  edge: string,
  rpc: JsonRpc,
  lists: readonly { profile: string; value: string }[],
): Promise<readonly string[][]> {
  const answers = await rpc.batch(
    lists.map(({ profile, value }) => ({
      method: 'dlg.profile_list' as const,
      params: [profile, value],
      result: dialogs,
    })),
  )
  const listed = answers.map((answer) => {
    if ('error' in answer) throw explained(edge, answer.error)
    return answer.result
  })
  const up = listed.flat().filter(({ state }) => confirmed.includes(state))
  return [...new Map(up.map((dialog) => [JSON.stringify(idOf(dialog)), idOf(dialog)])).values()]
}

/** @returns for each call whether it was ended; not, where it ended by itself meanwhile */
async function end(
  edge: string,
  rpc: JsonRpc,
  ids: readonly (readonly string[])[],
): Promise<(boolean | EdgeError)[]> {
  const answers = await rpc.batch(
    ids.map((params) => ({ method: 'dlg.terminate_dlg', params, result: terminated }) as const),
  )
  return answers.map((answer) => {
    if ('result' in answer) return true
    const { error } = answer
    return error instanceof RpcRefusal && error.reason === 'Couldnt find callid in dialog'
      ? false
      : explained(edge, error)
  })
}

function explained(edge: string, error: EdgeError): EdgeError {
  if (error.fault !== 'unsupported') return error
  const why = "calls can not be ended: the edge's own policy refuses it. Define DC_RPC_END_CALLS in its"
  return new EdgeError(edge, 'unsupported', `${why} settings.cfg (kamailio/README.md)`, { cause: error })
}

function idOf(dialog: Dialog): string[] {
  return [dialog['call-id'], dialog.caller.tag ?? '', dialog.callee.tag ?? '']
}
