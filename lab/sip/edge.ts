import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { freePort } from '../programs/free-port.ts'
import { type Child, startChild, untilReady } from '../programs/leash.ts'
import type { KamailioProgram } from '../programs/program.ts'
import { type Destination, readList, rpc } from './edge-rpc.ts'

const productFiles = resolve(import.meta.dirname, '../../kamailio')
const plainConfig = join(import.meta.dirname, 'plain-edge.cfg')

/** One line of an edge's dispatcher.list. */
export interface DispatcherEntry {
  readonly set: number
  readonly uri: string
  /** As in the file: 0 active, 4 disabled, 8 probing, … */
  readonly flags?: number
  readonly priority?: number
  /** For example `duid=i-0123`. */
  readonly attrs?: string
}

export interface EdgeSpec {
  readonly name: string
  /** 127.0.1.x, one for each edge. */
  readonly address: string
  readonly kamailio: KamailioProgram
  /** The edge's files go to `<runDir>/<name>/`. */
  readonly runDir: string
  readonly destinations: readonly DispatcherEntry[]
  /** X-RPC-Key; not looked at on a plain edge. */
  readonly secret: string
  /** A second accepted secret, as during a rotation. */
  readonly nextSecret?: string
  /** Who may call the RPC; default 127.0.0.0/16: every address of the lab but 127.9.0.0 and beyond. */
  readonly rpcSubnet?: string
  /** The edge of somebody who has none of our files: no secret, no guard, no profiles, no dialogs. */
  readonly plain?: boolean
  /** Default true. */
  readonly guard?: boolean
  /** Default true. */
  readonly profiles?: boolean
  /** Lets its calls be ended by JSON-RPC; default false. */
  readonly endsCalls?: boolean
  /** Dialogs in SQLite with db_mode 1, so that calls and counts outlive a restart; default true. */
  readonly dialogDb?: boolean
  /** Default 1. */
  readonly probingMode?: 0 | 1 | 2 | 3
  /** Default 1. */
  readonly pingSeconds?: number
  /** Default 1,000. */
  readonly frTimerMs?: number
  /** Default 10,000. */
  readonly frInvTimerMs?: number
  /** Default 3,600. */
  readonly longestCallSeconds?: number
  /** Listen on [::1] for SIP as well. */
  readonly ipv6?: boolean
  /**
   * More lines of settings.cfg: names and values as written there. `undefined` leaves out what the lab would
   * set.
   */
  readonly settings?: Readonly<Record<string, string | number | undefined>>
  /** The kamailio.cfg to start, made from the example: an edge that differs from it. */
  readonly edit?: (example: string) => string
}

/** A running Kamailio. Ports and files stay the same over a restart. */
export interface Edge {
  readonly name: string
  readonly address: string
  readonly sipPort: number
  /** SIP port on [::1], when asked for. */
  readonly sipPortIpv6: number | undefined
  readonly rpcPort: number
  readonly rpcUrl: string
  readonly secret: string
  readonly logFile: string
  readonly alive: () => boolean
  /**
   * The lab's own reading of the edge's dispatcher, not through the product's client.
   * @throws when it can't be read
   */
  readonly list: () => Promise<readonly Destination[]>
  /** One JSON-RPC call in the product's envelope; resolves to `result`. @throws RpcFault */
  readonly call: (method: string, params: readonly (string | number)[]) => Promise<unknown>
  /** Rewrites dispatcher.list; takes effect at the next reload or restart. */
  readonly writeList: (destinations: readonly DispatcherEntry[]) => void
  /** SIGTERM, then SIGKILL. */
  readonly stop: () => Promise<void>
  /** SIGKILL. */
  readonly kill: () => Promise<void>
  /** Starts it again after stop() or kill(), and waits until its RPC answers. */
  readonly start: () => Promise<void>
  /** stop() and start(). */
  readonly restart: () => Promise<void>
  /**
   * Restarts it so that it accepts this secret alone, as at the end of a rotation. The lab's own reading uses
   * it from then on.
   */
  readonly restartWithSecret: (secret: string) => Promise<void>
}

/**
 * Starts one edge with the project's own `kamailio/` files, as an engineer would install them, and waits
 * until it answers. R-URI users that begin with `long` go to set 2, all others to set 1; INVITEs from a
 * listed address are outbound.
 * @throws ChildExited, ChildNotReady with the end of Kamailio's log
 */
export async function startEdge(spec: EdgeSpec): Promise<Edge> {
  const dir = join(spec.runDir, spec.name)
  mkdirSync(dir, { recursive: true })
  const ports = {
    sip: await freePort(spec.address),
    rpc: await freePort(spec.address),
    ipv6: spec.ipv6 ? await freePort('::1') : undefined,
  }
  const writeList = (destinations: readonly DispatcherEntry[]) =>
    writeFileSync(join(dir, 'dispatcher.list'), destinations.map(listLine).join(''))
  installConfig(spec, dir, ports)
  writeList(spec.destinations)
  const database = join(dir, 'dialog.sqlite')
  if (!existsSync(database)) createDatabase(database, spec.kamailio.dialogSchema)
  const endpoint = { host: spec.address, port: ports.rpc, secret: spec.secret }
  let child: Child
  const start = async () => {
    // One that hung at its end was killed, and Kamailio does not start beside the file of a process not yet
    // reaped.
    rmSync(join(dir, 'kamailio.pid'), { force: true })
    child = await startChild({ name: spec.name, argv: commandLine(spec.kamailio, dir), runDir: dir })
    await untilReady(child, async () => (await rpc(endpoint, 'core.uptime', [])) !== undefined)
  }
  await start()
  return {
    name: spec.name,
    address: spec.address,
    sipPort: ports.sip,
    sipPortIpv6: ports.ipv6,
    rpcPort: ports.rpc,
    rpcUrl: `http://${spec.address}:${ports.rpc}/rpc`,
    get secret() {
      return endpoint.secret
    },
    logFile: join(dir, `${spec.name}.log`),
    alive: () => child.alive(),
    list: () => readList(endpoint),
    call: (method, params) => rpc(endpoint, method, params),
    writeList,
    stop: () => child.stop(),
    kill: () => child.kill(),
    start,
    restart: async () => {
      await child.stop()
      await start()
    },
    restartWithSecret: async (secret) => {
      await child.stop()
      installConfig({ ...spec, secret, nextSecret: undefined }, dir, ports)
      endpoint.secret = secret
      await start()
    },
  }
}

function commandLine(kamailio: KamailioProgram, dir: string): readonly string[] {
  return [
    ...kamailio.argv,
    '-f',
    join(dir, 'kamailio.cfg'),
    '-DD',
    '-E',
    '-Y',
    dir,
    '-P',
    join(dir, 'kamailio.pid'),
  ]
}

function listLine(entry: DispatcherEntry): string {
  return `${entry.set} ${entry.uri} ${entry.flags ?? 0} ${entry.priority ?? 0} ${entry.attrs ?? ''}\n`
}

function installConfig(
  spec: EdgeSpec,
  dir: string,
  ports: { sip: number; rpc: number; ipv6: number | undefined },
) {
  for (const file of readdirSync(productFiles).filter((name) => name.endsWith('.cfg')))
    copyFileSync(join(productFiles, file), join(dir, file))
  if (spec.plain) copyFileSync(plainConfig, join(dir, 'kamailio.cfg'))
  if (spec.edit !== undefined) {
    const file = join(dir, 'kamailio.cfg')
    writeFileSync(file, spec.edit(readFileSync(file, 'utf8')))
  }
  const settings: Record<string, string | number | undefined> = {
    DC_SIP_LISTEN: `${spec.address}:${ports.sip}`,
    DC_RPC_LISTEN: `tcp:${spec.address}:${ports.rpc}`,
    DC_RPC_SUBNET: `"${spec.rpcSubnet ?? '127.0.0.0/16'}"`,
    DC_RPC_KEY_SHA256: `"${sha256(spec.secret)}"`,
    DC_RPC_NEXT_KEY_SHA256: spec.nextSecret && `"${sha256(spec.nextSecret)}"`,
    DC_RPC_END_CALLS: spec.endsCalls ? '' : undefined,
    DISPATCHER_LIST: `"${join(dir, 'dispatcher.list')}"`,
    PROBING_MODE: spec.probingMode ?? 1,
    PING_SECONDS: spec.pingSeconds ?? 1,
    FR_TIMER_MS: spec.frTimerMs ?? 1000,
    FR_INV_TIMER_MS: spec.frInvTimerMs ?? 10_000,
    LONGEST_CALL_SECONDS: spec.longestCallSeconds ?? 3600,
    DC_NO_CALL_PROFILES: spec.profiles === false ? '' : undefined,
    DC_NO_DRAIN_GUARD: spec.guard === false ? '' : undefined,
    ...(spec.dialogDb === false ? {} : dialogSettings(join(dir, 'dialog.sqlite'))),
    ...spec.settings,
  }
  const defines = Object.entries(settings).flatMap(([name, value]) =>
    value === undefined ? [] : `#!define ${name} ${value}\n`,
  )
  const ownListen = ports.ipv6 === undefined ? '' : `listen=udp:[::1]:${ports.ipv6}\n`
  writeFileSync(join(dir, 'settings.cfg'), [...defines, ownListen].join(''))
}

function dialogSettings(file: string): Record<string, string> {
  return {
    DC_DIALOG_DB: `"sqlite:///${file}"`,
    DC_DIALOG_SQLCON: `"dialog=>sqlite:///${file}"`,
    DC_DIALOG_BUSY_TIMEOUT: `"${file}=5000"`,
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/**
 * Kamailio checks the `version` table before it uses another; the package brings only the dialog module's
 * SQL.
 */
function createDatabase(file: string, dialogSchema: string): void {
  const database = new DatabaseSync(file)
  // Kamailio's processes write side by side; without a write-ahead log they find the file locked.
  database.exec('PRAGMA journal_mode=WAL')
  database.exec(
    'CREATE TABLE version (table_name VARCHAR(32) PRIMARY KEY, table_version INTEGER DEFAULT 0 NOT NULL)',
  )
  database.exec(dialogSchema)
  database.close()
}
