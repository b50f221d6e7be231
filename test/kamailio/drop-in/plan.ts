import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { z } from 'zod'
import type { KamailioProgram } from '../../../lab/programs/program.ts'
import type { SipTransport, SipVia } from './sip.ts'
import type { Observation, Plan, Step } from './steps.ts'
import { secret } from './user-edits.ts'

/** Who has which address in these tests; only the edge's are bound by an interface. */
export const edge = '10.0.0.10'
export const mediaServer = '10.0.1.20'
export const secondServer = '10.0.1.21'
export const phone = '10.0.2.20'
const caller = '10.0.2.1'
const controlPlane = '10.0.3.1'

export const uriOf = (address: string) => `sip:${address}:5060`

const sipPorts: Readonly<Record<SipTransport, number>> = { udp: 5060, tcp: 5060, tls: 5061 }

/** A way to the edge. */
export const by = (
  transport: SipTransport,
  { host = edge, port = sipPorts[transport], from = caller } = {},
): SipVia => ({ transport, host, port, from })

/** Where nobody is expected to answer. */
export const inVain = (via: SipVia): SipVia => ({ ...via, patienceMs: 700 })

/** A call that stays up until `hangUp(name)`. */
export const call = (name: string, uri: string, via = by('udp')): Step => ({ do: 'call', name, via, uri })

export const hangUp = (name: string): Step => ({ do: 'hang-up', name: `${name} ended`, call: name })

/** The answer to an INVITE that nobody should take for SIP: over TCP, to the port of the control plane. */
export const sipToRpcPort = (name: string): Step =>
  call(name, `sip:svc@${edge}`, inVain(by('tcp', { port: 8080 })))

const envelope = (method: string, params: readonly (string | number)[]) =>
  JSON.stringify({ jsonrpc: '2.0', method, params, id: 1 })

type Http = Extract<Step, { do: 'http' }>

/** A request of the control plane. */
export const rpc = (
  name: string,
  method: string,
  params: readonly (string | number)[] = [],
  differently: Partial<Http> = {},
): Step => ({
  do: 'http',
  name,
  host: edge,
  port: 8080,
  path: '/rpc',
  from: controlPlane,
  headers: { 'x-rpc-key': secret },
  body: envelope(method, params),
  ...differently,
})

export const batch = (
  name: string,
  requests: readonly (readonly [method: string, ...params: (string | number)[]])[],
): Step =>
  rpc(name, '', [], {
    body: `[\n${requests.map(([method, ...params]) => envelope(method, params)).join(',\n')}\n]`,
  })

/** The parts of a plan that every test has. */
export function planOf(kamailio: KamailioProgram, dir: string, steps: readonly Step[]): Plan {
  return {
    addresses: [edge],
    kamailio: [...kamailio.argv],
    dir,
    fifo: join(dir, 'kamailio_rpc.fifo'),
    servers: [mediaServer, secondServer, phone].map((host) => ({ host, port: 5060 })),
    steps: [...steps],
  }
}

const answerSchema = z.object({ status: z.number(), body: z.string() })
const replySchema = z.object({ result: z.unknown().optional(), error: z.unknown().optional() })
const itemSchema = z.object({ item: z.object({ value: z.number() }) })

/** The `result` of a request of the control plane, of an htable item its number; what else came is thrown. */
export function resultOf({ noted }: Observation, name: string): unknown {
  const { status, body } = answerSchema.parse(noted[name])
  const { result } = replySchema.parse(JSON.parse(body))
  if (status !== 200 || result === undefined) throw new Error(`${name}: ${status} ${body}`)
  return numberIn(result)
}

/** The results of a batch, in order. */
export function resultsOf({ noted }: Observation, name: string): readonly unknown[] {
  const { body } = answerSchema.parse(noted[name])
  return z
    .array(replySchema)
    .parse(JSON.parse(body))
    .map(({ result, error }) => numberIn(result ?? error))
}

function numberIn(result: unknown): unknown {
  const item = itemSchema.safeParse(result)
  return item.success ? item.data.item.value : result
}

/** The HTTP status of an answer. */
export const statusOf = ({ noted }: Observation, name: string) => answerSchema.parse(noted[name]).status

const socketsSchema = z.object({
  result: z.array(
    z.object({ socket: z.object({ proto: z.string(), address: z.string(), port: z.coerce.string() }) }),
  ),
})

/** What Kamailio itself says it listens on, in its order: `udp 10.0.0.10:5060`. */
export function socketsListed({ noted }: Observation, name: string): readonly string[] {
  return socketsSchema
    .parse(noted[name])
    .result.map(({ socket: { proto, address, port } }) => `${proto} ${address}:${port}`)
}

/** `kamailio -c`: whether it takes the configuration, and its words. */
export function check({ argv }: KamailioProgram, dir: string, ...more: readonly string[]) {
  const [command = '', ...args] = [...argv, ...more, '-c', '-f', join(dir, 'kamailio.cfg'), '-Y', dir]
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 })
  return { ok: status === 0, words: `${stdout}${stderr}` }
}
