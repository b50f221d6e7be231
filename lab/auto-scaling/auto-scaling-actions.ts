import { randomUUID } from 'node:crypto'
import { ApiError } from './auto-scaling-query.ts'
import type {
  ActionEnd,
  Completion,
  Faults,
  Hook,
  Instance,
  LifecycleAction,
  LifecycleResult,
} from './auto-scaling-types.ts'

const longestActionMs = 48 * 3600 * 1000

interface Pending {
  action: Writable<LifecycleAction> & {
    published: number[]
    heartbeats: { at: number; ignored: boolean }[]
    completions: Completion[]
  }
  resolve: (end: ActionEnd) => void
  expiry: NodeJS.Timeout | undefined
  early: NodeJS.Timeout | undefined
}
type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** Which action a call means: by its token, or, without one, by the instance. */
export interface ActionAddress {
  readonly group: string
  readonly hook: string
  readonly token: string | undefined
  readonly instanceId: string | undefined
}

/**
 * Every lifecycle action since the start: starts, prolongs, completes and expires them as Auto Scaling does.
 */
export class LifecycleActions {
  readonly #all: Pending[] = []
  readonly #faults: Faults

  constructor(faults: Faults) {
    this.#faults = faults
  }

  history(): readonly LifecycleAction[] {
    return this.#all.map(({ action }) => action)
  }

  /** Puts one instance under one hook; the clock of its heartbeat timeout runs from here. */
  start(instance: Instance, hook: Hook): LifecycleAction {
    const startedAt = Date.now()
    const timeoutMs = hook.heartbeatTimeoutSeconds * 1000
    const { promise, resolve } = Promise.withResolvers<ActionEnd>()
    const pending: Pending = {
      action: {
        token: randomUUID(),
        hook,
        group: instance.group,
        instanceId: instance.id,
        transition: hook.transition,
        startedAt,
        deadlineAt: startedAt + Math.min(longestActionMs, 100 * timeoutMs),
        expiresAt: startedAt + timeoutMs,
        published: [],
        heartbeats: [],
        completions: [],
        end: undefined,
        ended: promise,
      },
      resolve,
      expiry: undefined,
      early: undefined,
    }
    this.#all.push(pending)
    this.#expireLater(pending)
    if (this.#faults.endEarlyMs !== undefined)
      pending.early = setTimeout(() => this.#end(pending, 'CONTINUE', 'ended-early'), this.#faults.endEarlyMs)
    return pending.action
  }

  published(token: string, at: number): void {
    this.#all.find(({ action }) => action.token === token)?.action.published.push(at)
  }

  /**
   * Restarts the heartbeat timeout, up to the global maximum.
   * @throws ApiError ValidationError when no such action is active
   */
  heartbeat(address: ActionAddress): void {
    const pending = this.#active(address)
    const ignored = this.#faults.ignoreHeartbeats
    pending.action.heartbeats.push({ at: Date.now(), ignored })
    if (ignored) return
    const prolonged = Date.now() + pending.action.hook.heartbeatTimeoutSeconds * 1000
    pending.action.expiresAt = Math.min(prolonged, pending.action.deadlineAt)
    this.#expireLater(pending)
  }

  /**
   * Ends an action with a result.
   * @throws ApiError ValidationError when no such action is active, ResourceContention when that fault is
   * planted
   */
  complete(address: ActionAddress, result: LifecycleResult): void {
    const at = Date.now()
    const by = address.token === undefined ? 'instance' : 'token'
    const last = this.#all.findLast(({ action }) => isMeant(action, address))
    if (last === undefined || last.action.end !== undefined) {
      last?.action.completions.push({ at, by, result, answer: 'ValidationError' })
      throw noActiveAction(address)
    }
    if (this.#isContended(last.action, at)) {
      last.action.completions.push({ at, by, result, answer: 'ResourceContention' })
      throw new ApiError(
        'ResourceContention',
        `You already have a pending update to an Auto Scaling resource (group ${address.group}).`,
        500,
      )
    }
    last.action.completions.push({ at, by, result, answer: 'accepted' })
    this.#end(last, result, 'completed')
  }

  /** Ends what is still active of an instance: one ABANDON ends the actions of all hooks. */
  endOthers(instanceId: string): void {
    for (const pending of this.#all)
      if (pending.action.instanceId === instanceId) this.#end(pending, 'ABANDON', 'other-hook')
  }

  /** Stops every clock; active actions stay without an end. */
  close(): void {
    for (const pending of this.#all) stopClocks(pending)
  }

  #isContended(action: LifecycleAction, at: number): boolean {
    if (at - action.startedAt < this.#faults.refuseCompletionForMs) return true
    if (this.#faults.contention === 0) return false
    this.#faults.contention--
    return true
  }

  #active(address: ActionAddress): Pending {
    const pending = this.#all.find(({ action }) => action.end === undefined && isMeant(action, address))
    if (pending === undefined) throw noActiveAction(address)
    return pending
  }

  #expireLater(pending: Pending): void {
    const { action } = pending
    clearTimeout(pending.expiry)
    // Node's timers hold at most 2^31 - 1 ms (24.8 days); the longest action is 48 h.
    pending.expiry = setTimeout(
      () => this.#end(pending, action.hook.defaultResult, 'expired-default'),
      action.expiresAt - Date.now(),
    )
  }

  #end(pending: Pending, result: LifecycleResult, cause: ActionEnd['cause']): void {
    if (pending.action.end !== undefined) return
    stopClocks(pending)
    const end = { at: Date.now(), result, cause }
    pending.action.end = end
    pending.resolve(end)
  }
}

function stopClocks(pending: Pending): void {
  clearTimeout(pending.expiry)
  clearTimeout(pending.early)
}

function isMeant(action: LifecycleAction, address: ActionAddress): boolean {
  if (action.group !== address.group || action.hook.name !== address.hook) return false
  return address.token === undefined
    ? action.instanceId === address.instanceId
    : action.token === address.token
}

function noActiveAction({ token, instanceId }: ActionAddress): ApiError {
  const which = token === undefined ? `instance ID ${instanceId}` : `token ${token}`
  return new ApiError('ValidationError', `No active Lifecycle Action found with ${which}`, 400)
}
