import { execFile } from 'node:child_process'
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import * as z from 'zod'
import { bundleFunctions, bundleProgram } from './build.ts'
import { requireNode24 } from './node-version.ts'

const root = resolve(import.meta.dirname, '..')

const manifest = z.object({
  name: z.string(),
  version: z.string(),
  description: z.string(),
  license: z.string(),
  dependencies: z.object({ zod: z.string() }),
  devDependencies: z.object({ 'aws-cdk-lib': z.string(), constructs: z.string() }),
})

/** An older Node would fail at the first line of the bundle, with no word on why. */
const kdc = `#!/usr/bin/env node
if (Number(process.versions.node.split('.')[0]) >= 24) await import('../dist/kdc.mjs')
else {
  console.error(\`kdc: it needs Node 24 or later, and this is \${process.version}: install one, or name it first on the PATH\`)
  process.exitCode = 1
}
`

/**
 * Writes the construct as a package for other CDK apps: compiled modules, types, bundled functions, what an
 * edge includes, and `kdc` in one file.
 * @param out the folder, which is written anew
 * @throws Error with the compiler's words
 */
export async function writePackage(out: string = join(root, 'dist', 'package')): Promise<void> {
  const { dependencies, devDependencies, ...common } = manifest.parse(
    JSON.parse(await readFile(join(root, 'package.json'), 'utf8')),
  )
  await rm(out, { recursive: true, force: true })
  await mkdir(out, { recursive: true })
  await compile(out)
  await bundleFunctions(join(root, 'functions', 'handlers'), join(out, 'dist', 'functions'))
  await bundleProgram(join(root, 'cli', 'kdc.ts'), join(out, 'dist', 'kdc.mjs'))
  await mkdir(join(out, 'bin'))
  await writeFile(join(out, 'bin', 'kdc.js'), kdc, { mode: 0o755 })
  for (const part of ['README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md', 'kamailio', 'docs', 'events'])
    await cp(join(root, part), join(out, part), { recursive: true })
  const packed = {
    ...common,
    type: 'module',
    // import.meta.dirname
    engines: { node: '>=20.11' },
    bin: { kdc: 'bin/kdc.js' },
    exports: { '.': { types: './lib/index.d.ts', default: './lib/index.js' } },
    peerDependencies: {
      'aws-cdk-lib': `^${devDependencies['aws-cdk-lib']}`,
      constructs: `^${devDependencies.constructs}`,
    },
    dependencies: { zod: dependencies.zod },
  }
  await writeFile(join(out, 'package.json'), `${JSON.stringify(packed, undefined, 2)}\n`)
}

async function compile(out: string): Promise<void> {
  const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'))
  const tsc = [join(typescript, 'bin', 'tsc'), '-p', join(root, 'tsconfig.package.json'), '--outDir', out]
  try {
    await promisify(execFile)(process.execPath, tsc, { timeout: 280_000 })
  } catch (error) {
    const output = z.object({ stdout: z.string() }).safeParse(error).data?.stdout
    throw new Error(`the package does not compile:\n${output}`, { cause: error })
  }
}

if (import.meta.main) {
  requireNode24()
  await writePackage()
}
