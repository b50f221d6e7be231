import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { bundleFunctions } from '../../lib/build.ts'
import { handlers } from '../../lib/handlers.ts'

const root = join(import.meta.dirname, '../..')
mkdirSync(join(root, 'dist'), { recursive: true })
/** below the project, where packages are found */
const inside = mkdtempSync(join(root, 'dist', 'build-test-'))
/** away from every package */
const outside = mkdtempSync(join(tmpdir(), 'dispatcher-control-'))
afterAll(() => {
  for (const folder of [inside, outside]) rmSync(folder, { recursive: true, force: true })
})

/** Runs in a Node of its own, from the bundle alone: the test runner would look into it. */
async function run(code: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], {
    timeout: 30_000,
  })
  return stdout.trim()
}

test('a bundle speaks HTTP through undici and carries its AWS SDK', async () => {
  const handlers = join(inside, 'handlers')
  mkdirSync(handlers)
  writeFileSync(
    join(handlers, 'ask.ts'),
    `import { SQSClient } from '@aws-sdk/client-sqs'
     import { request } from 'undici'
     export async function handler(url: string): Promise<string> {
       const { body } = await request(url)
       return (await body.text()) + typeof SQSClient
     }`,
  )
  const out = join(outside, 'functions')
  expect(await bundleFunctions(handlers, out)).toEqual(['ask'])
  expect(readdirSync(join(out, 'ask'))).toEqual(['index.mjs', 'index.mjs.map'])

  const server = createServer((_request, response) => response.end('answered '))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  try {
    const code = `const { handler } = await import(${JSON.stringify(join(out, 'ask', 'index.mjs'))})
      console.log(await handler('http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/'))`
    expect(await run(code)).toBe('answered function')
  } finally {
    server.close()
  }
})

test('every handler has its function and every function its handler', () => {
  const files = readdirSync(join(root, 'functions', 'handlers')).map((file) => basename(file, '.ts'))
  // the relay is deployed by the edge access that needs it
  expect(files.toSorted()).toEqual([...Object.keys(handlers), 'edge-relay'].toSorted())
})

test('a folder without handlers is refused', async () => {
  const empty = join(inside, 'empty')
  mkdirSync(empty)
  await expect(bundleFunctions(empty, join(outside, 'none'))).rejects.toThrow(
    /no handler to bundle in .*empty/,
  )
  expect(statSync(join(outside, 'none'), { throwIfNoEntry: false })).toBeUndefined()
})
