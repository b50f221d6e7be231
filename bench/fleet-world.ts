import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { controlConfig } from '../functions/contracts/config.ts'
import { parseLifecycleMessage } from '../functions/contracts/lifecycle-action.ts'
import type { SettleRequest } from '../functions/contracts/settle-request.ts'
import { stepInput, type WorkflowPayload, workflowInput } from '../functions/contracts/workflow-payload.ts'
import { redeliverySeconds } from '../functions/control/pace.ts'
import type { Reading } from '../functions/control/reading.ts'
import { drainWorkflow } from '../functions/control/workflow.ts'
import { look } from '../functions/drain/look.ts'
import { handleSettle } from '../functions/fleet/handle-settle.ts'
import { handleLifecycle } from '../functions/intake/handle-lifecycle.ts'
import { reconcile } from '../functions/intake/reconcile.ts'
import { sweep } from '../functions/intake/sweep.ts'
import type { Instances } from '../functions/ports/instances.ts'
import type { EdgePorts, Ports, SweepPorts } from '../functions/ports/ports.ts'
import { createMemoryClock } from '../test/memory/clock.ts'
import { MemoryEdge } from '../test/memory/edge.ts'
import { createMemoryFleet } from '../test/memory/fleet.ts'
import { memoryPorts } from '../test/memory/ports.ts'
import { createMemorySettles } from '../test/memory/settles.ts'
import { createMemoryWorkflows } from '../test/memory/workflows.ts'
import { present } from '../test/present.ts'
import { interpreter } from '../test/workflow/interpreter.ts'
import { type Charge, countedStore, noUnits } from './counted-store.ts'
import { asSdk, dynamo, ec2, LambdaPool, lambda, processor, type Throttled, TokenBucket } from './limits.ts'
import { sharedStore } from './shared-store.ts'
import { Throttle, throttled } from './throttled-edge.ts'

export const second = 1000
export const minute = 60_000
const group = 'media-servers'
const hook = 'drain-calls'

export interface FleetSize {
  readonly edges: number
  readonly servers: number
  readonly latencyMs: number
  /** what the gateway lets through */
  readonly requestsPerSecond: number
  /** 7 unless given */
  readonly failoverWindowSeconds?: number
}

export type FleetWorld = Awaited<ReturnType<typeof createFleetWorld>>

/** The edges, the ports with the limits of AWS, and what runs in Lambda and Step Functions. */
function fleetParts(size: FleetSize, onReading: (reading: Reading) => void) {
  const clock = createMemoryClock()
  const upAt = clock.now() - 24 * 60 * minute
  const hosts = Array.from({ length: size.servers }, (_, n) => `10.0.${n >> 8}.${n & 255}`)
  const file = hosts.map((host) => ({ set: 1, uri: `sip:${host}:5060`, flags: 'AP' as const }))
  const edges = Array.from(
    { length: size.edges },
    (_, n) => new MemoryEdge({ id: `edge-${n}`, clock, file, bootedAt: upAt }),
  )
  for (const edge of edges) edge.misbehaviour = { latencyMs: size.latencyMs }
  const throttle = new Throttle(clock, size.requestsPerSecond)
  const pool = new LambdaPool(clock)
  const units = noUnits()
  const throttling = { ec2: { refusedOnce: 0, failed: 0 }, dynamo: { refusedOnce: 0, failed: 0 } }
  const counts = { messages: 0, ticks: 0, transitions: 0 }
  const executions: Promise<unknown>[] = []
  const settling: Promise<void>[] = []
  const answered = (kilobytes: number) => pool.computes(kilobytes * processor.perAnswerKilobyte)
  const memory = memoryPorts({
    clock,
    workflows: createMemoryWorkflows((input) => void executions.push(run(input))),
    settles: createMemorySettles((request) => void settling.push(settled(request))),
    fleet: createMemoryFleet(edges.map((edge) => throttled(edge, throttle, clock, answered))),
  })
  const ports: SweepPorts & EdgePorts = {
    ...memory,
    config: fleetConfig(size),
    instances: limitedInstances(memory, throttling.ec2),
    store: countedStore(
      sharedStore(memory.store, onReading),
      units,
      chargeOf(pool, clock, throttling.dynamo),
    ),
  }
  const { settled, execute, onLifecycleEvent } = deployedFunctions(ports, pool)
  const run = async (input: WorkflowPayload) => {
    const { status, history } = await execute(input)
    if (status !== 'SUCCEEDED') throw new Error(`an execution ended as ${status}`)
    counts.transitions += history.length
  }
  return {
    ...{ clock, upAt, hosts, edges, throttle, pool, units, throttling, counts },
    ...{ executions, settling, memory, ports, settled, onLifecycleEvent },
  }
}

/**
 * The deployed workflow and the real use cases over ports in memory, on a virtual clock, with the limits of
 * AWS (limits.ts). The edges have been up, and read, for a while.
 */
export async function createFleetWorld(
  size: FleetSize,
  onReading: (reading: Reading) => void = () => undefined,
) {
  const parts = fleetParts(size, onReading)
  const { clock, upAt, hosts, edges, throttle, pool, units, throttling, counts } = parts
  const { executions, settling, memory, ports, settled, onLifecycleEvent } = parts
  for (const [n, host] of hosts.entries())
    memory.instances.put({
      ...{ instanceId: idOf(n), launchedAt: upAt, state: 'running', group },
      ...{ addresses: [host], taggedDestinations: [] },
    })
  await handleSettle(ports, { kind: 'minute' })
  throttle.passed = 0
  throttle.answeredBytes = 0
  units.reads.clear()
  units.writes.clear()

  let over = false
  const everyMinute = async () => {
    for (; !over; counts.ticks += 2) {
      settling.push(settled({ kind: 'minute' }))
      await pool.invoke('reconcile', () => reconcile(ports))
      await pool.invoke('sweep', () => sweep(ports))
      for (const edge of edges) edge.forgetRequests()
      await clock.sleep(minute)
    }
  }
  const schedule = everyMinute()
  const deliver = async (name: string, instanceId: string, token: string) => {
    counts.messages += 1
    await onLifecycleEvent(message(name, instanceId, token, clock.now()))
  }
  const startedAt = clock.now()

  return {
    ...{ clock, startedAt, memory, edges, hosts, throttle, pool, units, throttling, counts },
    /** The nth edge; after the last comes the first. */
    edge: (n: number) => present(edges[n % edges.length], `edge ${n}`),
    drainOf: (n: number) => memory.store.drain(`lifecycle/${idOf(n)}/${hook}`),
    /** Auto Scaling brings the n-th server to its hook. */
    async scaleIn(n: number): Promise<string> {
      const instanceId = idOf(n)
      const token = `87654321-4321-4321-4321-${String(n).padStart(12, '0')}`
      const defaults = { heartbeatTimeoutSeconds: 1800, defaultResult: 'ABANDON' } as const
      memory.lifecycleActions.begin({ group, hook, token, instanceId, ...defaults })
      await deliver('lifecycle-terminate-scale-in', instanceId, token)
      memory.groupMembers.show({ group, instanceId, state: 'terminating-wait' })
      return instanceId
    },
    /** It is gone, and its event comes. */
    async terminated(n: number): Promise<void> {
      memory.instances.setState(idOf(n), 'terminated')
      memory.groupMembers.hide(idOf(n))
      await deliver('terminate-successful', idOf(n), '')
    },
    /** The schedules end, and what is under way is waited for. */
    async end(): Promise<void> {
      over = true
      await schedule
      await Promise.all([...executions, ...settling])
    },
  }
}

/** What runs in Lambda, each with what AWS does when it fails. */
function deployedFunctions(ports: Ports & EdgePorts, pool: LambdaPool) {
  const { clock } = ports
  /**
   * As Lambda does with what nobody waits for: a request that fails comes again after a minute, and once more
   * after two.
   */
  const settled = async (request: SettleRequest): Promise<void> => {
    await clock.sleep(lambda.asyncMs)
    for (const waitMs of [minute, 2 * minute, undefined]) {
      try {
        await pool.invoke('settle', () => handleSettle(ports, request))
        return
      } catch {
        if (waitMs !== undefined) await clock.sleep(waitMs)
      }
    }
  }
  const step =
    (name: string, work: (on: Ports, payload: WorkflowPayload) => Promise<WorkflowPayload>) =>
    (input: unknown) =>
      pool.invoke(name, () => work(ports, stepInput(workflowInput.parse(input)).payload))
  const execute = interpreter(drainWorkflow, {
    clock,
    tasks: {
      Look: step('look', look),
      CompleteDrain: step('complete-drain', look),
      RetireDrain: step('retire-drain', look),
    },
  })
  const onLifecycleEvent = async (body: string): Promise<void> => {
    // As its queue brings it again.
    for (let receives = 1; ; receives += 1) {
      try {
        await pool.invoke('lifecycle-events', () => handleLifecycle(ports, parseLifecycleMessage(body)))
        return
      } catch (error) {
        if (receives === 10) throw error
        await clock.sleep(redeliverySeconds(receives, 0.5) * second)
      }
    }
  }
  return { settled, execute, onLifecycleEvent }
}

function fleetConfig({ failoverWindowSeconds = 7 }: FleetSize) {
  return controlConfig.parse({
    groups: [
      {
        name: group,
        terminateHook: hook,
        heartbeatTimeoutSeconds: 1800,
        drainDeadlineSeconds: 14_400,
        deadlinePolicy: { callsLeft: 'retain', unknown: 'retain' },
      },
    ],
    timers: { failoverWindowSeconds, longestCallSeconds: 14_400 },
  })
}

const idOf = (n: number) => `i-${String(n).padStart(17, '0')}`

function limitedInstances(
  { instances, clock }: Pick<Ports, 'instances' | 'clock'>,
  counts: Throttled,
): Instances {
  const bucket = new TokenBucket(clock, ec2.bucket, ec2.perSecond)
  const asked = () => asSdk(clock, () => bucket.takes(), { baseMs: 500, counts, what: 'EC2' })
  return {
    async inGroups(groups) {
      const found = await instances.inGroups(groups)
      for (let from = 0; from <= found.length; from += 1000) await asked()
      return found
    },
    async byIds(ids) {
      for (let from = 0; from < ids.length; from += 200) await asked()
      return instances.byIds(ids)
    },
    async byAddress(host) {
      await asked()
      return instances.byAddress(host)
    },
  }
}

function chargeOf(pool: LambdaPool, clock: Ports['clock'], counts: Throttled): Charge {
  const buckets = new Map<string, TokenBucket>()
  return async (of, rows) => {
    await clock.sleep(dynamo.requestMs)
    for (const { partition, units, packedKilobytes } of rows) {
      const name = `${of} ${partition}`
      const perSecond = of === 'reads' ? dynamo.readUnits : dynamo.writeUnits
      const bucket = buckets.get(name) ?? new TokenBucket(clock, perSecond, perSecond)
      buckets.set(name, bucket)
      await asSdk(clock, () => bucket.takes(units), { baseMs: 100, counts, what: `DynamoDB: ${name}` })
      if (of === 'reads') await pool.computes(packedKilobytes * processor.perPackedKilobyte)
    }
  }
}

function message(name: string, instanceId: string, token: string, now: number): string {
  const body = JSON.parse(readFileSync(join(import.meta.dirname, '../events', `${name}.json`), 'utf8'))
  const time = new Date(now).toISOString()
  const detail = { ...body.detail, EC2InstanceId: instanceId, LifecycleActionToken: token }
  return JSON.stringify({ ...body, time, detail })
}
