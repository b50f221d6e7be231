import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'
import { isTooSlow, type LostTime, lostTimeText } from '../referee/lost-time.ts'
import { changeAlarm } from '../scenarios/server-alarm.ts'
import type { Severable } from '../sip/severable-proxy.ts'
import { renderStatus } from '../world/display.ts'
import { instanceOf, type Machine } from '../world/machines.ts'
import type { World } from '../world/world.ts'

/** What a person may have done to a lab that is up. */
export const order = z.discriminatedUnion('name', [
  z.object({ name: z.literal('status'), columns: z.int().min(40) }),
  z.object({ name: z.literal('scale-in'), server: z.string().optional() }),
  z.object({ name: z.literal('launch'), server: z.string().optional() }),
  z.object({ name: z.literal('alarm'), server: z.string(), state: z.enum(['ALARM', 'OK']) }),
  z.object({ name: z.literal('call'), edge: z.string(), seconds: z.int().min(1) }),
  z.object({ name: z.literal('break'), edge: z.string() }),
  z.object({ name: z.literal('mend'), edge: z.string() }),
  z.object({ name: z.literal('stop') }),
])
export type Order = z.output<typeof order>

/** An order that the lab can't follow; the message says what it can. */
export class OrderRefused extends Error {
  override readonly name = 'OrderRefused'
}

/** The edges end calls at 27 s, and so what is longer would be no call that our settings allow. */
export const longestCallSeconds = 25

/** The lab as orders reach it: its world, and the way to each edge's JSON-RPC. */
export interface Reach {
  readonly world: World
  readonly ways: ReadonlyMap<string, Severable>
  /** how much time this machine has taken since the lab is up, and since when (Unix ms) that is */
  readonly lostTime: () => LostTime
  readonly upAt: number
}

/** @returns what came of it, in lines. @throws OrderRefused */
export async function follow(reach: Reach, given: Exclude<Order, { name: 'stop' }>): Promise<string[]> {
  const { world, ways } = reach
  switch (given.name) {
    case 'status':
      return [...renderStatus(world, given.columns), ...tooSlow(reach)]
    case 'scale-in':
      return scaleIn(world, given.server)
    case 'launch':
      return launch(world, given.server)
    case 'alarm': {
      const machine = machineNamed(world, given.server)
      await changeAlarm(world, machine, given.state)
      return [`the alarm of ${given.server} (${machine.uri}) is ${given.state}`]
    }
    case 'call':
      return placeCall(world, given)
    case 'break':
      wayTo(ways, given.edge).sever()
      return [
        `${given.edge} answers no JSON-RPC any more; its calls go on`,
        `npm run lab -- mend ${given.edge}`,
      ]
    case 'mend':
      wayTo(ways, given.edge).mend()
      return [`${given.edge} answers again`]
    default:
      return given satisfies never
  }
}

function tooSlow({ lostTime, upAt }: Reach): string[] {
  const [lost, seconds] = [lostTime(), Math.round((Date.now() - upAt) / 1000)]
  return isTooSlow(lost, seconds)
    ? [
        '',
        'This machine was too slow to judge what is late, failed or cut here:',
        lostTimeText(lost, seconds),
      ]
    : []
}

async function scaleIn(world: World, name: string | undefined): Promise<string[]> {
  const none = 'no server is in service: npm run lab -- status shows them'
  const machine = name === undefined ? anyThat(world, inService, none) : machineNamed(world, name)
  if (!inService(machine))
    throw new OrderRefused(`${machine.plan.name} is not in service: ${stateOf(machine)}`)
  const { id } = instanceOf(machine)
  await world.autoScaling.terminate(id)
  return [
    `Auto Scaling takes ${machine.plan.name} away (${id}, ${machine.uri}):`,
    'it waits at its hook until its last call is over',
    `npx kdc explain ${id}`,
  ]
}

async function launch(world: World, name: string | undefined): Promise<string[]> {
  const none = 'no server is gone: npm run lab -- scale-in has Auto Scaling take one away'
  const machine = name === undefined ? anyThat(world, isGone, none) : machineNamed(world, name)
  if (!isGone(machine))
    throw new OrderRefused(
      `${machine.plan.name} is there still: ${stateOf(machine)}; npm run lab -- scale-in ends it`,
    )
  await world.machines.replace(machine)
  const { group, address } = machine.plan
  const { instance } = await world.autoScaling.launch({ group, privateIp: address })
  machine.instance = instance
  return [
    `Auto Scaling launches ${instance.id} on ${machine.uri}:`,
    'it gets calls once it is let in on every edge',
  ]
}

async function placeCall(
  world: World,
  { edge: name, seconds }: Extract<Order, { name: 'call' }>,
): Promise<string[]> {
  if (seconds > longestCallSeconds)
    throw new OrderRefused(`the edges of the lab end calls at 27 s: ask for ${longestCallSeconds} s at most`)
  const edge = world.edges.find((each) => each.name === name)
  if (!edge) throw new OrderRefused(`there is no edge "${name}": ${names(world.edges)}`)
  const caller = await world.placeCall(edge, seconds * 1000)
  for (let tries = 0; tries < 50; tries++) {
    const call = world.ledger.calls().find((each) => each.caller === caller)
    if (call?.outcome === 'failed') throw new OrderRefused(`the call failed: ${call.why}`)
    if (call?.server !== undefined && call.answeredAt !== undefined)
      return [`a call of ${seconds} s through ${name} is up on ${call.server}`]
    await sleep(100)
  }
  throw new OrderRefused(`the call through ${name} was not answered within 5 s`)
}

function anyThat(world: World, is: (machine: Machine) => boolean, none: string): Machine {
  const machine = world.machines.all().find(is)
  if (!machine) throw new OrderRefused(none)
  return machine
}

function machineNamed(world: World, name: string): Machine {
  const machine = world.machines
    .all()
    .find(({ plan, serverName, uri, instance }) => [plan.name, serverName, uri, instance?.id].includes(name))
  if (machine) return machine
  throw new OrderRefused(
    `there is no server "${name}": ${world.machines
      .all()
      .map(({ plan }) => plan.name)
      .join(', ')}`,
  )
}

function wayTo(ways: Reach['ways'], edge: string): Severable {
  const way = ways.get(edge)
  if (way) return way
  throw new OrderRefused(`there is no edge "${edge}": ${[...ways.keys()].join(', ')}`)
}

function names(all: readonly { readonly name: string }[]): string {
  return all.map(({ name }) => name).join(', ')
}

function stateOf({ instance }: Machine): string {
  return instance?.lifecycleState ?? 'unknown'
}

function inService(machine: Machine): boolean {
  return stateOf(machine) === 'InService'
}

function isGone(machine: Machine): boolean {
  return stateOf(machine) === 'Terminated'
}
