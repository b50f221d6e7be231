import {
  type EdgePlan,
  edgePlans,
  plan,
  type ServerPlan,
  type ShortDeadline,
  serverPlans,
  serversWith,
} from '../plan/fleet-plan.ts'
import type { Log } from '../programs/lab-cache.ts'
import type { AsteriskProgram, KamailioProgram } from '../programs/program.ts'
import { type AsteriskServer, startAsterisk } from '../sip/asterisk.ts'
import type { CallLedger } from '../sip/call-ledger.ts'
import { type MediaServer, type SippLab, startCaller, startMediaServer } from '../sip/calls.ts'
import { type DispatcherEntry, type Edge, startEdge } from '../sip/edge.ts'
import { type FlagWatch, watchFlags } from '../sip/flag-watch.ts'
import { startTraffic, type Traffic } from '../sip/traffic.ts'
import { type Closing, together } from './closing.ts'
import type { Machine } from './machines.ts'

export interface SipLab extends SippLab {
  readonly ledger: CallLedger
  readonly closing: Closing
  readonly log: Log
}

/** What only the fleet and its control plane know. */
export interface Secrets {
  readonly rpc: string
  /** Every edge accepts it too: the first half of a rotation is always done. */
  readonly nextRpc: string
  readonly asterisk: string
}

/** The edges under calls, and the lab's own reading of them. */
export interface SipSide {
  readonly edges: readonly Edge[]
  readonly flags: FlagWatch
  readonly traffic: () => Traffic
  /** Starts one more edge, over the same machines; nobody knows it yet but the lab. */
  readonly addEdge: (planned: EdgePlan) => Promise<Edge>
  /** Calls through this edge alone, beside those of `traffic()`. */
  readonly callThrough: (edge: Edge) => Promise<Traffic>
  /** Places one call through this edge. @returns the caller's name in the ledger */
  readonly placeCall: (edge: Edge, callMs: number) => Promise<string>
  /** Calls start again after `traffic().finish()`. */
  readonly startTraffic: () => Promise<void>
}

/** Starts one SIPp media server, or the one that takes the place of it. */
export async function startServer(
  lab: SipLab,
  server: ServerPlan,
  name: string,
  port?: number,
): Promise<MediaServer> {
  const started = await startMediaServer(lab, {
    name,
    address: server.address,
    ...(port !== undefined && { port }),
  })
  lab.closing.defer(() => started.kill())
  return started
}

/** All SIPp media servers of the plan. */
export async function startSippServers(lab: SipLab, deadlines: readonly ShortDeadline[]): Promise<Machine[]> {
  const machines = await Promise.all(
    serversWith(deadlines)
      .filter(({ kind }) => kind === 'sipp')
      .map(async (server) => machineOf(server, await startServer(lab, server, server.name))),
  )
  lab.log(`${machines.length} SIPp media servers answer`)
  return machines
}

export async function startAsteriskServer(
  lab: SipLab,
  asterisk: AsteriskProgram,
  password: string,
): Promise<{ machine: Machine; server: AsteriskServer }> {
  const planned = serverPlans.find(({ kind }) => kind === 'asterisk')
  if (planned === undefined) throw new Error('the plan of the fleet has no Asterisk')
  const { name, address } = planned
  const server = await startAsterisk(lab, { name, address, asterisk, user: 'lab', password })
  lab.closing.defer(() => server.kill())
  lab.log('Asterisk answers')
  return { machine: machineOf(planned, server), server }
}

function machineOf(planned: ServerPlan, server: MediaServer): Machine {
  return {
    plan: planned,
    uri: server.uri,
    serverName: planned.name,
    server,
    instance: undefined,
    generation: 1,
  }
}

/** What every edge's dispatcher list has. */
export function dispatcherEntries(machines: readonly Machine[]): DispatcherEntry[] {
  return machines.flatMap(({ plan: { sets, name }, uri }) =>
    sets.map((set) => ({ set, uri, attrs: `duid=${name}` })),
  )
}

/** Starts every edge over these machines, then the callers, and begins to read the edges. */
export async function startEdges(
  lab: SipLab,
  kamailio: KamailioProgram,
  machines: readonly Machine[],
  options: Pick<Secrets, 'rpc' | 'nextRpc'> & { readonly endsCalls: boolean },
): Promise<SipSide> {
  const addEdge = async ({ name, address, restoresDialogs }: EdgePlan) => {
    const edge = await startEdge({
      name,
      address,
      kamailio,
      runDir: lab.runDir,
      secret: options.rpc,
      nextSecret: options.nextRpc,
      endsCalls: options.endsCalls,
      destinations: dispatcherEntries(machines),
      dialogDb: restoresDialogs,
      frTimerMs: plan.frTimerMs,
      longestCallSeconds: plan.longestCallSeconds,
    })
    lab.closing.defer(() => edge.kill())
    return edge
  }
  const edges = await together(edgePlans.map(addEdge))
  lab.log(`Kamailio answers on ${edges.map(({ name }) => name).join(' and ')}`)
  const flags = watchFlags(
    edges,
    machines.map(({ uri }) => uri),
  )
  lab.closing.defer(() => flags.close())
  let phase = 1
  let current = await startTraffic(lab, edges, phase)
  lab.closing.defer(() => current.kill())
  lab.log('callers place calls')
  let placed = 0
  return {
    edges,
    flags,
    traffic: () => current,
    addEdge,
    placeCall: async (edge, callMs) => {
      placed += 1
      const { name, kill } = await startCaller(lab, {
        ...{ name: `one-${placed}`, address: '127.0.3.9', via: edge, called: 'one' },
        ...{ callsPerSecond: 10, callMs, maxCalls: 1 },
      })
      lab.closing.defer(kill)
      return name
    },
    callThrough: async (edge) => {
      const more = await startTraffic(lab, [edge], phase)
      lab.closing.defer(() => more.kill())
      return more
    },
    startTraffic: async () => {
      phase += 1
      current = await startTraffic(lab, edges, phase)
    },
  }
}
