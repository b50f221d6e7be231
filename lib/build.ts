import { mkdir, readdir, rm } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { build } from 'esbuild'
import { requireNode24 } from './node-version.ts'

const root = resolve(import.meta.dirname, '..')

/** Where the bundles are written, one folder for each function. */
export const functionsPath = join(root, 'dist', 'functions')

/** undici and the AWS SDK call `require` for Node's own modules, which an ES module does not have. */
const requireBanner = `import { createRequire } from 'node:module';const require = createRequire(import.meta.url);`

/**
 * Bundles every handler, AWS SDK included, into `<out>/<name>/index.mjs`; the folders of other functions are removed.
 * @returns the names of the functions, sorted.
 */
export async function bundleFunctions(
  handlers: string = join(root, 'functions', 'handlers'),
  out: string = functionsPath,
): Promise<string[]> {
  const files = (await readdir(handlers)).filter((file) => file.endsWith('.ts')).sort()
  if (files.length === 0) throw new Error(`no handler to bundle in ${handlers}`)
  const names = files.map((file) => basename(file, '.ts'))
  await mkdir(out, { recursive: true })
  for (const stale of await readdir(out))
    if (!names.includes(stale)) await rm(join(out, stale), { recursive: true })
  await build({
    entryPoints: names.map((name) => ({ in: join(handlers, `${name}.ts`), out: `${name}/index` })),
    outdir: out,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    minify: true,
    keepNames: true,
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    banner: { js: requireBanner },
    logLevel: 'warning',
  })
  return names
}

if (import.meta.main) {
  requireNode24()
  await bundleFunctions()
}
