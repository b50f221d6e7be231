// Runs inside a network namespace: starts a Kamailio there, goes through a plan, writes down what it saw.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { type Child, startChild, untilReady } from '../../../lab/programs/leash.ts'
import { send } from '../../../lab/sip/edge-rpc.ts'
import { ask, type PlacedCall, place, startServer } from './sip.ts'
import { type Observation, type Plan, planSchema, type Step } from './steps.ts'

const [planFile = '', observationFile = ''] = process.argv.slice(2)
const plan = planSchema.parse(JSON.parse(readFileSync(planFile, 'utf8')))
writeFileSync(observationFile, JSON.stringify(await observe(plan)))
process.exit(0)

async function observe(plan: Plan): Promise<Observation> {
  run('ip', 'link', 'set', 'lo', 'up')
  for (const address of plan.addresses) run('ip', 'addr', 'add', `${address}/32`, 'dev', 'lo')
  // Other machines: reachable, but no interface has their address, so Kamailio does not bind it.
  run('ip', 'route', 'add', 'local', '10.0.0.0/16', 'dev', 'lo')
  const kamailio = await startKamailio(plan)
  try {
    // Before the SIP servers: every socket of the namespace is Kamailio's.
    const sockets = ['udp', 'tcp', 'udp6', 'tcp6'].flatMap(listening).sort()
    const scene: Scene = { calls: new Map(), invites: [] }
    await Promise.all(
      plan.servers.map((server) =>
        startServer(server, (uri) => scene.invites.push(`${server.host}:${server.port} ${uri}`)),
      ),
    )
    const noted: Record<string, unknown> = {}
    for (const step of plan.steps) noted[step.name] = await take(step, scene)
    return { sockets, noted }
  } finally {
    await kamailio.stop()
  }
}

async function startKamailio({ kamailio, dir, fifo }: Plan): Promise<Child> {
  const argv = [...kamailio, '-f', join(dir, 'kamailio.cfg'), '-DD', '-E', '-Y', dir, '-P', join(dir, 'pid')]
  const child = await startChild({ name: 'kamailio', argv, runDir: dir })
  await untilReady(child, async () => existsSync(fifo) && (await throughFifo('core.uptime')) !== '')
  return child
}

/** TCP sockets that listen (state 0A) and UDP sockets, from the kernel's own tables. */
function listening(table: string): string[] {
  return readFileSync(`/proc/net/${table}`, 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state]) => table.startsWith('udp') || state === '0A')
    .map(([, local = '']) => `${table} ${readable(local)}`)
}

/** `0A00000A:13C4` → `10.0.0.10:5060`; IPv6 stays as the kernel writes it. */
function readable(local: string): string {
  const [address = '', port = ''] = local.split(':')
  const number = Number.parseInt(port, 16)
  if (address.length > 8) return `${address}:${number}`
  const bytes = address.match(/../g)?.reverse() ?? []
  return `${bytes.map((byte) => Number.parseInt(byte, 16)).join('.')}:${number}`
}

interface Scene {
  readonly calls: Map<string, PlacedCall>
  readonly invites: string[]
}

async function take(step: Step, { calls, invites }: Scene): Promise<unknown> {
  switch (step.do) {
    case 'ask':
      return ask(step.via, step)
    case 'call': {
      const call = await place(step.via, step.uri)
      calls.set(step.name, call)
      return call.status
    }
    case 'hang-up': {
      const call = calls.get(step.call)
      const status = await call?.hangUp()
      call?.close()
      return status
    }
    case 'http': {
      const { name, do: _do, from, ...request } = step
      return send(request, { ...request, ...(from === undefined ? {} : { localAddress: from }) }).catch(
        (error: Error) => `no answer: ${error.message}`,
      )
    }
    case 'fifo':
      return JSON.parse(await throughFifo(step.method, step.params))
    case 'invites':
      return invites.splice(0)
    default:
      return step satisfies never
  }
}

/** Kamailio opens the FIFO that the request names, in /tmp, and writes its reply there. */
async function throughFifo(method: string, params: readonly string[] = []): Promise<string> {
  const name = `drop-in-reply-${process.pid}`
  const reply = join('/tmp', name)
  rmSync(reply, { force: true })
  run('mkfifo', '-m', '666', reply)
  // Opened for both, so that opening waits for nobody.
  const replies = await open(reply, 'r+')
  const requests = await open(plan.fifo, 'r+')
  try {
    await requests.write(JSON.stringify({ jsonrpc: '2.0', method, params, reply_name: name, id: 1 }))
    const { buffer, bytesRead } = await replies.read(Buffer.alloc(65_536))
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await Promise.all([replies.close(), requests.close()])
    rmSync(reply)
  }
}

function run(command: string, ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw error ?? new Error(`${command} ${args.join(' ')}: ${stderr}`)
}
