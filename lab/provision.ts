import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bookworm, debianRoot, forky } from './debian-root.ts'
import { findAsterisk, findKamailio, findSipp } from './found-tools.ts'
import type { Log } from './lab-cache.ts'

/** The Kamailio releases that the lab knows. */
export type KamailioRelease = '6.1' | '5.6'

/** A program to start: its arguments follow `argv`. */
export interface Program {
  readonly argv: readonly string[]
}

export interface KamailioProgram extends Program {
  readonly release: KamailioRelease
  /** The SQL that makes the dialog module's SQLite tables. */
  readonly dialogSchema: string
}

export interface AsteriskProgram extends Program {
  readonly moduleDir: string
  readonly dataDir: string
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
 * @throws NoDebianPackages, ChildExited: each says what is missing and what to do
 */
export async function provision(request: ProvisionRequest): Promise<Tools> {
  const [sipp, asterisk, ...kamailio] = [
    findSipp(),
    request.asterisk ? findAsterisk() : undefined,
    ...request.kamailio.map((release) => findKamailio(release)),
  ]
  const needsForky =
    sipp === undefined ||
    (request.asterisk && asterisk === undefined) ||
    request.kamailio.some((release, index) => release === '6.1' && kamailio[index] === undefined)
  const needsBookworm = request.kamailio.some(
    (release, index) => release === '5.6' && kamailio[index] === undefined,
  )
  const [forkyRoot = '', bookwormRoot = ''] = await Promise.all([
    needsForky ? debianRoot(forky, request.log) : undefined,
    needsBookworm ? debianRoot(bookworm, request.log) : undefined,
  ])
  const rootOf = (release: KamailioRelease) => (release === '6.1' ? forkyRoot : bookwormRoot)
  return {
    kamailio: new Map(
      request.kamailio.map((release, index) => [
        release,
        kamailio[index] ?? unpackedKamailio(release, rootOf(release)),
      ]),
    ),
    sipp: sipp ?? { argv: [...loader(forkyRoot), join(forkyRoot, 'usr/bin/sipp')] },
    ...(request.asterisk ? { asterisk: asterisk ?? unpackedAsterisk(forkyRoot) } : {}),
  }
}

/** Unpacked programs run through the loader they came with, so that none of the machine's own libraries is mixed in. */
function loader(root: string): readonly string[] {
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
