import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AsteriskProgram, KamailioProgram, KamailioRelease, Program } from './program.ts'

const neededModules = [
  'tm',
  'sl',
  'rr',
  'pv',
  'maxfwd',
  'textops',
  'siputils',
  'xlog',
  'ipops',
  'htable',
  'db_sqlite',
  'sqlops',
  'dialog',
  'dispatcher',
  'xhttp',
  'jsonrpcs',
]

/**
 * The machine's own Kamailio, if it is of that release, loads every module that an edge needs and brings its
 * SQLite schema.
 */
export function findKamailio(release: KamailioRelease): KamailioProgram | undefined {
  if (!output(['kamailio', '-v'])?.startsWith(`version: kamailio ${release}.`)) return undefined
  const schema = ['/usr/share', '/usr/local/share']
    .map((folder) => join(folder, 'kamailio/db_sqlite/dialog-create.sql'))
    .find((file) => existsSync(file))
  if (schema === undefined || !loadsModules(neededModules)) return undefined
  return {
    release,
    argv: ['kamailio'],
    dialogSchema: readFileSync(schema, 'utf8'),
    lua: loadsModules(['app_lua']),
  }
}

function loadsModules(modules: readonly string[]): boolean {
  const dir = mkdtempSync(join(tmpdir(), 'kamailio-probe-'))
  try {
    const file = join(dir, 'probe.cfg')
    const loads = modules.map((name) => `loadmodule "${name}.so"`)
    const list = modules.includes('dispatcher') ? 'modparam("dispatcher", "list_file", "/dev/null")\n' : ''
    const body = `${list}request_route { exit; }\n`
    writeFileSync(file, `listen=udp:127.0.0.1:5060\n${loads.join('\n')}\n${body}`)
    return spawnSync('kamailio', ['-c', '-f', file], { stdio: 'ignore', timeout: 10_000 }).status === 0
  } finally {
    rmSync(dir, { recursive: true })
  }
}

/** The machine's own SIPp from 3.8 on, which is known to flush its event lines one by one. */
export function findSipp(): Program | undefined {
  const version = /SIPp v(\d+)\.(\d+)/.exec(output(['sipp', '-v']) ?? '')
  if (!version) return undefined
  const [, major, minor] = version.map(Number)
  if (major === undefined || minor === undefined) return undefined
  return major > 3 || (major === 3 && minor >= 8) ? { argv: ['sipp'] } : undefined
}

/** The machine's own Asterisk from 20 on, if PJSIP and the HTTP interface came with it. */
export function findAsterisk(): AsteriskProgram | undefined {
  const major = Number(/Asterisk (\d+)\./.exec(output(['asterisk', '-V']) ?? '')?.[1])
  const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu'
  const moduleDir = ['/usr/lib/asterisk/modules', `/usr/lib/${triplet}/asterisk/modules`].find((folder) =>
    ['chan_pjsip.so', 'res_ari_channels.so'].every((file) => existsSync(join(folder, file))),
  )
  const dataDir = ['/usr/share/asterisk', '/var/lib/asterisk'].find((folder) =>
    existsSync(join(folder, 'documentation')),
  )
  if (!(major >= 20) || moduleDir === undefined || dataDir === undefined) return undefined
  return { argv: ['asterisk'], moduleDir, dataDir }
}

/**
 * What a program prints; undefined when it isn't on the PATH. SIPp's -v ends with 99, so the code shows
 * nothing.
 */
function output(argv: readonly [string, ...string[]]): string | undefined {
  const [command, ...args] = argv
  const result = spawnSync(command, args, { encoding: 'utf8', timeout: 5000 })
  return result.error === undefined ? result.stdout.trimStart() : undefined
}
