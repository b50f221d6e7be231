import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { isAbsolute, join, relative } from 'node:path'
import { z } from 'zod'
import { cacheDir, type Log, place } from './lab-cache.ts'
import { ChildExited, runToEnd } from './leash.ts'

/** What the lab takes from one Debian suite for one purpose. */
export interface Suite {
  /** Its folder under `.lab/`. */
  readonly name: string
  readonly debian: 'forky' | 'trixie' | 'bookworm'
  readonly packages: readonly string[]
}

const kamailioPackages = [
  'kamailio',
  ...['json', 'sqlite', 'utils', 'extra', 'tls'].map((modules) => `kamailio-${modules}-modules`),
]

/** Kamailio 6.1 with Lua for KEMI, SIPp and Asterisk. */
export const forky: Suite = {
  name: 'forky',
  debian: 'forky',
  packages: [...kamailioPackages, 'kamailio-lua-modules', 'sip-tester', 'asterisk', 'asterisk-modules'],
}
/**
 * The Python and the Java that LocalStack needs. Not Kamailio 6.0: who runs one of them need not download the
 * other.
 */
export const trixie: Suite = {
  name: 'trixie',
  debian: 'trixie',
  packages: ['python3.13', 'python3.13-venv', 'openjdk-21-jre-headless'],
}
/** Kamailio 6.0, in a folder of its own. */
export const trixieKamailio: Suite = {
  name: 'trixie-kamailio',
  debian: 'trixie',
  packages: kamailioPackages,
}
/** The shells besides bash that `kdc completion` has scripts for. */
export const shells: Suite = { name: 'shells', debian: 'forky', packages: ['zsh', 'fish'] }
/** Kamailio 5.6. */
export const bookworm: Suite = { name: 'bookworm', debian: 'bookworm', packages: kamailioPackages }

const manifestSchema = z.object({
  requested: z.array(z.string()),
  installed: z.array(z.object({ package: z.string(), version: z.string(), sha256: z.string() })),
})

/** The machine can't give us Debian's packages; the message names what to do. */
export class NoDebianPackages extends Error {
  override readonly name = 'NoDebianPackages'
  constructor(what: string) {
    super(
      `${what}. Either put kamailio 6.1, sipp and asterisk on the PATH, or run the lab on Debian, or build one container ` +
        `image from Debian forky with the packages ${forky.packages.join(' ')} and Node 24 (that way is untested).`,
    )
  }
}

/**
 * Debian's own packages of one suite with everything they need, unpacked into a folder: no root, nothing
 * installed. apt checks every signature and hash. Cached; a half-made folder is never seen, because it is
 * renamed into place last.
 * @returns the folder that stands for `/`
 */
export async function debianRoot(suite: Suite, log: Log): Promise<string> {
  const home = join(cacheDir, suite.name)
  const fill = async (dir: string) => {
    const started = Date.now()
    const say = (text: string) =>
      log(`${suite.name}: ${text} (${((Date.now() - started) / 1000).toFixed(1)} s)`)
    const apt = privateApt(dir, `deb [signed-by=${findKeyring()}] ${findMirror()} ${suite.debian} main\n`)
    say('reading the package lists')
    await apt('update', ['update', '-q'])
    say(`downloading ${suite.packages.join(' ')} and what they need`)
    await apt('download', ['install', '-y', '-q', '--download-only', ...suite.packages])
    const archives = join(dir, 'apt/cache/archives')
    const debs = readdirSync(archives).filter((file) => file.endsWith('.deb'))
    const bytes = debs.reduce((sum, file) => sum + statSync(join(archives, file)).size, 0)
    say(`unpacking ${debs.length} packages, ${Math.round(bytes / 1e6)} MB`)
    const installed = debs.map((file) => identify(file, readFileSync(join(archives, file))))
    await unpack(dir, archives, debs)
    renameSync(join(dir, 'apt/logs'), join(dir, 'logs'))
    rmSync(join(dir, 'apt'), { recursive: true })
    writeFileSync(
      join(dir, 'manifest.json'),
      JSON.stringify({ requested: suite.packages, installed }, undefined, 1),
    )
    say('ready')
  }
  return join(await place(home, { isComplete: () => isComplete(home, suite), fill }), 'root')
}

function isComplete(home: string, suite: Suite): boolean {
  const file = join(home, 'manifest.json')
  if (!existsSync(file)) return false
  const manifest = manifestSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')))
  return manifest.success && manifest.data.requested.join() === suite.packages.join()
}

/**
 * The address comes from the machine's own sources, so that a site's proxy or mirror is used as everywhere
 * else.
 */
function findMirror(): string {
  if (!existsSync('/usr/bin/apt-get')) throw new NoDebianPackages('this machine has no apt')
  const folder = '/etc/apt/sources.list.d'
  const files = existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : []
  const text = [...files, '/etc/apt/sources.list']
    .filter((file) => existsSync(file) && /\.(sources|list)$/.test(file))
    .map((file) => readFileSync(file, 'utf8').replaceAll(/#.*/g, ''))
    .join('\n')
  const mirror = /https?:\/\/\S+\/debian\/?(?=\s|$)/m.exec(text)?.[0]
  if (mirror === undefined)
    throw new NoDebianPackages('no Debian mirror is named in /etc/apt/sources.list(.d)')
  return mirror
}

function findKeyring(): string {
  const found = ['gpg', 'pgp']
    .map((ending) => `/usr/share/keyrings/debian-archive-keyring.${ending}`)
    .find((file) => existsSync(file))
  if (found === undefined) throw new NoDebianPackages('the package debian-archive-keyring is not installed')
  return found
}

/**
 * An apt with folders of its own. Its status file is empty, so that the whole closure down to libc comes
 * along.
 */
function privateApt(dir: string, sources: string) {
  const apt = join(dir, 'apt')
  for (const folder of [
    'etc/apt.conf.d',
    'etc/preferences.d',
    'state/lists/partial',
    'cache/archives/partial',
  ])
    mkdirSync(join(apt, folder), { recursive: true })
  writeFileSync(join(apt, 'etc/sources.list'), sources)
  writeFileSync(join(apt, 'status'), '')
  const options = [
    `Dir::Etc=${apt}/etc`,
    `Dir::Etc::sourcelist=${apt}/etc/sources.list`,
    'Dir::Etc::sourceparts=/dev/null',
    `Dir::State=${apt}/state`,
    `Dir::State::status=${apt}/status`,
    `Dir::Cache=${apt}/cache`,
    'Debug::NoLocking=1',
    'APT::Sandbox::User=root',
    'APT::Install-Recommends=false',
    'Acquire::Languages=none',
    'Acquire::Retries=3',
    'APT::Update::Error-Mode=any',
  ].flatMap((option) => ['-o', option])
  return async (name: string, args: readonly string[]) => {
    const command = { name: `apt-${name}`, argv: ['apt-get', ...options, ...args], runDir: join(apt, 'logs') }
    try {
      return await runToEnd(command, 600_000)
    } catch (error) {
      if (error instanceof ChildExited) throw new NoDebianPackages(`apt could not do it: ${error.message}\n`)
      throw error
    }
  }
}

function identify(file: string, content: Buffer) {
  const [name = '', version = ''] = file.split('_')
  const sha256 = createHash('sha256').update(content).digest('hex')
  return { package: name, version: decodeURIComponent(version), sha256 }
}

async function unpack(dir: string, archives: string, debs: readonly string[]): Promise<void> {
  const root = join(dir, 'root')
  mkdirSync(root)
  const script = 'cd "$1" && printf "%s\\n" *.deb | xargs -P 2 -n 1 -I{} dpkg-deb -x {} "$2"'
  if (debs.length === 0) throw new NoDebianPackages('apt downloaded nothing')
  await runToEnd(
    { name: 'unpack', argv: ['sh', '-c', script, 'sh', archives, root], runDir: join(dir, 'apt/logs') },
    300_000,
  )
  keepLinksInside(root)
}

/** A link to `/etc/…` would leave the folder for the machine's own /etc. */
function keepLinksInside(root: string, folder = root): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) keepLinksInside(root, path)
    if (!entry.isSymbolicLink()) continue
    const target = readlinkSync(path)
    if (!isAbsolute(target) || !existsSync(join(root, target))) continue
    rmSync(path)
    symlinkSync(relative(folder, join(root, target)), path)
  }
}
