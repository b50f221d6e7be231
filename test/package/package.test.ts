import { execFile } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { handlers } from '../../lib/handlers.ts'
import { writePackage } from '../../lib/package.ts'
import { some } from '../present.ts'

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'dispatcher-control-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const written = join(folder, 'package')
const project = join(folder, 'project')
const installed = join(project, 'node_modules', 'kamailio-dispatcher-control')

/** Without what npm's scripts add: the machine's own Node and npm, not the ones of our lock file. */
const path = (process.env['PATH'] ?? '')
  .split(delimiter)
  .filter((each) => !each.includes('node_modules') && !each.includes('node-gyp-bin'))
  .join(delimiter)
const environment = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD|NODE)/.test(name))),
  PATH: path,
}

/** Runs a program in the project of somebody who uses the package. */
async function run(
  program: string,
  args: readonly string[],
  extra: Record<string, string> = {},
): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, [...args], {
      cwd: project,
      env: { ...environment, ...extra },
      timeout: 280_000,
    })
    return stdout
  } catch (error) {
    const printed = z.object({ stdout: z.string(), stderr: z.string() }).safeParse(error).data
    throw new Error(`${program} ${args.join(' ')}: ${printed?.stdout} ${printed?.stderr}`, { cause: error })
  }
}

const packed = z.tuple([z.object({ filename: z.string() })])

beforeAll(async () => {
  await writePackage(written)
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }')
  const [{ filename }] = packed.parse(
    JSON.parse(await run('npm', ['pack', '--json', '--pack-destination', folder, written])),
  )
  // The peers are too large to be installed again: they are linked, with the compiler.
  const quick = ['--legacy-peer-deps', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund']
  await run('npm', ['install', ...quick, join(folder, filename)])
  for (const name of ['aws-cdk-lib', 'constructs', 'typescript'])
    symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name))
})

const files = (ending: string): string[] =>
  ['lib', 'functions'].flatMap((part) =>
    readdirSync(join(installed, part), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith(ending))
      .map((file) => join(installed, part, file)),
  )
const manifest = () =>
  z
    .object({
      dependencies: z.record(z.string(), z.string()),
      peerDependencies: z.record(z.string(), z.string()),
    })
    .parse(JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')))

describe('the package', () => {
  test('needs what it imports and nothing else', () => {
    const imported = [...files('.js'), ...files('.d.ts')]
      .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/\b(?:from|import\() ?'([@\w][^'\s]*)'/g)])
      .map(([, specifier = '']) => specifier)
      .filter((specifier) => !specifier.startsWith('node:'))
      .map((specifier) => specifier.split('/')[0] ?? '')
    const { dependencies, peerDependencies } = manifest()
    expect([...new Set(imported)].toSorted()).toEqual(
      Object.keys({ ...dependencies, ...peerDependencies }).toSorted(),
    )
    expect(Object.keys(dependencies)).toEqual(['zod'])
  })

  test('holds neither sources, nor an app, nor a bundler', () => {
    expect([...files('.ts')].filter((file) => !file.endsWith('.d.ts'))).toEqual([])
    for (const file of ['app.js', 'build.js', 'package.js'])
      expect(existsSync(join(installed, 'lib', file))).toBe(false)
    expect(
      readdirSync(join(project, 'node_modules')).filter((name) => /esbuild|node-linux/.test(name)),
    ).toEqual([])
  })

  test('brings its functions, its documents, and what an edge includes', () => {
    for (const name of some(Object.keys(handlers)))
      expect(existsSync(join(installed, 'dist', 'functions', name, 'index.mjs'))).toBe(true)
    const documents = ['README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md', 'docs/commands.md']
    for (const file of [
      ...documents,
      'kamailio/rpc.cfg',
      'kamailio/drain-guard.cfg',
      'events/schemas/swept.json',
    ])
      expect(existsSync(join(installed, file))).toBe(true)
  })

  test('carries kdc, which says in one line where Node is too old for it', async () => {
    const kdc = join(project, 'node_modules', '.bin', 'kdc')
    const { stdout } = await promisify(execFile)(process.execPath, [kdc, '--help'], { env: environment })
    expect(stdout).toMatch(/^Usage: kdc /)
    const unreached = ['status', '--region', 'eu-central-1']
    const place = {
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
    }
    await expect(
      promisify(execFile)(process.execPath, [kdc, ...unreached], { env: { ...environment, ...place } }),
    ).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/^kdc: AWS is not reached: .*\n$/) })
    const old = `Object.defineProperty(process, 'versions', { value: { node: '20.11.0' } }); await import('${kdc}')`
    await expect(
      promisify(execFile)(process.execPath, ['--input-type=module', '-e', old], { env: environment }),
    ).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^kdc: it needs Node 24 or later.*\n$/),
    })
  })

  test('its types come with their comments', () => {
    const types = readFileSync(join(installed, 'lib', 'dispatcher-control.d.ts'), 'utf8')
    expect(types).toContain('@default RemovalPolicy.RETAIN')
    expect(types).toContain("Drains the group's instances before they go")
  })
})

describe('the example in docs/example, in an empty project', () => {
  const compile = (app: string, skipLibCheck = false): Promise<string> => {
    writeFileSync(
      join(project, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          target: 'es2022',
          // aws-cdk-lib names Disposable, zod URL.
          lib: ['es2022', 'dom', 'esnext.disposable'],
          module: 'nodenext',
          strict: true,
          skipLibCheck,
          types: [],
        },
        files: [app],
      }),
    )
    return run('node', [join('node_modules', 'typescript', 'bin', 'tsc')])
  }

  test("compiles, its types checked, and synthesizes on the machine's own Node", async () => {
    copyFileSync(join(root, 'docs', 'example', 'app.ts'), join(project, 'app.ts'))
    await compile('app.ts')
    const out = join(project, 'cdk.out')
    await run('node', ['app.js'], { CDK_OUTDIR: out })
    const template = readFileSync(join(out, 'Voice.template.json'), 'utf8')
    expect(template.match(/"Type": "AWS::Lambda::Function"/g)?.length).toBeGreaterThanOrEqual(
      Object.keys(handlers).length,
    )
    expect(template.match(/"LifecycleHookName": "dispatcher-control-\w+"/g)).toHaveLength(4)
    const assets = readdirSync(out).filter((name) => name.startsWith('asset.'))
    const bundles = assets.filter((name) => existsSync(join(out, name, 'index.mjs')))
    expect(bundles.length).toBeGreaterThanOrEqual(Object.keys(handlers).length)
  })

  test('an option that does not exist, and a policy that is left out, do not compile', async () => {
    const app = readFileSync(join(root, 'docs', 'example', 'app.ts'), 'utf8')
    writeFileSync(
      join(project, 'wrong.ts'),
      app
        .replace("deadlinePolicy: { callsLeft: 'retain', unknown: 'retain' },", '')
        .replace('{ target: ', '{ targte: '),
    )
    await expect(compile('wrong.ts', true)).rejects.toThrow(
      /deadlinePolicy[\s\S]*targte|targte[\s\S]*deadlinePolicy/,
    )
  })
})
