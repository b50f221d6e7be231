import {
  actionMessage,
  alarmMessage,
  commandMessage,
  edgesChangedMessage,
  hooks,
  resultMessage,
} from './messages.ts'
import type { Delivery, Happening } from './plan.ts'
import type { Message } from './queues.ts'
import type { FunctionName } from './runs.ts'
import type { Call, Machine, Meaning, Sent } from './truth.ts'
import type { World } from './world.ts'

type Of<K extends Happening['kind']> = Extract<Happening, { kind: K }>

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

  constructor(world: World) {
    this.world = world
    world.machines.onGone = (machine) => this.gone(machine)
    world.machines.onLaunched = (machine) => this.launched(machine)
  }

  play(happening: Happening): void {
    const { world } = this
    switch (happening.kind) {
      case 'call':
        this.call(happening)
        break
      case 'invite':
        this.invite(happening)
        break
      case 'scale-in':
        this.scaleIn(happening)
        break
      case 'machine-dies': {
        const machine = world.truth.machineAt(happening.server)
        if (!machine) break
        this.announcements.set(machine, happening.gone)
        world.machines.end(machine)
        break
      }
      case 'launch':
        this.launches.push(happening)
        this.launchWhereGone(happening.server)
        break
      case 'group-deleted':
        world.machines.groupDeleted = true
        break
      case 'row-lost': {
        const machine = world.truth.machineAt(happening.server)
        if (machine) world.store.lose(`lifecycle/${machine.id}/${hooks.terminate}`)
        break
      }
      case 'alarm':
        this.alarm(happening)
        break
      case 'operator':
      case 'reload-command':
      case 'release-command':
        this.command(happening)
        break
      default:
        this.edge(happening)
    }
  }

  private get now(): number {
    return this.world.clock.now()
  }

  private send(
    name: FunctionName,
    message: Omit<Message, 'sentAt'>,
    delivery: Delivery,
    about: Meaning,
  ): void {
    const sent: Sent = { about, order: ++this.order, sentAt: this.now, pending: 0, copies: delivery.length }
    this.world.truth.sent.push(sent)
    this.world.queues.send(name, { ...message, sentAt: this.now }, delivery, sent)
  }

  private call({ server, edge, out, lasts, moves }: Of<'call'>): void {
    const machine = this.world.truth.machineAt(server)
    if (!machine) return
    const stays = moves ? Math.min(moves.after, lasts) : lasts
    this.begin(machine, edge, out, stays)
    if (!moves || stays >= lasts) return
    this.world.clock.at(this.now + stays, () => {
      if (machine.goneAt === undefined) this.begin(machine, moves.edge, out, lasts - stays)
    })
  }

  private begin(machine: Machine, index: number, out: boolean, lasts: number, known?: number): void {
    const { truth, edges, plan, lists, clock } = this.world
    const edge = edges[index]
    const own = plan.edges[index]
    const server = plan.servers[machine.server]
    if (!edge || !own || !server) return
    const listed = edge.truth().entries.find(({ uri }) => lists.lists.serverOf(uri) === machine.server)
    const uri = listed?.uri ?? lists.lists.uriOf({ server: machine.server, port: server.port })
    const number = known ?? (out ? edge.callFrom(server.address) : edge.callTo(uri))
    const visible = !(out && own.profiles.includes('dst') && !own.profiles.includes('src'))
    const call: Call = { machine, edge: index, out, from: this.now, to: this.now + lasts, number, visible }
    truth.calls.push(call)
    clock.at(call.to, () => edge.hangUp(number))
  }

  private invite({ edge, set, lasts }: Of<'invite'>): void {
    const { edges, lists, truth } = this.world
    const routed = edges[edge]?.invite(set)
    if (!routed) return
    const server = lists.lists.serverOf(routed.uri)
    const machine = server === undefined ? undefined : truth.machineAt(server)
    if (machine) this.begin(machine, edge, false, lasts, routed.call)
    else edges[edge]?.hangUp(routed.call)
  }

  private scaleIn({ server, delivery, gone }: Of<'scale-in'>): void {
    const { truth, machines, plan } = this.world
    const machine = truth.machineAt(server)
    if (!machine || this.announcements.has(machine)) return
    this.announcements.set(machine, gone)
    const token = machines.begin(machine, 'terminate')
    const deadlineAt = Math.floor(this.now / 1000) * 1000 + plan.group.drainDeadlineSeconds * 1000
    const at = Math.floor(this.now / 1000) * 1000
    this.send('lifecycle-events', { body: actionMessage('terminate', machine.id, token, at) }, delivery, {
      kind: 'terminate',
      machine,
      token,
      deadlineAt,
    })
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

  private launch({ server, delivery, successful, notFoundFor, addressAfter }: Of<'launch'>): void {
    const { machines, truth, plan, faults } = this.world
    if (truth.machineAt(server)) return
    faults.hit('world: address recycled', this.now)
    const machine = machines.put(server, this.now, notFoundFor, addressAfter)
    this.launchAnnouncements.set(machine, successful)
    if (!plan.group.launchHook) {
      this.launched(machine)
      return
    }
    const token = machines.begin(machine, 'launch')
    const at = Math.floor(this.now / 1000) * 1000
    this.send('lifecycle-events', { body: actionMessage('launch', machine.id, token, at) }, delivery, {
      kind: 'launch',
      machine,
      token,
    })
  }

  private launched(machine: Machine): void {
    const delivery = this.launchAnnouncements.get(machine) ?? []
    this.send('lifecycle-events', { body: resultMessage('launched', machine.id, this.now) }, delivery, {
      kind: 'launch',
      machine,
    })
  }

  private alarm({ server, state, delivery }: Of<'alarm'>): void {
    const machine = this.world.truth.machineAt(server)
    if (!machine) return
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

  private command(happening: Of<'operator'> | Of<'reload-command'> | Of<'release-command'>): void {
    const { plan, truth } = this.world
    const id = `command-${this.order + 1}`
    const sequence = String(this.order + 1).padStart(20, '0')
    const send = (group: string, command: object, about: Meaning) =>
      this.send(
        'commands',
        { body: commandMessage({ id, ...command }), group, sequence },
        happening.delivery,
        about,
      )
    if (happening.kind === 'operator') {
      const machine = truth.machineAt(happening.server)
      if (!machine) return
      const { command } = happening
      send(machine.id, { command, instance: machine.id }, { kind: 'operator', machine, command })
      return
    }
    const edge = happening.edge === undefined ? undefined : plan.edges[happening.edge]?.id
    if (happening.kind === 'reload-command')
      send(edge ?? 'reload', { command: 'reload', ...(edge && { edge }) }, { kind: 'reload' })
    else if (edge) send(edge, { command: 'release', edge }, { kind: 'release', edge })
  }

  private edge(
    happening:
      | Of<'edge-removed' | 'edge-added'>
      | Of<'restart' | 'stranger-reloads'>
      | Of<'line'>
      | Of<'hand'>,
  ): void {
    const { edges, lists, configured, plan, truth } = this.world
    const index = happening.edge
    const edge = edges[index]
    const id = plan.edges[index]?.id
    if (!edge || id === undefined) return
    switch (happening.kind) {
      case 'edge-removed':
      case 'edge-added': {
        const added = happening.kind === 'edge-added'
        if (added === configured.has(index) || (!added && configured.size === 1)) return
        if (added) configured.add(index)
        else configured.delete(index)
        const body = edgesChangedMessage(id, added ? 'Create' : 'Delete', this.now)
        this.send('lifecycle-events', { body }, happening.delivery, { kind: 'edges-changed' })
        break
      }
      case 'restart':
        lists.restart(index)
        break
      case 'stranger-reloads':
        try {
          edge.strangerReloads()
        } catch {
          // It is too early for another reload, as it would be for anybody.
          return
        }
        return
      case 'line': {
        const line = lists.lists.lineOf(happening.server, index, happening.set)
        if (!line) return
        Object.assign(line, { listed: happening.listed, flags: happening.flags })
        if ('port' in happening) line.port = happening.port
        lists.writeFile(index)
        break
      }
      case 'hand':
        this.hand(happening, truth.edges[index])
    }
  }

  private hand(
    { server, edge, set, state }: Of<'hand'>,
    known: World['truth']['edges'][number] | undefined,
  ): void {
    const { edges, lists } = this.world
    const shown = edges[edge]
      ?.truth()
      .entries.find((entry) => entry.group === set && lists.lists.serverOf(entry.uri) === server)
    if (!shown || !known) return
    const held = lists.heldByUs(edge).has(`${set} ${shown.uri.toLowerCase()}`)
    edges[edge]?.strangerSets(state, set, shown.uri)
    const flags = { a: 'AX', ap: 'AP', i: 'IX', ip: 'IP', d: 'DX' }[state]
    known.byHand(set, shown.uri, flags, held, this.now)
  }
}
