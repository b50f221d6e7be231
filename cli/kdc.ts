#!/usr/bin/env node
import { createInterface } from 'node:readline/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../functions/ports/clock.ts'
import type { Desk } from './desk.ts'
import { run } from './program.ts'

const stop = new AbortController()
process.once('SIGINT', () => stop.abort())
process.once('SIGTERM', () => stop.abort())
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    // Whoever read it has enough: there is nobody to tell.
    stop.abort()
  })

const clock: Clock = {
  now: () => Date.now(),
  // Who stops it does not wait for the rest of a sleep.
  sleep: (ms) => sleep(ms, undefined, { signal: stop.signal }).catch(() => undefined),
}

async function ask(question: string): Promise<boolean> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await prompt.question(question, { signal: stop.signal })).trim())
  } catch {
    return false
  } finally {
    prompt.close()
  }
}

const { isTTY = false } = process.stdout
const desk: Desk = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  screen: {
    get columns() {
      return isTTY ? process.stdout.columns : undefined
    },
    isTerminal: isTTY,
    hasColour: isTTY && (process.env['NO_COLOR'] ?? '') === '',
  },
  ...(process.stdin.isTTY && { ask }),
  clock,
  random: Math.random,
  stopped: stop.signal,
  async reach(place) {
    // The AWS SDK is half of the time that a start takes, and help needs none of it.
    const { reach } = await import('./reach.ts')
    return reach(place, { clock, random: Math.random })
  },
}
process.exitCode = await run(process.argv.slice(2), desk)
