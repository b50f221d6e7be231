import type { AutoScaling } from '../auto-scaling/auto-scaling.ts'
import type { Instance } from '../auto-scaling/auto-scaling-types.ts'
import type { ServerPlan } from '../plan/fleet-plan.ts'
import type { MediaServer } from '../sip/calls.ts'

/** One address of the fleet: the machine that has it now, and the SIP server that runs on it. */
export interface Machine {
  readonly plan: ServerPlan
  /** As in dispatcher.list; the same for each machine that has had the address. */
  readonly uri: string
  /** The SIP server's name in the ledger: `ms-1`, for its replacement `ms-1.2`. */
  serverName: string
  server: MediaServer
  /** Undefined until its instance is known to the simulator. */
  instance: Instance | undefined
  generation: number
}

/** The machines of the lab by name. */
export class Machines {
  readonly #machines: Map<string, Machine>
  readonly #start: (plan: ServerPlan, name: string, port: number) => Promise<MediaServer>

  constructor(
    machines: readonly Machine[],
    start: (plan: ServerPlan, name: string, port: number) => Promise<MediaServer>,
  ) {
    this.#machines = new Map(machines.map((machine) => [machine.plan.name, machine]))
    this.#start = start
  }

  all(): readonly Machine[] {
    return [...this.#machines.values()]
  }

  named(name: string): Machine {
    const machine = this.#machines.get(name)
    if (machine === undefined) throw new Error(`the lab has no machine "${name}"`)
    return machine
  }

  /** Tells the simulator of machines that were there before its hooks. */
  async register(autoScaling: AutoScaling): Promise<void> {
    for (const machine of this.all()) {
      const { address, group } = machine.plan
      const launched = await autoScaling.launch({ group, privateIp: address, hooked: false })
      machine.instance = launched.instance
    }
  }

  /** Switches the machine off, as EC2 ends it: SIGKILL. */
  async switchOff(instance: Instance): Promise<void> {
    await this.all()
      .find((machine) => machine.instance?.id === instance.id)
      ?.server.kill()
  }

  /** Starts the SIP server of a machine that takes the place, address and port of the one that is gone. */
  async replace(machine: Machine): Promise<void> {
    const name = `${machine.plan.name}.${machine.generation + 1}`
    machine.server = await this.#start(machine.plan, name, machine.server.port)
    machine.serverName = name
    machine.generation += 1
  }
}

/** Its instance, which a machine has from `register` on. */
export function instanceOf(machine: Machine): Instance {
  if (machine.instance === undefined) throw new Error(`${machine.plan.name} has no instance yet`)
  return machine.instance
}
