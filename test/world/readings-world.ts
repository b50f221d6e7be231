import { message } from '../contracts/event-files.ts'
import { command, createWorld, facts, minutes, neighbour } from './world.ts'

export const lists = (requests: readonly string[]) =>
  requests.filter((request) => request === 'dispatcher.list').length

/** One destination is held, and no execution goes on. */
export async function drainedWorld() {
  const world = createWorld()
  await world.command(command('command-drain-destination'))
  await world.pass(1 * minutes)
  world.stop()
  return { world, hold: await world.hold() }
}

/** Twenty instances, each listed on two edges, each with a call on the first. */
export async function twenty() {
  const ids = Array.from({ length: 20 }, (_, n) => `i-000000000000000${String(n + 10)}`)
  const servers = ids.map((_, n) => ({ set: 1, uri: `sip:10.0.2.${n + 10}:5060` }))
  const world = createWorld({
    edges: [
      { id: 'edge-a', file: servers },
      { id: 'edge-b', file: servers },
    ],
    instances: ids.map((instanceId, n) => facts({ instanceId, addresses: [`10.0.2.${n + 10}`] })),
  })
  for (const { uri } of servers) world.edge('edge-a').callTo(uri)
  const scaleIn = async () => {
    for (const [n, instanceId] of ids.entries()) {
      const token = `${n + 10}111111-1111-1111-1111-111111111111`
      world.beginAction({ instanceId, token })
      await world.lifecycle(
        message('lifecycle-terminate-scale-in', { EC2InstanceId: instanceId, LifecycleActionToken: token }),
      )
    }
  }
  return { world, scaleIn }
}

/** Two destinations are held for a while, and no execution goes on. */
export async function twoDrained() {
  const world = createWorld()
  await world.command(command('command-drain-destination', { id: 'd-1' }))
  await world.command(command('command-drain-destination', { id: 'd-2', destination: neighbour }))
  await world.pass(1 * minutes)
  world.stop()
  await world.pass(1 * minutes)
  return world
}
