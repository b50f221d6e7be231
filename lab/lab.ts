import { Command, Option } from 'commander'
import { environmentFile, labThatIsUp, NoLab, openLabDoor, orderLab } from './playground/door.ts'
import { feedEvents } from './playground/feed.ts'
import { makeHealthy } from './playground/healthy.ts'
import { type Order, OrderRefused } from './playground/orders.ts'
import type { KamailioRelease } from './programs/program.ts'
import { watchLostTime, whyBusy } from './referee/lost-time.ts'
import { type Severable, startSeverableProxy } from './sip/severable-proxy.ts'
import { openDisplay, sizeOf } from './world/display.ts'
import { type World, withWorld } from './world/world.ts'

function print(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`)
}

/** The lab stays up until somebody stops it. */
async function up({ kamailio }: { readonly kamailio: KamailioRelease }): Promise<void> {
  const pid = labThatIsUp()
  if (pid !== undefined)
    throw new OrderRefused(`a lab is up in this folder already (process ${pid}): npm run lab -- stop`)
  const { log, close } = openDisplay(process.stdout, process.env)
  const ways = new Map<string, Severable>()
  const stopped = Promise.withResolvers<void>()
  endOnSignals(stopped.resolve)
  const inFrontOf = async (edge: Parameters<typeof startSeverableProxy>[0]) => {
    const way = await startSeverableProxy(edge)
    ways.set(edge.name, way)
    return way
  }
  const busy = await whyBusy()
  if (busy !== undefined) log(busy)
  await withWorld({ kamailio, inFrontOf, log }, async (world) => {
    close()
    await makeHealthy(world)
    const lostTime = watchLostTime()
    const reach = { world, ways, lostTime: lostTime.soFar, upAt: Date.now() }
    const closeDoor = await openLabDoor(reach, stopped.resolve)
    print(...howTo(world))
    const endFeed = feedEvents(world, print, () => sizeOf(process.stdout.columns))
    await stopped.promise
    print('the lab stops')
    await endFeed()
    await closeDoor()
    await lostTime.close()
  })
  print('the lab has stopped; nothing of it runs any more')
}

/** Programs on the leash end with this process; the second signal does not wait. */
function endOnSignals(stop: () => void): void {
  let signals = 0
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      signals += 1
      if (signals > 1 || labThatIsUp() !== process.pid) process.exit(130)
      stop()
    })
}

function howTo({ machines, edges }: World): string[] {
  const [first, second, third] = machines.all()
  const [, edge] = edges
  if (!first || !second || !third || !edge) throw new Error('the lab has too little to show')
  const commands: readonly (readonly [string, string])[] = [
    [`. ${environmentFile}`, 'points this terminal at the lab'],
    ['npx kdc status', 'edges, drains, holds'],
    ['npx kdc doctor', 'what is wrong, and what mends it'],
    [`npx kdc drain ${first.uri} -m 'to try it' --wait=drained`, 'until its last call is over'],
    [`npx kdc activate ${first.uri}`, 'it gets calls again'],
    [
      `npm run lab -- scale-in ${second.plan.name}`,
      'Auto Scaling takes a server away; launch brings one back',
    ],
    [`npm run lab -- alarm ${third.plan.name}`, 'its alarm fires; with --ok it is over'],
    ['npm run lab -- call', 'one more call'],
    [`npm run lab -- break ${edge.name}`, 'nobody answers its JSON-RPC; mend ends it'],
    ['npm run lab -- status', 'servers and their calls, as the lab sees them'],
    ['npm run lab -- stop', 'or Ctrl-C here'],
  ]
  return [
    '',
    'The lab is up, and callers place calls. In another terminal, in this folder:',
    '',
    ...commands.flatMap(([command, what]) => [`  # ${what}`, `  ${command}`]),
    '',
    'What the control plane publishes:',
  ]
}

const program = new Command('lab')
  .description(
    'A lab to play with: real edges, media servers under calls, and the app deployed on an emulated AWS. Without a command it starts, and stays up.',
  )
  .addOption(
    new Option('--kamailio <release>', 'Kamailio of the edges').choices(['6.1', '5.6']).default('6.1'),
  )
  .allowExcessArguments()
  .action(async (options: { readonly kamailio: KamailioRelease }, { args: [name] }: Command) => {
    if (name !== undefined)
      throw new OrderRefused(
        `there is no command "${name}": ${program.commands.map((each) => each.name()).join(', ')}`,
      )
    await up(options)
  })

function wholeSeconds(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  throw new OrderRefused(`--seconds takes a whole number, and not "${text}"`)
}

const orders =
  (given: (...words: string[]) => Order) =>
  async (...words: string[]) =>
    print(...(await orderLab(given(...words))))

program
  .command('status')
  .description('servers and their calls, as the lab sees them')
  .action(orders(() => ({ name: 'status', columns: Math.max(40, sizeOf(process.stdout.columns) ?? 160) })))
program
  .command('scale-in [server]')
  .description('Auto Scaling takes a server away')
  .action(orders((server) => ({ name: 'scale-in', server })))
program
  .command('launch [server]')
  .description('Auto Scaling launches a machine on the address of one that is gone')
  .action(orders((server) => ({ name: 'launch', server })))
program
  .command('alarm <server>')
  .description("a server's alarm fires")
  .option('--ok', 'it is over', false)
  .action(async (server: string, { ok }: { readonly ok: boolean }) =>
    print(...(await orderLab({ name: 'alarm', server, state: ok ? 'OK' : 'ALARM' }))),
  )
program
  .command('call [edge]')
  .description('one more call, through an edge (edge-a if left out)')
  .option('--seconds <n>', 'how long it is up, 25 at most', '20')
  .action(async (edge: string | undefined, { seconds }: { readonly seconds: string }) =>
    print(...(await orderLab({ name: 'call', edge: edge ?? 'edge-a', seconds: wholeSeconds(seconds) }))),
  )
program
  .command('break <edge>')
  .description("nobody answers the edge's JSON-RPC; its calls go on")
  .action(orders((edge = '') => ({ name: 'break', edge })))
program
  .command('mend <edge>')
  .description('its JSON-RPC is answered again')
  .action(orders((edge = '') => ({ name: 'mend', edge })))
program
  .command('stop')
  .description('ends the lab, and all that it started')
  .action(orders(() => ({ name: 'stop' })))

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof Error)) throw error
  const isExpected = error instanceof OrderRefused || error instanceof NoLab
  process.stderr.write(`lab: ${isExpected ? error.message : `${error.name}: ${error.message}`}\n`)
  process.exitCode = 1
}
