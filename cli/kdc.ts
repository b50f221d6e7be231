#!/usr/bin/env node
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../functions/ports/clock.ts'
import manifest from '../package.json' with { type: 'json' }
import { createAsk } from './ask.ts'
import type { Desk } from './desk/desk.ts'
import { exitCodes } from './desk/exit-codes.ts'
import { harmless } from './desk/format.ts'
import { run } from './program.ts'

const stop = new AbortController()
process.once('SIGINT', () => stop.abort())
process.once('SIGTERM', () => stop.abort())
// The terminal closes: what is under way in the deployment goes on.
process.once('SIGHUP', () => stop.abort())
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // EIO: a terminal that is gone
    if (error.code === 'EPIPE' || error.code === 'EIO') {
      // Whoever read it has enough: there is nobody to tell.
      stop.abort()
      return
    }
    if (stream === process.stdout)
      process.stderr.write(
        `kdc: what was found can't be written: make room, or have it written elsewhere; what was sent goes on (${error.message})\n`,
      )
    process.exit(exitCodes.error)
  })

const clock: Clock = {
  now: () => Date.now(),
  // Who stops it does not wait for the rest of a sleep.
  sleep: (ms) => sleep(ms, undefined, { signal: stop.signal }).catch(() => undefined),
}

const contexts = join(process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config'), 'kdc', 'contexts.yaml')

const { isTTY = false } = process.stdout
/** A terminal of no size, such as one that a program has made, does not tell how much it shows. */
const sizeOf = (size: number) => (size > 0 ? size : undefined)
const desk: Desk = {
  version: manifest.version,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(harmless(text)),
  get errColumns() {
    return process.stderr.isTTY ? sizeOf(process.stderr.columns) : undefined
  },
  screen: {
    get columns() {
      return isTTY ? sizeOf(process.stdout.columns) : undefined
    },
    get rows() {
      return isTTY ? sizeOf(process.stdout.rows) : undefined
    },
    isTerminal: isTTY,
    hasColour: isTTY && (process.env['NO_COLOR'] ?? '') === '',
  },
  // A question that goes into a file is seen by nobody, and one in a pipe perhaps.
  ...(process.stdin.isTTY &&
    process.stderr.isTTY && { ask: createAsk(process.stdin, process.stderr, stop.signal) }),
  clock,
  random: Math.random,
  stopped: stop.signal,
  // Only `mcp` needs it, and it takes a while to load.
  async transport() {
    const { StdioServerTransport } = await import('@modelcontextprotocol/server/stdio')
    return new StdioServerTransport()
  },
  contexts: {
    path: contexts,
    read: () =>
      readFile(contexts, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined
        throw error
      }),
  },
  async reach(place, when) {
    // The AWS SDK is half of the time that a start takes, and help needs none of it.
    const { reach } = await import('./reach/reach.ts')
    return reach(place, { clock, random: Math.random, when, usualProfile: process.env['AWS_PROFILE'] })
  },
}
process.exitCode = await run(process.argv.slice(2), desk)
// What AWS was asked for may take seconds yet.
if (stop.signal.aborted) process.exit()
