import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { controlConfig } from '../functions/contracts/config.ts'
import { parseLifecycleMessage } from '../functions/contracts/lifecycle-action.ts'
import { requestsPerSecond } from '../functions/contracts/names.ts'
import { workflowInput } from '../functions/contracts/workflow-payload.ts'
import type { Round } from '../functions/control/round.ts'
import { drainWorkflow } from '../functions/control/workflow.ts'
import { beginDrain } from '../functions/use-cases/begin-drain.ts'
import { completeDrain } from '../functions/use-cases/complete-drain.ts'
import { handleLifecycle } from '../functions/use-cases/handle-lifecycle.ts'
import { observeDrain } from '../functions/use-cases/observe-drain.ts'
import type { Ports } from '../functions/use-cases/ports.ts'
import { retireDrain } from '../functions/use-cases/retire-drain.ts'
import { createMemoryClock } from '../test/memory/clock.ts'
import { MemoryEdge } from '../test/memory/edge.ts'
import { createMemoryFleet } from '../test/memory/fleet.ts'
import { memoryPorts } from '../test/memory/ports.ts'
import { createMemoryWorkflows } from '../test/memory/workflows.ts'
import { interpreter } from '../test/workflow/interpreter.ts'
import { Throttle, throttled } from './throttled-edge.ts'

/**
 * What a whole fleet's drains ask of the edges, on a virtual clock behind a gateway that answers 429: `node bench/full-size.ts`
 * prints the table of docs/architecture.md, "At full size".
 */

const second = 1000
const minute = 60_000
const group = 'media-servers'
const hook = 'drain-calls'

export interface Size {
  readonly edges: number
  readonly servers: number
  readonly drains: number
  /** within how many minutes they begin, evenly; 0: all at once */
  readonly withinMinutes: number
  /** each server's calls last for another time, the longest for this long; they go on over two edges, one after the other */
  readonly callMinutes: number
  readonly requestsPerSecond: number
  readonly latencyMs: number
}

export interface Outcome {
  readonly size: Size
  /** drains that ended as `drained`, calls that were up when their action was completed, and what else an action ended by */
  readonly drained: number
  readonly cut: number
  readonly endedOtherwise: number
  /** from the first event until every edge had shown every server disabled, twice */
  readonly disabledAfterSeconds: number
  /** the longest between the end of a server's last call and its action's completion */
  readonly longestAfterLastCallSeconds: number
  readonly rounds: number
  readonly longestRoundSeconds: number
  /** rounds that began before the one before was over */
  readonly overlaps: number
  /** to one edge within a minute, and refused by the gateway in all */
  readonly mostRequestsAMinute: number
  readonly meanRequestsAMinute: number
  readonly refused: number
  /** one edge's row of the biggest round, as JSON and as stored */
  readonly rowBytes: number
  readonly storedBytes: number
}

export async function fullSize(size: Size): Promise<Outcome> {
  const clock = createMemoryClock()
  const startedAt = clock.now()
  const hosts = Array.from({ length: size.servers }, (_, n) => `10.0.${n >> 8}.${n & 255}`)
  const file = hosts.map((host) => ({ group: 1, uri: `sip:${host}:5060`, flags: 'AP' as const }))
  const edges = Array.from(
    { length: size.edges },
    (_, n) => new MemoryEdge({ id: `edge-${n}`, clock, file, bootedAt: startedAt - 24 * 60 * minute }),
  )
  for (const edge of edges) edge.misbehaviour = { latencyMs: size.latencyMs }
  const throttle = new Throttle(clock, size.requestsPerSecond)
  const executions: Promise<unknown>[] = []
  const workflows = createMemoryWorkflows((input) => void executions.push(execute(input)))
  const memory = memoryPorts({
    clock,
    workflows,
    fleet: createMemoryFleet(
      edges.map((edge) => throttled(edge, throttle, clock)),
      size.requestsPerSecond,
    ),
  })
  const rounds: Pick<Round, 'startedAt' | 'finishedAt'>[] = []
  const making = { now: 0, overlaps: 0 }
  let latest: Round | undefined
  let biggest = ''
  const ports: Ports = {
    ...memory,
    config: controlConfig.parse({
      groups: [
        {
          name: group,
          terminateHook: hook,
          heartbeatTimeoutSeconds: 1800,
          drainDeadlineSeconds: 14_400,
          deadlinePolicy: { callsLeft: 'retain', unknown: 'retain' },
        },
      ],
      timers: { failoverWindowSeconds: 7, longestCallSeconds: 14_400 },
    }),
    store: new Proxy(memory.store, {
      get(store, key) {
        // Shared, not copied: it is megabytes, and asked for ten thousand times.
        if (key === 'latestRound') return async () => latest
        if (key === 'putRound')
          return async (round: Round) => {
            if ((rounds.at(-1)?.finishedAt ?? 0) > round.startedAt) making.overlaps += 1
            rounds.push({ startedAt: round.startedAt, finishedAt: round.finishedAt })
            const row = JSON.stringify(round.edges[0])
            if (row.length > biggest.length) biggest = row
            latest = round
          }
        return Reflect.get(store, key)
      },
    }),
  }
  const step =
    (work: (on: Ports, payload: Parameters<typeof beginDrain>[1]) => ReturnType<typeof beginDrain>) =>
    async (input: unknown) => {
      const { error: _, ...payload } = workflowInput.parse(input)
      return work(ports, payload)
    }
  const execute = interpreter(drainWorkflow, {
    clock,
    tasks: {
      BeginDrain: step(beginDrain),
      ObserveDrain: step(observeDrain),
      CompleteDrain: step(completeDrain),
      RetireDrain: step(retireDrain),
    },
  })

  const lastCallEnds = new Map<string, number>()
  let disabledAt = 0
  const drain = async (n: number) => {
    await clock.sleep((n * size.withinMinutes * minute) / size.drains)
    const host = hosts[n] ?? ''
    const instanceId = `i-${String(n).padStart(17, '0')}`
    const token = `87654321-4321-4321-4321-${String(n).padStart(12, '0')}`
    memory.instances.put({
      instanceId,
      launchedAt: startedAt - 60 * minute,
      state: 'running',
      addresses: [host],
      taggedDestinations: [],
      group,
    })
    memory.lifecycleActions.begin({
      group,
      hook,
      token,
      instanceId,
      heartbeatTimeoutSeconds: 1800,
      defaultResult: 'ABANDON',
    })
    const end = clock.now() + (size.callMinutes * minute * (n + 1)) / size.drains
    lastCallEnds.set(instanceId, end)
    // A call on one edge, and before it ends one that the server itself places through another, which had none.
    const [one, other] = [edges[n % edges.length], edges[(n + 1) % edges.length]]
    const [first, half] = [one?.callTo(`sip:${host}:5060`) ?? 0, (clock.now() + end) / 2]
    clock.at(half, () => {
      const second = other?.callFrom(host) ?? 0
      clock.at(end, () => other?.hangUp(second))
    })
    clock.at(half + 1 * second, () => one?.hangUp(first))
    await handleLifecycle(ports, parseLifecycleMessage(event(instanceId, token, clock.now())))
    for (;;) {
      const record = await memory.store.drain(`lifecycle/${instanceId}/${hook}`)
      disabledAt = Math.max(disabledAt, record?.confirmedAt ?? 0)
      if (record?.state === 'retired') break
      await clock.sleep(15 * second)
    }
    memory.instances.setState(instanceId, 'terminated')
  }
  const perMinute: number[] = []
  let over = false
  const sample = async () => {
    for (let before = 0; !over; ) {
      await clock.sleep(minute)
      perMinute.push((throttle.passed - before) / edges.length)
      before = throttle.passed
    }
  }
  const sampling = sample()
  await Promise.all(Array.from({ length: size.drains }, (_, n) => drain(n)))
  over = true
  await Promise.all([...executions, sampling])

  const ended = memory.lifecycleActions.ended()
  const after = ended.map(({ at, instanceId }) => at - (lastCallEnds.get(instanceId) ?? 0))
  return {
    size,
    drained: ended.filter(({ by, result }) => by === 'completion' && result === 'CONTINUE').length,
    cut: after.filter((ms) => ms < 0).length,
    endedOtherwise: ended.filter(({ by, result }) => by !== 'completion' || result !== 'CONTINUE').length,
    disabledAfterSeconds: (disabledAt - startedAt) / second,
    longestAfterLastCallSeconds: Math.max(...after) / second,
    rounds: rounds.length,
    longestRoundSeconds: Math.max(...rounds.map((round) => round.finishedAt - round.startedAt)) / second,
    overlaps: making.overlaps,
    mostRequestsAMinute: Math.max(...perMinute),
    meanRequestsAMinute: perMinute.reduce((sum, each) => sum + each, 0) / perMinute.length,
    refused: throttle.refused,
    rowBytes: biggest.length,
    storedBytes: gzipSync(biggest).length,
  }
}

function event(instanceId: string, token: string, now: number): string {
  const body = JSON.parse(
    readFileSync(join(import.meta.dirname, '../events/lifecycle-terminate-scale-in.json'), 'utf8'),
  )
  const detail = { ...body.detail, EC2InstanceId: instanceId, LifecycleActionToken: token }
  return JSON.stringify({ ...body, time: new Date(now).toISOString(), detail })
}

if (import.meta.main) {
  const full = { edges: 50, servers: 1000, callMinutes: 60, requestsPerSecond, latencyMs: 20 }
  const sizes: Size[] = [
    { ...full, drains: 500, withinMinutes: 0 },
    { ...full, drains: 200, withinMinutes: 60, callMinutes: 20 },
  ]
  const chosen = process.argv[2] === undefined ? sizes : [sizes[Number(process.argv[2])] ?? sizes[0]]
  for (const size of chosen)
    if (size) process.stdout.write(`${JSON.stringify(await fullSize(size), null, 1)}\n`)
}
