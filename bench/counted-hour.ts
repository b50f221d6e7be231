import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { controlConfig } from '../functions/contracts/config.ts'
import { parseLifecycleMessage } from '../functions/contracts/lifecycle-action.ts'
import { workflowInput } from '../functions/contracts/workflow-payload.ts'
import { drainWorkflow } from '../functions/control/workflow.ts'
import { beginDrain } from '../functions/use-cases/begin-drain.ts'
import { completeDrain } from '../functions/use-cases/complete-drain.ts'
import { handleLifecycle } from '../functions/use-cases/handle-lifecycle.ts'
import { observeDrain } from '../functions/use-cases/observe-drain.ts'
import type { Ports } from '../functions/use-cases/ports.ts'
import { reconcile } from '../functions/use-cases/reconcile.ts'
import { retireDrain } from '../functions/use-cases/retire-drain.ts'
import { createMemoryClock } from '../test/memory/clock.ts'
import { MemoryEdge } from '../test/memory/edge.ts'
import { memoryPorts } from '../test/memory/ports.ts'
import { createMemoryWorkflows } from '../test/memory/workflows.ts'
import { interpreter } from '../test/workflow/interpreter.ts'
import { countedStore } from './counted-store.ts'

const minute = 60_000
const group = 'media-servers'
const hook = 'drain-calls'

export interface Hour {
  readonly edges: number
  readonly servers: number
  /** drains that begin within the hour, evenly */
  readonly drains: number
  /** how long the last call of each server still lasts */
  readonly callMinutes: number
}

/** What an hour of drains, followed to the end of the last one, asks of AWS and of the edges. */
export interface Counts {
  readonly messages: number
  readonly steps: number
  /** the reconciler's calls, one each minute */
  readonly ticks: number
  readonly transitions: number
  readonly events: number
  readonly rounds: number
  /** HTTP requests to all edges together */
  readonly edgeRequests: number
  /** DynamoDB's request units, strongly consistent and transactional ones as they are billed */
  readonly reads: number
  readonly writes: number
}

/**
 * Runs the deployed workflow and the real use cases over ports in memory, on a virtual clock. Each server has a call on the
 * first edge; its lifecycle action is completed when that is over, and a minute later EC2 says that it is terminated.
 */
export async function countHour(hour: Hour): Promise<Counts> {
  const clock = createMemoryClock()
  const hosts = Array.from({ length: hour.servers }, (_, index) => `10.0.${index >> 8}.${index & 255}`)
  const file = hosts.map((host) => ({ group: 1, uri: `sip:${host}:5060`, flags: 'AP' as const }))
  const edges = Array.from(
    { length: hour.edges },
    (_, index) =>
      new MemoryEdge({ id: `edge-${index}`, clock, file, bootedAt: clock.now() - 24 * 60 * minute }),
  )
  let steps = 0
  let messages = 0
  let transitions = 0
  const executions: Promise<void>[] = []
  const counted = { reads: 0, writes: 0, rounds: 0 }
  const workflows = createMemoryWorkflows((input) => {
    executions.push(
      execute(input).then(({ status, history }) => {
        if (status !== 'SUCCEEDED') throw new Error(`an execution ended as ${status}`)
        transitions += history.length
      }),
    )
  })
  const memory = memoryPorts({ clock, edges, workflows })
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
    store: countedStore(memory.store, counted),
  }
  const step =
    (work: (on: Ports, payload: Parameters<typeof beginDrain>[1]) => ReturnType<typeof beginDrain>) =>
    async (input: unknown) => {
      steps += 1
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
  const deliver = async (name: string, instanceId: string, token: string) => {
    messages += 1
    await handleLifecycle(ports, parseLifecycleMessage(event(name, instanceId, token, clock.now())))
  }

  const drain = async (index: number) => {
    await clock.sleep((index * 60 * minute) / hour.drains)
    const host = hosts[index % hosts.length] ?? ''
    const instanceId = `i-${String(index).padStart(17, '0')}`
    const token = `87654321-4321-4321-4321-${String(index).padStart(12, '0')}`
    memory.instances.put({
      instanceId,
      launchedAt: clock.now() - 60 * minute,
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
    const call = edges[0]?.callTo(`sip:${host}:5060`) ?? 0
    await deliver('lifecycle-terminate-scale-in', instanceId, token)
    await clock.sleep(hour.callMinutes * minute)
    edges[0]?.hangUp(call)
    while ((await memory.store.drain(`lifecycle/${instanceId}/${hook}`))?.state !== 'retired')
      await clock.sleep(5000)
    await clock.sleep(minute)
    memory.instances.setState(instanceId, 'terminated')
    await deliver('terminate-successful', instanceId, token)
  }
  let ticks = 0
  let over = false
  const reconcileEachMinute = async () => {
    for (; !over; ticks += 1) {
      await reconcile(ports)
      await clock.sleep(minute)
    }
  }
  const reconciling = reconcileEachMinute()
  await Promise.all(Array.from({ length: hour.drains }, (_, index) => drain(index)))
  over = true
  await reconciling
  await Promise.all(executions)
  return {
    messages,
    steps,
    ticks,
    transitions,
    events: memory.events.published.length,
    ...counted,
    edgeRequests: edges.reduce((sum, edge) => sum + edge.posts, 0),
  }
}

function event(name: string, instanceId: string, token: string, now: number): string {
  const path = join(import.meta.dirname, '../events', `${name}.json`)
  const body = JSON.parse(readFileSync(path, 'utf8'))
  const time = new Date(now).toISOString()
  return JSON.stringify({
    ...body,
    time,
    detail: { ...body.detail, EC2InstanceId: instanceId, LifecycleActionToken: token },
  })
}
