import { AsyncLocalStorage } from 'node:async_hooks'
import type { MemoryClock } from '../memory/clock.ts'
import type { Faults } from './faults.ts'
import { RunTrace } from './incidents.ts'

/**
 * Seconds that each function may take, as they are deployed with RPC timeouts of 3 s: only `settle` reaches
 * edges.
 */
export const timeouts = {
  'lifecycle-events': 36,
  'alarm-events': 36,
  commands: 36,
  look: 52,
  'complete-drain': 52,
  'retire-drain': 52,
  reconcile: 52,
  sweep: 52,
  settle: 240,
} as const
export type FunctionName = keyof typeof timeouts

/** What an invocation came to: `died` where it was killed, or ran into its timeout. */
export type Outcome<T> =
  | { readonly end: 'answered'; readonly answer: T; readonly startedAt: number }
  | { readonly end: 'failed'; readonly error: unknown; readonly startedAt: number }
  | { readonly end: 'died'; readonly startedAt: number }

/**
 * Where a function runs. After an invocation it is frozen with all that was left at work, and thawed by the
 * next one.
 */
interface Sandbox {
  frozen: boolean
  waiting: (() => void)[]
}

interface Run {
  readonly name: FunctionName
  readonly sandbox: Sandbox
  readonly skewMs: number
  readonly trace: RunTrace
  dead: boolean
  readonly die: () => void
}

/**
 * Never resolves. A new promise each time: one for all would keep everybody who ever awaited it in memory.
 */
const never = () => new Promise<never>(() => undefined)

/**
 * Runs functions as Lambda does: each in a sandbox; killed at any call, frozen after its answer, its clock
 * off by a little.
 */
export class Runs {
  /** how often each function was invoked, and how it ended */
  readonly invocations: { readonly name: FunctionName; readonly end: Outcome<unknown>['end'] }[] = []
  /** what each of them did to edges */
  readonly traces: RunTrace[] = []
  /** told of each call that a run begins after it has ended, and its sandbox was thawed */
  onLate: (name: FunctionName, call: string) => void = () => undefined
  private readonly clock: MemoryClock
  private readonly faults: Faults
  private readonly skewsMs: readonly number[]
  private readonly current = new AsyncLocalStorage<Run | undefined>()
  private readonly idle = new Map<FunctionName, Sandbox[]>()
  private count = 0
  private stopped = false

  constructor(clock: MemoryClock, faults: Faults, skewsMs: readonly number[]) {
    this.clock = clock
    this.faults = faults
    this.skewsMs = skewsMs
  }

  /** Nothing that is still at work goes on. */
  stop(): void {
    this.stopped = true
  }

  /** The time as the running function's clock shows it. */
  now(): number {
    return this.clock.now() + (this.current.getStore()?.skewMs ?? 0)
  }

  /** What the running function does is noted in its trace. */
  note(what: (trace: RunTrace, now: number) => void): void {
    const run = this.current.getStore()
    if (run) what(run.trace, this.clock.now())
  }

  /** The running function's trace. */
  currentTrace(): RunTrace | undefined {
    return this.current.getStore()?.trace
  }

  /** Something that happens outside of every function. */
  outside<T>(work: () => T): T {
    return this.current.run(undefined, work)
  }

  async invoke<T>(name: FunctionName, work: () => Promise<T>): Promise<Outcome<T>> {
    if (this.stopped) return never()
    const sandbox = this.idle.get(name)?.pop() ?? { frozen: false, waiting: [] }
    sandbox.frozen = false
    for (const goOn of sandbox.waiting.splice(0)) goOn()
    const skewMs = this.skewsMs[this.count++ % Math.max(1, this.skewsMs.length)] ?? 0
    const startedAt = this.clock.now()
    const trace = new RunTrace(name, startedAt)
    this.traces.push(trace)
    const outcome = await new Promise<Outcome<T>>((resolve) => {
      const died = { end: 'died', startedAt } as const
      const die = () => {
        run.dead = true
        resolve(died)
      }
      const run: Run = { name, sandbox, skewMs, trace, dead: false, die }
      this.running.add(run)
      this.clock.at(startedAt + timeouts[name] * 1000, () => this.kill(run))
      this.current.run(run, work).then(
        (answer) => resolve({ end: 'answered', answer, startedAt }),
        (error: unknown) => resolve({ end: 'failed', error, startedAt }),
      )
    })
    if (outcome.end !== 'answered') trace.isBroken = true
    this.release(sandbox, name, outcome)
    return outcome
  }

  private readonly running = new Set<Run>()

  private release(sandbox: Sandbox, name: FunctionName, outcome: Outcome<unknown>): void {
    for (const run of this.running) if (run.sandbox === sandbox) this.running.delete(run)
    this.invocations.push({ name, end: outcome.end })
    if (outcome.end === 'died') return
    sandbox.frozen = true
    const idle = this.idle.get(name)
    if (idle) idle.push(sandbox)
    else this.idle.set(name, [sandbox])
  }

  private kill(run: Run): void {
    if (this.running.has(run)) run.die()
  }

  /** One call of a port by whichever function is running, with what goes wrong at it. */
  async call<T>(name: string, work: () => Promise<T>, late?: (ms: number) => Promise<T>): Promise<T> {
    const run = this.current.getStore()
    if (!run) return work()
    if (this.isHeld(run)) await this.held(run)
    if (!this.running.has(run)) this.onLate(run.name, name)
    const fault = this.faults.at(name, this.clock.now())
    if (!fault) {
      const answer = await work()
      if (this.isHeld(run)) await this.held(run)
      return answer
    }
    return this.faulty(run, fault, name, work, late)
  }

  /** A wait of the running function. */
  async sleep(ms: number): Promise<void> {
    const run = this.current.getStore()
    await this.clock.sleep(ms)
    if (run && this.isHeld(run)) await this.held(run)
  }

  private async faulty<T>(
    run: Run,
    fault: ReturnType<Faults['at']> & object,
    name: string,
    work: () => Promise<T>,
    late?: (ms: number) => Promise<T>,
  ): Promise<T> {
    run.trace.isBroken = true
    switch (fault.what) {
      case 'refused':
        throw new Error(`${name} is throttled`)
      case 'done later':
        this.clock.at(
          this.clock.now() + fault.ms,
          AsyncLocalStorage.bind(() => void this.outside(work).catch(nobodyWaits)),
        )
        throw new Error(`${name} was not answered`)
      case 'dies before':
        run.die()
        return never()
      case 'slow':
        if (late) return late(fault.ms)
        await this.clock.sleep(fault.ms)
        if (this.isHeld(run)) await this.held(run)
        return work()
      case 'frozen':
        run.sandbox.frozen = true
        await this.clock.sleep(fault.ms)
        run.sandbox.frozen = false
        for (const goOn of run.sandbox.waiting.splice(0)) goOn()
        return work()
      case 'done but an error':
        await work()
        throw new Error(`${name} was not answered`)
      case 'dies after':
        await work()
        run.die()
        return never()
      default:
        return fault.what satisfies never
    }
  }

  private isHeld(run: Run): boolean {
    return run.dead || run.sandbox.frozen || this.stopped
  }

  private async held(run: Run): Promise<void> {
    if (run.dead || this.stopped) return never()
    await new Promise<void>((resolve) => run.sandbox.waiting.push(resolve))
    if (this.isHeld(run)) await this.held(run)
  }
}

/** Whoever asked for it was told that it failed. */
function nobodyWaits(): undefined {
  return undefined
}
