import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { type BuildOptions, build, type OutputFile } from 'esbuild'
import { functionsPath } from './functions-path.ts'
import { requireNode24 } from './node-version.ts'

const root = resolve(import.meta.dirname, '..')

/** undici and the AWS SDK call `require` for Node's own modules, which an ES module does not have. */
const requireBanner = `import { createRequire } from 'node:module';const require = createRequire(import.meta.url);`

const bundling = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  mainFields: ['module', 'main'] as string[],
  minify: true,
  keepNames: true,
  legalComments: 'none',
  banner: { js: requireBanner },
  logLevel: 'warning',
} as const satisfies BuildOptions

/**
 * Bundles every handler, AWS SDK included, into `<out>/<name>/index.mjs`; the folders of other functions are
 * removed.
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
  const { outputFiles } = await build({
    ...bundling,
    write: false,
    entryPoints: names.map((name) => ({ in: join(handlers, `${name}.ts`), out: `${name}/index` })),
    outdir: out,
    outExtension: { '.js': '.mjs' },
    sourcemap: 'linked',
    sourcesContent: false,
  })
  await Promise.all(outputFiles.map((file) => put(file, dirname(out))))
  return names
}

/** Bundles one program, with all that it imports, into one file. */
export async function bundleProgram(entry: string, out: string): Promise<void> {
  await build({ ...bundling, entryPoints: [entry], outfile: out })
}

/**
 * Whole or not at all, and only where something changed: somebody else may be packing the same folder at this
 * moment.
 */
async function put({ path, contents }: OutputFile, scratch: string): Promise<void> {
  const before = await readFile(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  })
  if (before?.equals(contents)) return
  await mkdir(dirname(path), { recursive: true })
  const partial = join(scratch, `partial-${process.pid}-${basename(dirname(path))}-${basename(path)}`)
  await writeFile(partial, contents)
  await rename(partial, path)
}

if (import.meta.main) {
  requireNode24()
  await bundleFunctions()
}
