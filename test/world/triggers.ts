import { parseAlarmMessage } from '../../functions/contracts/alarm.ts'
import { parseLifecycleMessage } from '../../functions/contracts/lifecycle-action.ts'
import type { SettleRequest } from '../../functions/contracts/settle-request.ts'
import { handleSettle } from '../../functions/fleet/handle-settle.ts'
import { handleAlarm } from '../../functions/intake/handle-alarm.ts'
import { handleCommand } from '../../functions/intake/handle-command.ts'
import { handleLifecycle } from '../../functions/intake/handle-lifecycle.ts'
import { reconcile } from '../../functions/intake/reconcile.ts'
import { sweep } from '../../functions/intake/sweep.ts'
import type { EdgePorts, SweepPorts } from '../../functions/ports/ports.ts'
import type { CommandOutcomeRow } from '../../functions/ports/store.ts'
import { message } from '../contracts/event-files.ts'
import type { MemoryClock } from '../memory/clock.ts'
import type { MemoryPorts } from '../memory/ports.ts'
import { alice, instanceId, seconds } from './samples.ts'

interface Around {
  readonly memory: MemoryPorts
  readonly ports: SweepPorts & EdgePorts
  readonly clock: MemoryClock
  readonly startedAt: number
  /** Every edge was read once. */
  readonly ready: Promise<void>
  readonly settling: readonly Promise<void>[]
}

/** What the schedules do, and when all of it is done. */
export function schedules({ ports, ready, settling }: Pick<Around, 'ports' | 'ready' | 'settling'>) {
  return {
    /** What the schedules do each minute. */
    async reconcile() {
      await ready
      await handleSettle(ports, { kind: 'minute' })
      await reconcile(ports)
    },
    async sweep() {
      await ready
      await sweep(ports)
    },
    /** The schedule of settle alone. */
    async settle(request: SettleRequest = { kind: 'minute' }) {
      await ready
      await handleSettle(ports, request)
    },
    /** What was asked of settle so far is done. */
    async settledAll() {
      await ready
      await Promise.all(settling)
    },
  }
}

/** What AWS and operators do. */
export function triggers({ memory, ports, clock, startedAt, ready }: Omit<Around, 'settling'>) {
  let sequence = 0
  /** Auto Scaling brings the instance to its hook. */
  function beginAction(changes: { token?: string; hook?: string; instanceId?: string } = {}) {
    memory.lifecycleActions.begin({
      group: 'media-servers',
      hook: 'drain-calls',
      token: '87654321-4321-4321-4321-210987654320',
      instanceId,
      heartbeatTimeoutSeconds: 300,
      defaultResult: 'ABANDON',
      ...changes,
    })
  }
  async function lifecycle(body: string) {
    await ready
    await handleLifecycle(ports, parseLifecycleMessage(body))
  }
  return {
    beginAction,
    lifecycle,
    async alarm(body: string) {
      await ready
      await handleAlarm(ports, parseAlarmMessage(body))
    },
    /** `order` numbers commands that were all sent when the world began. */
    async command(body: object, order?: number, senderId = alice): Promise<CommandOutcomeRow> {
      await ready
      sequence += 1
      return handleCommand(ports, {
        body: JSON.stringify(body),
        senderId,
        sentAt: order === undefined ? clock.now() : startedAt,
        sequence: String(order ?? sequence).padStart(20, '0'),
      })
    },
    /** The instance comes to its terminate hook and its event is delivered. */
    async scaleIn() {
      beginAction()
      await lifecycle(message('lifecycle-terminate-scale-in'))
    },
    /** As a queue delivers a message: again until it is taken. */
    async deliver(work: () => Promise<unknown>, everyMs: number = 1 * seconds): Promise<void> {
      for (let tries = 1; ; tries++) {
        try {
          await work()
          return
        } catch (error) {
          if (tries === 40) throw error
          await clock.sleep(everyMs)
        }
      }
    },
  }
}
