import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bookworm, debianRoot, forky, type Suite, trixieKamailio } from './debian-root.ts'
import { findAsterisk, findKamailio, findSipp } from './found-tools.ts'
import type { Log } from './lab-cache.ts'
import type { AsteriskProgram, KamailioProgram, KamailioRelease, Program } from './program.ts'

/** Where each release comes from; a release without an entry does not compile. */
const suites: Readonly<Record<KamailioRelease, Suite>> = {
  '6.1': forky,
  '6.0': trixieKamailio,
  '5.6': bookworm,
}

/** What `provision` brought; only what was asked for is there. */
export interface Tools {
  readonly kamailio: ReadonlyMap<KamailioRelease, KamailioProgram>
  readonly sipp: Program
  readonly asterisk?: AsteriskProgram
}

export interface ProvisionRequest {
  readonly kamailio: readonly KamailioRelease[]
  readonly asterisk?: boolean
  readonly log: Log
}

/**
 * Brings Kamailio, SIPp and, when asked for, Asterisk: from the PATH where it fits, else into `.lab/`, all
 * side by side, without root. What was installed is written to `.lab/<suite>/manifest.json`.
 * @throws NoDebianPackages, ChildExited: each names what is missing and what to do
 */
export async function provision(request: ProvisionRequest): Promise<Tools> {
  const [sipp, asterisk, ...kamailio] = [
    findSipp(),
    request.asterisk ? findAsterisk() : undefined,
    ...request.kamailio.map((release) => findKamailio(release)),
  ]
  const needed = new Set<Suite>([
    ...(sipp === undefined || (request.asterisk && asterisk === undefined) ? [forky] : []),
    ...request.kamailio.flatMap((release, index) => (kamailio[index] ? [] : [suites[release]])),
  ])
  const roots = new Map(
    await Promise.all(
      [...needed].map(async (suite) => [suite, await debianRoot(suite, request.log)] as const),
    ),
  )
  const rootOf = (suite: Suite) => roots.get(suite) ?? ''
  return {
    kamailio: new Map(
      request.kamailio.map((release, index) => [
        release,
        kamailio[index] ?? unpackedKamailio(release, rootOf(suites[release])),
      ]),
    ),
    sipp: sipp ?? { argv: [...loader(rootOf(forky)), join(rootOf(forky), 'usr/bin/sipp')] },
    ...(request.asterisk ? { asterisk: asterisk ?? unpackedAsterisk(rootOf(forky)) } : {}),
  }
}

/**
 * Unpacked programs run through the loader they came with, so that none of the machine's own libraries is
 * mixed in.
 */
export function loader(root: string): readonly string[] {
  const [triplet, file] =
    process.arch === 'arm64'
      ? ['aarch64-linux-gnu', 'ld-linux-aarch64.so.1']
      : ['x86_64-linux-gnu', 'ld-linux-x86-64.so.2']
  const folders = [`usr/lib/${triplet}`, `lib/${triplet}`, `usr/lib/${triplet}/kamailio`]
  const libraries = folders.map((folder) => join(root, folder)).join(':')
  // bookworm's /lib64 link is absolute and would leave the folder: take the file it means.
  const path = [`lib/${triplet}`, `usr/lib/${triplet}`, 'usr/lib64', 'usr/lib']
    .map((folder) => join(root, folder, file))
    .find((candidate) => existsSync(candidate))
  if (path === undefined) throw new Error(`no loader ${file} under ${root}: remove that folder and run again`)
  return [path, '--library-path', libraries]
}

function unpackedKamailio(release: KamailioRelease, root: string): KamailioProgram {
  const run = loader(root)
  const libraries = (run[2] ?? '')
    .split(':')
    .find((folder) => existsSync(join(folder, 'modules/dispatcher.so')))
  if (libraries === undefined)
    throw new Error(`no Kamailio modules under ${root}: remove that folder and run again`)
  return {
    release,
    argv: [...run, join(root, 'usr/sbin/kamailio'), '-L', join(libraries, 'modules')],
    dialogSchema: readFileSync(join(root, 'usr/share/kamailio/db_sqlite/dialog-create.sql'), 'utf8'),
    stockConfigDir: join(root, 'etc/kamailio'),
    lua: existsSync(join(libraries, 'modules/app_lua.so')),
  }
}

function unpackedAsterisk(root: string): AsteriskProgram {
  const run = loader(root)
  const moduleDir = (run[2] ?? '')
    .split(':')
    .map((folder) => join(folder, 'asterisk/modules'))
    .find((folder) => existsSync(join(folder, 'chan_pjsip.so')))
  if (moduleDir === undefined)
    throw new Error(`no Asterisk modules under ${root}: remove that folder and run again`)
  return {
    argv: [...run, join(root, 'usr/sbin/asterisk')],
    moduleDir,
    dataDir: join(root, 'usr/share/asterisk'),
  }
}
