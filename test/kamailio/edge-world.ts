import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RpcTransport } from '../../functions/contracts/rpc.ts'
import { type DestinationUri, destinationUri } from '../../functions/control/destination.ts'
import { createEdge, type KamailioEdge } from '../../functions/kamailio/dispatcher.ts'
import { createHttpTransport } from '../../functions/kamailio/http-transport.ts'
import type { KamailioRelease } from '../../lab/programs/program.ts'
import type { Tools } from '../../lab/programs/provision.ts'
import { openLedger } from '../../lab/sip/call-ledger.ts'
import { type Caller, startCaller, startMediaServer } from '../../lab/sip/calls.ts'
import { type DispatcherEntry, type EdgeSpec, type Edge as LabEdge, startEdge } from '../../lab/sip/edge.ts'
import type { EdgePlaces, EdgeRequest, EdgeWorld, FileLine, LiveCalls } from '../port-contracts/edge.ts'

export const secret = 'the-secret-of-this-test'

/** A folder, two media servers and a phone, for edges of any release. */
export async function openGround(tools: Tools) {
  const runDir = mkdtempSync(join(tmpdir(), 'kamailio-client-'))
  const ledger = openLedger()
  const sip = { sipp: tools.sipp, runDir, ledger }
  const [first, second, phone] = await Promise.all([
    startMediaServer(sip, { name: 'first', address: '127.0.2.71' }),
    startMediaServer(sip, { name: 'second', address: '127.0.2.72' }),
    startMediaServer(sip, { name: 'phone', address: '127.0.4.71' }),
  ])
  let last = 0
  const fresh = (name: string) => `${name}-${++last}`

  async function edge(release: KamailioRelease, spec: Partial<EdgeSpec>): Promise<LabEdge> {
    const kamailio = tools.kamailio.get(release)
    if (!kamailio) throw new Error(`Kamailio ${release} was not provisioned`)
    const own = { name: fresh('edge'), address: '127.0.1.71', kamailio, runDir, secret }
    return startEdge({ ...own, destinations: [], dialogDb: false, pingSeconds: 0, ...spec })
  }

  /** Calls that are up when it resolves. */
  async function calls(spec: Omit<Parameters<typeof startCaller>[1], 'name' | 'callsPerSecond'>) {
    const name = fresh('caller')
    const caller = await startCaller(sip, { ...spec, name, callsPerSecond: 20 })
    const mine = () => ledger.calls().filter((call) => call.callId.includes(`-${name}@`))
    await until(async () => mine().filter((call) => call.answeredAt !== undefined).length === spec.maxCalls)
    return caller
  }

  return {
    first,
    second,
    phone,
    sip,
    edge,
    calls,
    async close() {
      await Promise.all([first, second, phone].map((server) => server.kill()))
      ledger.close()
      rmSync(runDir, { recursive: true })
    },
  }
}
export type Ground = Awaited<ReturnType<typeof openGround>>

/** Our client, as the functions would make it. */
export function clientOf(
  edge: Pick<LabEdge, 'name' | 'rpcUrl'>,
  restoresDialogs = false,
  transport: RpcTransport = createHttpTransport({ url: edge.rpcUrl, timeoutMs: 5000 }),
): KamailioEdge {
  const key = { secret: async () => secret, refreshSecret: async () => secret }
  return createEdge({ id: edge.name, transport, restoresDialogs, timeoutMs: 5000, key })
}

/** A way to the edge with this URL. */
type Way = (url: string) => Promise<RpcTransport>
const directly: Way = async (url) => createHttpTransport({ url, timeoutMs: 5000 })

/** The world of the contract suite over a real Kamailio of that release. */
export function realPlaces(ground: Ground, release: KamailioRelease, way = directly): EdgePlaces {
  return {
    release,
    first: listable(ground.first.uri),
    second: listable(ground.second.uri),
    secondAddress: ground.second.address,
    secondName,
    open: (request) => openWorld(ground, release, request, way),
  }
}

async function openWorld(
  ground: Ground,
  release: KamailioRelease,
  request: EdgeRequest,
  way: Way,
): Promise<EdgeWorld> {
  const kamailio = await ground.edge(release, {
    destinations: request.file.map(entryOf),
    guard: request.guard ?? true,
    profiles: request.profiles ?? true,
    endsCalls: request.endsCalls ?? true,
    dialogDb: request.restoresDialogs ?? false,
    plain: request.plain ?? false,
    ...(request.file.some(({ uri }) => uri.includes(secondName)) && {
      edit: (example: string) => withName(example, ground.second.address),
    }),
    ...(request.pings && { probingMode: 1, pingSeconds: 1 }),
  })
  const edge = clientOf(kamailio, request.restoresDialogs, await way(kamailio.rpcUrl))
  const callers: Caller[] = []
  const live = (caller: Caller): LiveCalls => {
    callers.push(caller)
    return { hangUp: () => caller.finish(30_000) }
  }
  return {
    edge,
    writeFile: (file) => kamailio.writeList(file.map(entryOf)),
    restart: () => kamailio.restart(),
    until,
    callSet: async (maxCalls) =>
      live(
        await ground.calls({
          address: '127.0.3.71',
          via: kamailio,
          called: 'svc',
          callMs: 14_000,
          maxCalls,
        }),
      ),
    callFromSecond: async (maxCalls) =>
      live(
        await ground.calls({
          address: ground.second.address,
          placedBy: ground.second.name,
          via: kamailio,
          called: 'phone',
          calledHost: `${ground.phone.address}:${ground.phone.port}`,
          callMs: 5000,
          maxCalls,
        }),
      ),
    async close() {
      await Promise.all(callers.map((caller) => caller.kill()))
      await edge.close()
      await kamailio.kill()
    },
  }
}

const secondName = 'second.lab.test'

/** The edge resolves that name from its own cache: no name server is asked. */
function withName(example: string, address: string): string {
  const cached = `name=${secondName};addr=${address};type=A;ttl=86400;flags=0`
  const lines = ['loadmodule "corex.so"', `modparam("corex", "dns_cache", "${cached}")`, 'loadmodule "tm.so"']
  return example.replace('dns=no', 'dns=on').replace('loadmodule "tm.so"', lines.join('\n'))
}

const fileFlags: Readonly<Record<string, number>> = { A: 0, I: 1, T: 2, D: 4, X: 0, P: 8, N: 32 }

function entryOf({ set, uri, flags = 'AX', duid }: FileLine): DispatcherEntry {
  const bits = [...flags].reduce((sum, letter) => sum + (fileFlags[letter] ?? 0), 0)
  return { set, uri, flags: bits, ...(duid !== undefined && { attrs: `duid=${duid}` }) }
}

export function listable(uri: string): DestinationUri {
  const found = destinationUri(uri)
  if (!found) throw new Error(`${uri} is no SIP URI`)
  return found
}

export async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('it did not come to be within 15 s')
    await sleep(100)
  }
}
