import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import * as z from 'zod'

export const program = join(import.meta.dirname, '../../cli/kdc.ts')

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** The program as a shell runs it. @param more beside the PATH: where AWS is, and credentials */
export async function runKdc(more: Readonly<Record<string, string>>, ...words: string[]): Promise<Ran> {
  const env = { PATH: process.env['PATH'], ...more }
  const child = spawn(process.execPath, [program, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { code: z.int().parse(code), out, err }
}
