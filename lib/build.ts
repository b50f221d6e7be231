import { readdir, rm } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { build } from 'esbuild'
import { requireNode24 } from './node-version.ts'

const root = resolve(import.meta.dirname, '..')

/** Where the bundles are written, one folder for each function. */
export const functionsPath = join(root, 'dist', 'functions')

/** undici and the AWS SDK call `require` for Node's own modules, which an ES module does not have. */
const requireBanner = `import { createRequire } from 'node:module';const require = createRequire(import.meta.url);`

/**
 * Bundles every handler, AWS SDK included, into `<out>/<name>/index.mjs`; what was there before is removed.
 * @returns the names of the functions, sorted.
 */
export async function bundleFunctions(
  handlers: string = join(root, 'functions', 'handlers'),
  out: string = functionsPath,
): Promise<string[]> {
  const files = (await readdir(handlers)).filter((file) => file.endsWith('.ts')).sort()
  if (files.length === 0) throw new Error(`no handler to bundle in ${handlers}`)
  await rm(out, { recursive: true, force: true })
  await build({
    entryPoints: files.map((file) => ({
      in: join(handlers, file),
      out: `${basename(file, '.ts')}/index`,
    })),
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
  return files.map((file) => basename(file, '.ts'))
}

if (import.meta.main) {
  requireNode24()
  await bundleFunctions()
}
