import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { debianRoot, trixie } from './debian-root.ts'
import { cacheDir, type Log, place } from './lab-cache.ts'
import { runToEnd } from './leash.ts'
import type { Program } from './program.ts'

const recipe = join(import.meta.dirname, '../emulator/localstack')
const requirements = join(recipe, 'requirements.txt')
const jarHashes = join(recipe, 'dynamodb-local.sha256')

/** A Python that has LocalStack, and what it needs beside Python. */
export interface LocalStackProgram extends Program {
  /** Where `import localstack` finds it: the value of PYTHONPATH. */
  readonly modules: string
  /** Where Python keeps what it compiled: the value of PYTHONPYCACHEPREFIX. */
  readonly bytecode: string
  readonly javaHome: string
  /** DynamoDB Local and its libraries. */
  readonly dynamodbJars: string
}

/** LocalStack can't be had on this machine; the message names what to do. */
export class NoLocalStack extends Error {
  override readonly name = 'NoLocalStack'
}

/** Why this machine can't have LocalStack, as far as can be told at once; undefined when it can. */
export function whyNoLocalStack(): string | undefined {
  const { PATH = '' } = process.env
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return `its recipe is for Linux on x86-64 only, not ${process.platform} on ${process.arch}`
  if (!existsSync('/usr/bin/apt-get'))
    return 'its Python 3.13 and Java 21 come from Debian, and there is no apt'
  if (!PATH.split(delimiter).some((folder) => existsSync(join(folder, 'mvn'))))
    return 'its DynamoDB comes from Maven Central, and there is no mvn on the PATH (on Debian: the package maven)'
  return undefined
}

/**
 * LocalStack exactly as pinned, every file checked against its hash, on Debian's own Python 3.13 and Java 21.
 * Cached, 1 GB.
 * @throws NoLocalStack, NoDebianPackages, ChildExited (pip's or Maven's own words)
 */
export async function localStackProgram(log: Log): Promise<LocalStackProgram> {
  const missing = whyNoLocalStack()
  if (missing !== undefined) throw new NoLocalStack(`no LocalStack on this machine: ${missing}`)
  const root = await debianRoot(trixie, log)
  const home = join(cacheDir, 'localstack')
  const wanted = recipeOf(root)
  const manifest = join(home, 'recipe.txt')
  const isComplete = () => existsSync(manifest) && readFileSync(manifest, 'utf8') === wanted
  const fill = async (dir: string) => {
    const started = Date.now()
    const say = (text: string) => log(`localstack: ${text} (${((Date.now() - started) / 1000).toFixed(1)} s)`)
    writePython(dir, root)
    await Promise.all([installModules(dir, root, say), downloadJars(dir, say)])
    writeFileSync(join(dir, 'recipe.txt'), wanted)
    say('ready')
  }
  await place(home, { isComplete, fill })
  return {
    argv: [join(home, 'python')],
    modules: join(home, 'modules'),
    bytecode: join(home, 'bytecode'),
    javaHome: join(root, 'usr/lib/jvm/java-21-openjdk-amd64'),
    dynamodbJars: join(home, 'dynamodb-local'),
  }
}

function recipeOf(root: string): string {
  return [root, readFileSync(requirements, 'utf8'), readFileSync(jarHashes, 'utf8')].join('\n')
}

/**
 * The unpacked Python runs through the loader that it came with. argv0 keeps `sys.executable` this script;
 * PYTHONHOME stays with LocalStack, since handlers get an environment of their own.
 */
function writePython(dir: string, root: string): void {
  const loader = join(root, 'usr/lib64/ld-linux-x86-64.so.2')
  const libraries = join(root, 'usr/lib/x86_64-linux-gnu')
  const python = join(root, 'usr/bin/python3.13')
  const script = `#!/bin/sh
export PYTHONHOME='${join(root, 'usr')}'
exec '${loader}' --library-path '${libraries}' --argv0 "$0" '${python}' "$@"
`
  writeFileSync(join(dir, 'python'), script)
  chmodSync(join(dir, 'python'), 0o755)
}

/**
 * Three of the packages come as pure Python sources only; setuptools, which unpacks them, is taken by hash
 * before.
 */
async function installModules(dir: string, root: string, say: Log): Promise<void> {
  const wheels = join(root, 'usr/share/python-wheels')
  const pipWheel = readdirSync(wheels).find((file) => file.startsWith('pip-'))
  if (pipWheel === undefined) throw new NoLocalStack(`no pip in ${wheels}: remove ${root} and run again`)
  const modules = join(dir, 'modules')
  const bootstrap = join(dir, 'bootstrap')
  const tmp = join(dir, 'tmp')
  mkdirSync(tmp)
  const pip = (name: string, target: string, file: string, more: readonly string[]) =>
    runToEnd(
      {
        name,
        argv: [
          ...[join(dir, 'python'), '-m', 'pip', 'install', '--quiet', '--no-cache-dir', '--no-compile'],
          ...['--root-user-action', 'ignore', '--disable-pip-version-check', '--no-deps', '--require-hashes'],
          ...['--target', target, '-r', file, ...more],
        ],
        runDir: join(dir, 'logs'),
        env: {
          ...process.env,
          HOME: tmp,
          TMPDIR: tmp,
          PYTHONPATH: [join(wheels, pipWheel), bootstrap].join(':'),
        },
      },
      600_000,
    )
  say('downloading LocalStack and what it needs')
  const setuptools = join(tmp, 'setuptools.txt')
  writeFileSync(setuptools, pinned('setuptools'))
  await pip('pip-setuptools', bootstrap, setuptools, ['--only-binary', ':all:'])
  await pip('pip-localstack', modules, requirements, [
    ...['--no-build-isolation', '--only-binary', ':all:'],
    ...['airspeed-ext', 'crontab', 'jsonpath-rw'].flatMap((name) => ['--no-binary', name]),
  ])
  rmSync(bootstrap, { recursive: true })
  rmSync(tmp, { recursive: true })
}

/** One package's lines of the requirements. */
function pinned(name: string): string {
  const lines = readFileSync(requirements, 'utf8').split('\n')
  const from = lines.findIndex((line) => line.startsWith(`${name}==`))
  const length = lines.slice(from + 1).findIndex((line) => !line.startsWith(' '))
  return `${lines.slice(from, from + 1 + length).join('\n')}\n`
}

async function downloadJars(dir: string, say: Log): Promise<void> {
  const jars = join(dir, 'dynamodb-local')
  const repository = join(dir, 'm2')
  say('downloading DynamoDB Local')
  await runToEnd(
    {
      name: 'maven',
      argv: [
        ...['mvn', '--quiet', '--batch-mode', `-Dmaven.repo.local=${repository}`],
        ...['-f', join(recipe, 'dynamodb-local.pom.xml'), 'dependency:copy-dependencies'],
        ...['-DincludeScope=runtime', `-DoutputDirectory=${jars}`],
      ],
      runDir: join(dir, 'logs'),
      // else Maven's JVM leaves /tmp/hsperfdata_<user> behind
      env: { ...process.env, MAVEN_OPTS: '-XX:-UsePerfData' },
    },
    300_000,
  )
  checkJars(jars)
  rmSync(repository, { recursive: true })
}

function checkJars(folder: string): void {
  const wanted = new Map(
    readFileSync(jarHashes, 'utf8')
      .trim()
      .split('\n')
      .map((line) => {
        const [hash = '', file = ''] = line.split(/\s+/)
        return [file, hash]
      }),
  )
  const files = readdirSync(folder)
  const wrong = [...new Set([...files, ...wanted.keys()])].filter(
    (file) =>
      !files.includes(file) ||
      createHash('sha256')
        .update(readFileSync(join(folder, file)))
        .digest('hex') !== wanted.get(file),
  )
  if (wrong.length > 0)
    throw new NoLocalStack(
      `these files of DynamoDB Local are missing or are not those that were pinned: ${wrong.join(', ')}`,
    )
}
