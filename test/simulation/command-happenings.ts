import { commandMessage, unknownSender } from './messages.ts'
import type { Delivery, Happening } from './plan.ts'
import type { Message } from './queues.ts'
import type { FunctionName } from './runs.ts'
import type { Asked, Machine, Meaning } from './truth.ts'
import type { World } from './world.ts'

export type Of<K extends Happening['kind']> = Extract<Happening, { kind: K }>
export type ToSend = Omit<Message, 'sentAt' | 'senderId'> & { readonly sender?: number | undefined }

/** What operators and programs send to the commands queue. */
export class Commands {
  private readonly world: World
  private readonly send: (name: FunctionName, message: ToSend, delivery: Delivery, about: Meaning) => void
  private readonly nextOrder: () => number

  constructor(world: World, send: Commands['send'], nextOrder: () => number) {
    this.world = world
    this.send = send
    this.nextOrder = nextOrder
  }

  private get now(): number {
    return this.world.clock.now()
  }

  /** As an operator names it. */
  private named({ id, server }: Machine): { instance: string } | { destination: string } {
    const { plan, lists } = this.world
    const place = plan.servers[server]
    if (place?.namedBy !== 'destination') return { instance: id }
    return { destination: lists.lists.uriOf({ server, port: place.port }) }
  }

  /** A command has an id and a place among all that were sent. */
  private sendCommand(
    { delivery, sender }: { readonly delivery: Delivery; readonly sender?: number | undefined },
    group: string,
    command: object,
    about: Meaning,
  ): void {
    const id = `command-${this.nextOrder()}`
    const sequence = String(this.nextOrder()).padStart(20, '0')
    this.send(
      'commands',
      { body: commandMessage({ id, ...command }), group, sequence, sender },
      delivery,
      about,
    )
  }

  freeze(happening: Of<'freeze'> | Of<'unfreeze'>): void {
    const { clock, faults } = this.world
    const { kind } = happening
    const lasts = kind === 'freeze' ? happening.lasts : undefined
    const until = lasts === undefined ? {} : { until: new Date(this.now + lasts).toISOString() }
    this.sendCommand(happening, 'freeze', { command: kind, ...until }, { kind })
    if (lasts === undefined) return
    clock.at(this.now + lasts, () => faults.hit('world: a freeze ends', clock.now()))
  }

  operator(happening: Of<'operator'>): void {
    const { plan, truth } = this.world
    const machine = truth.machineAt(happening.server)
    if (!machine) return
    const isUnknown = (plan.senders?.named ?? false) && happening.sender === unknownSender
    const { body, asked } = this.asked(happening)
    this.sendCommand(
      happening,
      machine.id,
      { ...body, ...this.named(machine) },
      { kind: 'operator', machine, isUnknown, ...asked },
    )
  }

  many(happening: Of<'many'>): void {
    const { whom } = happening
    const { body, asked } = this.asked(happening)
    const [name] = Object.entries(whom).map(([kind, its]) => `${kind}/${its}`)
    this.sendCommand(happening, name ?? '', { ...body, ...whom }, { kind: 'many', whom, ...asked })
  }

  /** What an operator asks for, as a message has it, and as it is meant. */
  private asked({ command, by, force, beginsAfter, endsAfter }: Of<'operator'> | Of<'many'>) {
    const { clock, faults } = this.world
    const [beginsAt, endsAt] = [beginsAfter, endsAfter].map((after) =>
      after === undefined ? undefined : this.now + after,
    )
    // What begins or ends by itself is settled a little later.
    for (const at of [beginsAt, endsAt])
      if (at !== undefined) clock.at(at, () => faults.hit('world: a window begins or ends', at))
    const body = {
      command,
      ...(by && { requestedBy: by }),
      ...(force && { force: 'it burns' }),
      ...(beginsAt !== undefined && { from: new Date(beginsAt).toISOString() }),
      ...(endsAt !== undefined && { until: new Date(endsAt).toISOString() }),
    }
    const asked: Asked = { command, by: by ?? 'alice', beginsAt, endsAt }
    return { body, asked }
  }

  command(happening: Of<'reload-command'> | Of<'release-command'>): void {
    const { plan, truth } = this.world
    const send = (group: string, command: object, about: Meaning) =>
      this.sendCommand(happening, group, command, about)
    const edge = happening.edge === undefined ? undefined : plan.edges[happening.edge]?.id
    if (happening.kind === 'reload-command')
      send(edge ?? 'reload', { command: 'reload', ...(edge && { edge }) }, { kind: 'reload' })
    else if (edge) {
      send(edge, { command: 'release', edge }, { kind: 'release', edge })
      for (const delay of happening.delivery)
        truth.happened(
          'edge released',
          this.now + delay,
          { edge: happening.edge ?? 0 },
          Number.POSITIVE_INFINITY,
        )
    }
  }
}
