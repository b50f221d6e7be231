import { z } from 'zod'

const via = z.object({
  transport: z.enum(['udp', 'tcp', 'tls']),
  host: z.string(),
  port: z.number(),
  from: z.string(),
  patienceMs: z.number().optional(),
})

const step = z.discriminatedUnion('do', [
  /** Sends one request and notes the status of its reply, 0 where none came. */
  z.object({
    do: z.literal('ask'),
    name: z.string(),
    via,
    method: z.string(),
    uri: z.string(),
    to: z.string(),
    contact: z.string().optional(),
  }),
  /** Places a call and notes its status; it stays up until it is hung up. */
  z.object({ do: z.literal('call'), name: z.string(), via, uri: z.string() }),
  /** Notes the status of the reply to its BYE. */
  z.object({ do: z.literal('hang-up'), name: z.string(), call: z.string() }),
  /** Notes status and body. */
  z.object({
    do: z.literal('http'),
    name: z.string(),
    host: z.string(),
    port: z.number(),
    path: z.string(),
    method: z.string().optional(),
    headers: z.record(z.string(), z.string()).optional(),
    body: z.string().optional(),
    from: z.string().optional(),
  }),
  /** Notes the whole reply to a JSON-RPC request through the FIFO. */
  z.object({
    do: z.literal('fifo'),
    name: z.string(),
    method: z.string(),
    params: z.array(z.string()).optional(),
  }),
  /** Notes the INVITEs since the last such step, by server and R-URI: `10.0.1.20:5060 sip:svc@10.0.0.10`. */
  z.object({ do: z.literal('invites'), name: z.string() }),
])
export type Step = z.infer<typeof step>

/** What is done with one Kamailio inside of a network namespace. */
export const planSchema = z.object({
  /** Added to the namespace's loopback interface, so that Kamailio has addresses to bind. */
  addresses: z.array(z.string()),
  kamailio: z.array(z.string()),
  /** Its folder: `kamailio.cfg` is here, its FIFO will be, and its log. */
  dir: z.string(),
  fifo: z.string(),
  /** SIP servers on other machines. */
  servers: z.array(z.object({ host: z.string(), port: z.number(), invite: z.number().optional() })),
  steps: z.array(step),
})
export type Plan = z.infer<typeof planSchema>

export const observationSchema = z.object({
  /** As the kernel shows them: `udp 10.0.0.10:5060`, sorted. */
  sockets: z.array(z.string()),
  /** What each step noted, by its name. */
  noted: z.record(z.string(), z.unknown()),
})
export type Observation = z.infer<typeof observationSchema>
