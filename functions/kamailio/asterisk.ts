import { request } from 'undici'
import * as z from 'zod'
import { jsonOf, readLimited } from './limited-reply.ts'

export interface AsteriskServer {
  /** an address or a DNS name; IPv6 without brackets */
  readonly address: string
  /** of Asterisk's HTTP server */
  readonly port: number
  readonly user: string
  readonly password: string
  /** for the whole request */
  readonly timeoutMs: number
}

/** About 1 KB for each channel. */
const maximumReplyBytes = 8_388_608
/** `[{"id":"1795381357.0","name":"PJSIP/anonymous-00000000","state":"Up",…}]` */
const channels = z.array(z.object({ id: z.string().min(1), name: z.string() }))
/**
 * A SIP MESSAGE makes Asterisk keep one channel, `Message/ast_msg_queue`, for ever (22.10): it is no call.
 */
const messageQueue = /^Message\//

/**
 * Channels that an Asterisk has now (ARI `GET /ari/channels`): one per leg. A call that it answers itself is
 * one, a call that it bridges to another party is two; it is 0 when there is no call, whatever way the calls
 * came.
 * @throws an Error that names what was wrong with the answer, never with the password
 */
export async function asteriskChannels(server: AsteriskServer): Promise<number> {
  const { address, port, user, password, timeoutMs } = server
  const host = address.includes(':') ? `[${address}]` : address
  const response = await request(`http://${host}:${port}/ari/channels`, {
    headers: { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` },
    signal: AbortSignal.timeout(timeoutMs),
  })
  const text = await readLimited(response, maximumReplyBytes)
  if (response.statusCode !== 200) throw new Error(`HTTP ${response.statusCode} from /ari/channels`)
  const parsed = channels.safeParse(jsonOf(text))
  if (!parsed.success) throw new Error('the reply to /ari/channels is not a list of channels')
  return parsed.data.filter(({ name }) => !messageQueue.test(name)).length
}
