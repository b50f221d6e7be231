import { call, invite } from './calls.ts'
import { Commands, type Of, type ToSend } from './command-happenings.ts'
import { toEdge } from './edge-happenings.ts'
import { actionMessage, alarmMessage, hooks, resultMessage, senderIds } from './messages.ts'
import type { Delivery, Happening } from './plan.ts'
import type { FunctionName } from './runs.ts'
import type { Machine, Meaning, Sent } from './truth.ts'
import type { World } from './world.ts'

/** After so long at most it is known that an execution hangs. */
const noticedMs = 300_000

/** Does to a world what its plan says, each thing at its time. */
export function plantHappenings(world: World): void {
  const cast = new Cast(world)
  for (const happening of world.plan.happenings)
    world.clock.at(world.startedAt + happening.at, () =>
      world.runs.outside(() => {
        world.faults.hit(`world: ${happening.kind}`, world.clock.now())
        cast.play(happening)
      }),
    )
}

class Cast {
  private readonly world: World
  private order = 0
  /** how the termination of each machine is announced */
  private readonly announcements = new Map<Machine, Delivery>()
  private readonly launchAnnouncements = new Map<Machine, Delivery>()
  private readonly launches: Of<'launch'>[] = []
  private readonly commands: Commands

  constructor(world: World) {
    this.world = world
    this.commands = new Commands(
      world,
      (...message) => this.send(...message),
      () => this.order + 1,
    )
    world.machines.onGone = (machine) => this.gone(machine)
    world.machines.onLaunched = (machine) => this.launched(machine)
  }

  play(happening: Happening): void {
    const { world } = this
    switch (happening.kind) {
      case 'call':
        call(world, happening)
        break
      case 'invite':
        invite(world, happening)
        break
      case 'message': {
        const machine = world.truth.machineAt(happening.server)
        if (machine) machine.hadMessage = true
        break
      }
      case 'scale-in':
        this.scaleIn(happening)
        break
      case 'machine-dies': {
        const machine = world.truth.machineAt(happening.server)
        if (!machine) break
        this.announcements.set(machine, happening.gone)
        world.truth.happened('machine dies', this.now, { server: machine.server })
        world.machines.end(machine)
        break
      }
      case 'launch':
        this.launches.push(happening)
        this.launchWhereGone(happening.server)
        break
      case 'group-deleted':
        world.machines.deleteGroup()
        break
      case 'row-lost': {
        const machine = world.truth.machineAt(happening.server)
        if (!machine) break
        world.truth.happened('row lost', this.now, { server: machine.server }, Number.POSITIVE_INFINITY)
        world.store.lose(`lifecycle/${machine.id}/${hooks.terminate}`)
        break
      }
      case 'alarm':
        this.alarm(happening)
        break
      case 'alarm-ends':
        world.truth.alarms.push({ server: happening.server, at: this.now, state: happening.how })
        break
      case 'executions-end':
        this.endExecutions(happening)
        break
      case 'operator':
        this.commands.operator(happening)
        break
      case 'many':
        this.commands.many(happening)
        break
      case 'reload-command':
      case 'release-command':
        this.commands.command(happening)
        break
      case 'freeze':
      case 'unfreeze':
        this.commands.freeze(happening)
        break
      default: {
        const body = toEdge(world, happening)
        if (body !== undefined && 'delivery' in happening)
          this.send('lifecycle-events', { body }, happening.delivery, { kind: 'edges-changed' })
      }
    }
  }

  private get now(): number {
    return this.world.clock.now()
  }

  private send(name: FunctionName, message: ToSend, delivery: Delivery, about: Meaning): void {
    const sent: Sent = { about, order: ++this.order, sentAt: this.now, pending: 0, copies: delivery.length }
    this.world.truth.sent.push(sent)
    const { sender = 0, ...rest } = message
    const whole = { ...rest, senderId: senderIds[sender] ?? senderIds[0], sentAt: this.now }
    this.world.queues.send(name, whole, delivery, sent)
    if (about.kind === 'launch') for (const delay of delivery) this.noteLate(about.machine, delay)
  }

  /** A launch that is told when its machine is on its way out already. */
  private noteLate(machine: Machine, delay: number): void {
    const { truth, clock } = this.world
    clock.at(this.now + delay, () => {
      if (machine.goneAt !== undefined || this.announcements.has(machine))
        truth.happened('launch told late', this.now, { server: machine.server }, Number.POSITIVE_INFINITY)
    })
  }

  private scaleIn({ server, delivery, gone }: Of<'scale-in'>): void {
    const { truth, machines, plan } = this.world
    const machine = truth.machineAt(server)
    if (!machine || this.announcements.has(machine)) return
    this.announcements.set(machine, gone)
    const token = machines.begin(machine, 'terminate')
    const deadlineAt = Math.floor(this.now / 1000) * 1000 + plan.group.drainDeadlineSeconds * 1000
    const body = actionMessage('terminate', machine.id, token, this.now)
    this.send('lifecycle-events', { body }, delivery, { kind: 'terminate', machine, token, deadlineAt })
  }

  private gone(machine: Machine): void {
    const delivery = this.announcements.get(machine)
    if (delivery)
      this.send(
        'lifecycle-events',
        { body: resultMessage('terminated', machine.id, this.now) },
        delivery.map((delay) => delay + 31_000),
        { kind: 'terminated', machine },
      )
    this.launchWhereGone(machine.server)
  }

  /** An address goes to a new machine once nobody has it. */
  private launchWhereGone(server: number): void {
    if (this.world.truth.machineAt(server)) return
    const index = this.launches.findIndex((launch) => launch.server === server)
    const [launch] = index === -1 ? [] : this.launches.splice(index, 1)
    if (launch)
      this.world.clock.at(this.now + launch.after, () => this.world.runs.outside(() => this.launch(launch)))
  }

  private launch(happening: Of<'launch'>): void {
    const { server, delivery, successful, notFoundFor, addressAfter, completedAfter } = happening
    const { machines, truth, plan, faults } = this.world
    if (truth.machineAt(server)) return
    faults.hit('world: address recycled', this.now)
    truth.happened('address recycled', this.now, { server })
    const machine = machines.put(server, this.now, notFoundFor, addressAfter)
    this.launchAnnouncements.set(machine, successful)
    if (!plan.group.launchHook) {
      this.launched(machine)
      return
    }
    const token = machines.begin(machine, 'launch')
    if (completedAfter !== undefined)
      this.world.clock.at(this.now + completedAfter, () =>
        this.world.runs.outside(() => machines.completedByOthers(machine, token)),
      )
    const body = actionMessage('launch', machine.id, token, this.now)
    this.send('lifecycle-events', { body }, delivery, { kind: 'launch', machine, token })
  }

  private launched(machine: Machine): void {
    const delivery = this.launchAnnouncements.get(machine) ?? []
    const body = resultMessage('launched', machine.id, this.now, machine.launchedAt)
    this.send('lifecycle-events', { body }, delivery, { kind: 'launch', machine })
  }

  private alarm({ server, state, delivery }: Of<'alarm'>): void {
    const machine = this.world.truth.machineAt(server)
    const shown = this.world.truth.alarmAt(server, this.now)
    // No alarm changes twice in one millisecond: nobody could tell which state is the later one.
    if (!machine || shown?.state === 'deleted' || shown?.at === this.now) return
    this.world.truth.alarms.push({ server, at: this.now, state })
    this.send(
      'alarm-events',
      { body: alarmMessage(`alarm-${server}`, state, machine.id, this.now) },
      delivery,
      {
        kind: 'alarm',
        server,
        machine,
        state,
      },
    )
  }

  private endExecutions({ server, how }: Of<'executions-end'>): void {
    const { truth, executions, faults } = this.world
    const ids = truth.machines.flatMap((machine) => (machine.server === server ? [machine.id] : []))
    const isMeant = (drainId: string) =>
      drainId === `alarm/alarm-${server}` || ids.some((id) => drainId.includes(id))
    truth.happened('execution stopped', this.now, { server })
    faults.lastAt = Math.max(faults.lastAt, this.now + (how === 'hangs' ? noticedMs : 0))
    executions.leave(isMeant, how)
  }
}
