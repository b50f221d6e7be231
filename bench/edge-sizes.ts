import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import type { KamailioProgram } from '../lab/programs/program.ts'
import { provision } from '../lab/programs/provision.ts'
import { type DispatcherEntry, type Edge, startEdge } from '../lab/sip/edge.ts'
import { send } from '../lab/sip/edge-rpc.ts'

/**
 * What a long dispatcher list costs through kamailio/rpc.cfg: bytes and time of its three forms, and of a
 * reload.
 */

const releases = ['6.1', '6.0', '5.6'] as const
const sizes = [1000, 5000, 10_000] as const
const memories = [8, 32, 64] as const
const secret = 'the-secret-of-this-bench'

const entry = (n: number): DispatcherEntry => ({
  set: 1,
  uri: `sip:127.${16 + (n >> 8)}.7.${n & 255}:5060`,
  attrs: `duid=i-${String(n).padStart(17, '0')}`,
})

/** `383 KB 19 ms`, or why there is no answer. */
async function ask(edge: Edge, method: string, params: readonly string[] = []): Promise<string> {
  const body = JSON.stringify({ jsonrpc: '2.0', method, params, id: 1 })
  const began = performance.now()
  try {
    const to = { host: edge.address, port: edge.rpcPort }
    const answer = await send(to, { headers: { 'x-rpc-key': secret }, body })
    const ms = performance.now() - began
    if (answer.status !== 200) return `HTTP ${answer.status}`
    return `${(Buffer.byteLength(answer.body) / 1000).toFixed(0)} KB ${ms.toFixed(0)} ms`
  } catch {
    return 'no reply'
  }
}

async function measure(
  kamailio: KamailioProgram,
  size: number,
  megabytes: number,
  runDir: string,
): Promise<void> {
  const edge = await startEdge({
    name: `edge-${kamailio.release}-${size}-${megabytes}`,
    address: '127.0.1.64',
    kamailio: { ...kamailio, argv: [...kamailio.argv, '-M', String(megabytes)] },
    runDir,
    secret,
    dialogDb: false,
    pingSeconds: 0,
    destinations: Array.from({ length: size }, (_, n) => entry(n)),
  })
  try {
    const cells = [
      await ask(edge, 'dispatcher.list'),
      await ask(edge, 'dispatcher.list', ['short']),
      await ask(edge, 'dispatcher.list', ['full']),
      await ask(edge, 'dispatcher.reload'),
    ]
    const head = [kamailio.release, size, `-M ${megabytes}`].map((cell) => String(cell).padEnd(7))
    console.log([...head, ...cells.map((cell) => cell.padEnd(18))].join(' '))
  } finally {
    await edge.kill()
  }
}

async function main(): Promise<void> {
  const tools = await provision({ kamailio: releases, log: (line) => console.error(line) })
  const runDir = mkdtempSync(join(tmpdir(), 'edge-sizes-'))
  try {
    console.log('release entries memory  list               short              full               reload')
    for (const kamailio of tools.kamailio.values())
      for (const size of sizes)
        for (const megabytes of memories) await measure(kamailio, size, megabytes, runDir)
  } finally {
    rmSync(runDir, { recursive: true })
  }
}

await new Command('edge-sizes')
  .description('bytes and time of the dispatcher list of a real Kamailio, by its length and memory')
  .action(main)
  .parseAsync()
