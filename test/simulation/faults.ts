import type { Fault } from './plan.ts'

type CallFault = Extract<Fault, { kind: 'call' }>

/** Which of a plan's faults are due at a call, and how often each was hit. */
export class Faults {
  /** how often something went wrong, by its name */
  readonly hits = new Map<string, number>()
  /** since when nothing has gone wrong, epoch ms */
  lastAt: number
  private readonly startedAt: number
  private readonly calls: { readonly fault: CallFault; left: number }[]
  private readonly ports: readonly Extract<Fault, { kind: 'port' }>[]

  constructor(faults: readonly Fault[], startedAt: number) {
    this.startedAt = startedAt
    this.lastAt = startedAt
    this.calls = faults.flatMap((fault) => (fault.kind === 'call' ? [{ fault, left: fault.nth }] : []))
    this.ports = faults.flatMap((fault) => (fault.kind === 'port' ? [fault] : []))
  }

  hit(name: string, now: number): void {
    this.hits.set(name, (this.hits.get(name) ?? 0) + 1)
    this.lastAt = Math.max(this.lastAt, now)
  }

  /** @returns what goes wrong at this call */
  at(name: string, now: number): Pick<CallFault, 'what' | 'ms'> | undefined {
    const age = now - this.startedAt
    const dot = name.indexOf('.')
    const port = name.slice(0, dot)
    for (const fault of this.ports)
      if (fault.port === port && age >= fault.from && age < fault.to) {
        this.hit(`port refuses: ${port}`, now)
        return { what: 'refused', ms: 0 }
      }
    for (const [index, entry] of this.calls.entries()) {
      const { fault } = entry
      if (age < fault.from || !matches(fault.on, name, port)) continue
      entry.left -= 1
      if (entry.left > 0) continue
      this.calls.splice(index, 1)
      this.hit(`call: ${fault.what}`, now + fault.ms)
      return fault
    }
    return undefined
  }
}

function matches(on: string, name: string, port: string): boolean {
  return on === '*' || on === name || on === `${port}.*`
}
