import { Choices } from './choices.ts'
import type { EdgeTruth } from './edge-truth.ts'
import type { Incident, IncidentKind } from './incidents.ts'
import type { Many } from './plan.ts'

/** The true world, apart from what the product or an edge remembers. Times are epoch milliseconds. */

/** One machine on a place for a media server. */
/** A function's clock is off by so much at most, and two of them by twice as much. */
export const clocksDifferMs = 2000

export interface Machine {
  readonly id: string
  readonly server: number
  readonly launchedAt: number
  /** when EC2 shows its address to whoever asks, also by an inventory of a moment ago */
  readonly shownAt: number
  goneAt?: number
  /** it has had a SIP MESSAGE */
  hadMessage?: true
}

export interface Call {
  readonly machine: Machine
  readonly edge: number
  readonly out: boolean
  readonly from: number
  to: number
  /** its number at its edge */
  readonly number: number
  /** what its edge counts a call to it under */
  readonly uri?: string
  /** whether its edge can count it at all */
  readonly visible: boolean
  endedByUs?: number
}

/** A message on its way, with what became of it. */
export interface Sent {
  readonly about: Meaning
  readonly order: number
  readonly sentAt: number
  /** when a copy of it was first given to a function */
  deliveredAt?: number
  /** when a function first took it */
  takenAt?: number
  /** why it was rejected, or `exhausted` */
  rejected?: string
  pending: number
  readonly copies: number
}

/** What a message means for the world. */
export type Meaning =
  | {
      readonly kind: 'terminate'
      readonly machine: Machine
      readonly token: string
      readonly deadlineAt: number
    }
  | { readonly kind: 'launch'; readonly machine: Machine; readonly token?: string }
  | { readonly kind: 'terminated'; readonly machine: Machine }
  | {
      readonly kind: 'alarm'
      readonly server: number
      readonly machine: Machine
      readonly state: 'ALARM' | 'OK'
    }
  | ({
      readonly kind: 'operator'
      readonly machine: Machine
      /** the settings name senders, and not this one */
      readonly isUnknown: boolean
    } & Asked)
  | ({ readonly kind: 'many'; readonly whom: Many } & Asked)
  | { readonly kind: 'reload' | 'edges-changed' | 'freeze' | 'unfreeze' }
  | { readonly kind: 'release'; readonly edge: string }

/** What an operator asks for. */
export interface Asked {
  readonly command: 'drain' | 'activate'
  readonly by: 'alice' | 'bob'
  readonly beginsAt: number | undefined
  readonly endsAt: number | undefined
}

/** What a command was answered, and what its edges showed then. */
export interface Answer {
  /** of its message */
  readonly order: number
  readonly at: number
  readonly edges: readonly {
    readonly edge: number
    readonly outcome: string
    readonly hasDetail: boolean
    /** entries that took new calls then */
    readonly open: readonly { readonly server: number; readonly entry: string }[]
  }[]
}

/** A machine at one of our hooks. */
export interface Waiting {
  readonly machine: Machine
  readonly kind: 'terminate' | 'launch'
  readonly token: string
  readonly from: number
  ended?: { readonly at: number; readonly by: 'us' | 'others' | 'expiry' }
}

/** What a server's alarm shows since then. */
export interface AlarmShown {
  readonly server: number
  readonly at: number
  readonly state: 'ALARM' | 'OK' | 'INSUFFICIENT_DATA' | 'deleted'
}

/** How a machine went: an action that was completed, or a retained machine that was ended. */
export interface Going {
  readonly machine: Machine
  readonly at: number
  readonly how: 'CONTINUE' | 'ABANDON' | 'TERMINATE'
  readonly by: 'completion' | 'expiry'
  readonly token?: string
  /** when the look began that decided it, where there was one */
  readonly decidedAt?: number
  /** the calls that were up then */
  readonly callsUp: readonly Call[]
  /** it was gone by itself before */
  readonly deadMachine: boolean
}

export class Truth {
  readonly edges: readonly EdgeTruth[]
  readonly machines: Machine[] = []
  readonly calls: Call[] = []
  readonly sent: Sent[] = []
  readonly goings: Going[] = []
  readonly waits: Waiting[] = []
  readonly alarms: AlarmShown[] = []
  /** when a write of ours disabled a place on an edge */
  readonly disabled: { readonly edge: number; readonly server: number; readonly at: number }[] = []
  /** edges that got a parameter, or lost it */
  readonly fleet: { readonly edge: number; readonly isAdded: boolean; readonly at: number }[] = []
  readonly answers: Answer[] = []
  readonly choices: Choices
  readonly incidents: Incident[] = []
  /** how many states of ours gave an entry back, or enabled it */
  givenBack = 0
  /** requests that a run began to write to an edge after it had ended */
  readonly lateWrites: { readonly by: string; readonly at: number }[] = []
  /** entries that a write of ours opened although their list, or somebody else, had them disabled */
  readonly opened: {
    readonly edge: number
    readonly entry: string
    readonly server: number | undefined
    readonly at: number
  }[] = []

  constructor(edges: readonly EdgeTruth[]) {
    this.edges = edges
    this.choices = new Choices(edges.length)
  }

  /** Something happened that a violation may come from. */
  happened(
    kind: IncidentKind,
    from: number,
    to: Pick<Incident, 'edge' | 'server'> = {},
    until: number = from,
  ): void {
    this.incidents.push({ kind, from, until, ...to })
  }

  /** The machine that has the place's address now. */
  machineAt(server: number): Machine | undefined {
    return this.machines.findLast((machine) => machine.server === server && machine.goneAt === undefined)
  }

  alarmAt(server: number, at: number): AlarmShown | undefined {
    return this.alarms.findLast((alarm) => alarm.server === server && alarm.at <= at)
  }

  endCalls(machine: Machine, now: number): void {
    for (const call of this.calls) if (call.machine === machine && call.to > now) call.to = now
  }
}
