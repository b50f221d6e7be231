import type { InstanceFacts } from '../../functions/control/instance-life.ts'
import type { WaitingMember } from '../../functions/ports/group-members.ts'
import type { Ports, SweepPorts } from '../../functions/ports/ports.ts'
import { overTheSdk } from '../memory/auto-scaling-sdk.ts'
import type { MemoryClock } from '../memory/clock.ts'
import { createMemoryLifecycleActions } from '../memory/lifecycle-actions.ts'
import { present } from '../present.ts'
import { groupName, hooks, zoneOf } from './messages.ts'
import type { GroupPlan, Plan } from './plan.ts'
import type { Machine, Truth } from './truth.ts'

interface Shown {
  readonly from: number
  readonly facts: InstanceFacts
}

/** How late AWS shows what it knows. */
export function lagOf({ faults }: Plan): number {
  return Math.max(0, ...faults.map((fault) => (fault.kind === 'ec2-lags' ? fault.ms : 0)))
}

/** For so long an inventory without the address may do, and what clocks differ. */
const inventoryIsOldMs = 8000

/**
 * EC2 and Auto Scaling: machines, what EC2 shows of them (late, if the plan says so), and lifecycle actions.
 */
export class Machines {
  readonly actions: ReturnType<typeof createMemoryLifecycleActions>
  private groupDeleted = false
  /** told when a machine is on its way out, and when a launch was completed */
  onGone: (machine: Machine) => void = () => undefined
  onLaunched: (machine: Machine) => void = () => undefined
  private readonly plan: Plan
  private readonly clock: MemoryClock
  private readonly truth: Truth
  private readonly shown = new Map<string, Shown[]>()
  private readonly lagMs: number
  /** when the look began by which this is asked of Auto Scaling */
  private readonly decidedAt: () => number | undefined
  private machineCount = 0
  private actionCount = 0

  constructor(plan: Plan, clock: MemoryClock, truth: Truth, decidedAt: () => number | undefined) {
    this.plan = plan
    this.clock = clock
    this.truth = truth
    this.decidedAt = decidedAt
    this.actions = createMemoryLifecycleActions(clock)
    this.lagMs = lagOf(plan)
  }

  /** A machine on a place. @returns it */
  put(server: number, launchedAt: number, notFoundFor = 0, addressAfter = 0): Machine {
    this.machineCount += 1
    const machine: Machine = {
      id: `i-${this.machineCount.toString(16).padStart(17, '0')}`,
      server,
      launchedAt,
      shownAt: launchedAt + Math.max(notFoundFor, addressAfter > 0 ? addressAfter + inventoryIsOldMs : 0),
    }
    this.truth.machines.push(machine)
    if (notFoundFor + addressAfter > 0)
      this.truth.happened('launch not shown', launchedAt, { server }, launchedAt + notFoundFor + addressAfter)
    const facts: InstanceFacts = {
      instanceId: machine.id,
      launchedAt,
      state: 'running',
      addresses: [this.plan.servers[server]?.address ?? ''],
      taggedDestinations: [],
      group: groupName,
      zone: zoneOf(server),
    }
    const from = launchedAt + notFoundFor - this.lagMs
    this.shown.set(machine.id, [
      { from, facts: addressAfter > 0 ? { ...facts, addresses: [] } : facts },
      ...(addressAfter > 0 ? [{ from: launchedAt + addressAfter - this.lagMs, facts }] : []),
    ])
    return machine
  }

  /** The machine stops: its calls are over, and EC2 shows it in the end. */
  end(machine: Machine): void {
    if (machine.goneAt !== undefined) return
    const now = this.clock.now()
    machine.goneAt = now
    this.truth.endCalls(machine, now)
    const known = present(this.shown.get(machine.id), `machine ${machine.id} in EC2`)
    const { facts } = present(known.at(-1), `facts of machine ${machine.id}`)
    known.push(
      { from: now, facts: { ...facts, state: 'shutting-down' } },
      { from: now + 30_000, facts: { ...facts, state: 'terminated', addresses: [] } },
    )
    this.onGone(machine)
  }

  /** The group is deleted by force, and its machines with it. */
  deleteGroup(): void {
    this.groupDeleted = true
    this.truth.happened('group deleted', this.clock.now(), {}, Number.POSITIVE_INFINITY)
    for (const machine of this.truth.machines) this.end(machine)
  }

  factsOf(instanceId: string): InstanceFacts | undefined {
    const at = this.clock.now() - this.lagMs
    return this.shown.get(instanceId)?.findLast(({ from }) => from <= at)?.facts
  }

  allFacts(): readonly InstanceFacts[] {
    return [...this.shown.keys()].flatMap((id) => this.factsOf(id) ?? [])
  }

  /** A machine comes to a hook. @returns the action's token */
  begin(machine: Machine, kind: 'terminate' | 'launch'): string {
    if (kind === 'terminate') this.endLaunch(machine)
    this.actionCount += 1
    const token = `00000000-0000-4000-8000-${String(this.actionCount).padStart(12, '0')}`
    const { callsLeft, unknown, heartbeatTimeoutSeconds } = this.plan.group
    const retains = callsLeft === 'retain' || unknown === 'retain'
    this.actions.begin({
      group: groupName,
      hook: hooks[kind],
      token,
      instanceId: machine.id,
      heartbeatTimeoutSeconds,
      defaultResult: kind === 'launch' || !retains ? 'CONTINUE' : 'ABANDON',
    })
    this.truth.waits.push({ machine, kind, token, from: this.clock.now() })
    return token
  }

  /** One that is scaled in while it waits at the launch hook waits there no more. */
  private endLaunch(machine: Machine): void {
    const wait = this.truth.waits.findLast((one) => one.machine === machine && one.kind === 'launch')
    if (wait && !wait.ended) this.completedByOthers(machine, wait.token, 'ABANDON')
  }

  /** Somebody else completes a launch. */
  completedByOthers({ id }: Machine, token: string, result: 'CONTINUE' | 'ABANDON' = 'CONTINUE'): void {
    const target = { group: groupName, hook: hooks.launch, token, instanceId: id }
    this.byOthers.add(token)
    void this.actions.complete(target, result).then(() => this.look())
  }

  /** Auto Scaling's API, as the deployed adapter calls it. */
  port(): Ports['lifecycleActions'] {
    return overTheSdk(
      {
        active: () => this.actions.active(),
        heartbeat: (target) => this.actions.heartbeat(target),
        complete: async (target, result) => {
          const outcome = await this.actions.complete(target, result)
          this.look()
          return outcome
        },
        terminate: async (instanceId) => {
          const machine = this.truth.machines.find(({ id }) => id === instanceId)
          if (!machine || machine.goneAt !== undefined) return 'over'
          this.goes(machine, { how: 'TERMINATE', by: 'completion', at: this.clock.now() })
          return this.actions.terminate(instanceId)
        },
      },
      () => (this.groupDeleted ? { notFound: groupName } : undefined),
    )
  }

  /** What Auto Scaling shows of the group, as late as EC2. */
  members(): SweepPorts['groupMembers'] {
    return {
      waiting: async () => {
        this.look()
        const at = this.clock.now() - this.lagMs
        return this.groupDeleted ? [] : this.truth.machines.flatMap((machine) => this.memberAt(machine, at))
      },
    }
  }

  private memberAt(machine: Machine, at: number): WaitingMember[] {
    const { waits, goings } = this.truth
    const of = { group: groupName, instanceId: machine.id }
    const wait = waits.findLast((one) => one.machine === machine && one.from <= at)
    if (wait && (wait.ended?.at ?? Number.POSITIVE_INFINITY) > at)
      return [{ ...of, state: wait.kind === 'launch' ? 'pending-wait' : 'terminating-wait' }]
    const isThere = (machine.goneAt ?? Number.POSITIVE_INFINITY) > at
    const isRetained = goings.some((going) => going.machine === machine && going.at <= at)
    return isThere && isRetained ? [{ ...of, state: 'retained' }] : []
  }

  private readonly byOthers = new Set<string>()
  private seen = 0

  /** What has ended since it was looked at last, by expiry too. */
  look(): void {
    const ended = this.actions.ended()
    for (; this.seen < ended.length; this.seen += 1) {
      const action = ended[this.seen]
      const machine = this.truth.machines.find(({ id }) => id === action?.instanceId)
      if (!action || !machine) continue
      const wait = this.truth.waits.find(({ token }) => token === action.token)
      const others = this.byOthers.has(action.token) ? 'others' : 'us'
      if (wait) wait.ended = { at: action.at, by: action.by === 'expiry' ? 'expiry' : others }
      if (action.hook === hooks.launch) {
        if (action.result === 'CONTINUE') this.onLaunched(machine)
        continue
      }
      this.goes(machine, { how: action.result, by: action.by, at: action.at, token: action.token })
    }
  }

  private goes(
    machine: Machine,
    going: {
      how: 'CONTINUE' | 'ABANDON' | 'TERMINATE'
      by: 'completion' | 'expiry'
      at: number
      token?: string
    },
  ): void {
    const decidedAt = this.decidedAt()
    this.truth.goings.push({
      machine,
      ...going,
      ...(decidedAt !== undefined && { decidedAt }),
      callsUp: this.truth.calls.filter(
        (call) => call.machine === machine && call.from <= going.at && call.to > going.at,
      ),
      deadMachine: machine.goneAt !== undefined,
    })
    const { callsLeft, unknown } = this.plan.group
    const kept = going.how === 'ABANDON' && (callsLeft === 'retain' || unknown === 'retain')
    if (!kept) this.end(machine)
  }
}

/** From when on the group's policy may let a machine go with what is left. */
export function policyCutsFrom(
  { callsLeft, unknown }: GroupPlan,
  deadlineAt: number,
  endingMs: number,
): number {
  if (callsLeft === 'terminate' || unknown === 'terminate') return deadlineAt
  return callsLeft === 'end-calls' ? deadlineAt + endingMs : Number.POSITIVE_INFINITY
}
