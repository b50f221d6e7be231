import { availableParallelism, loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import * as z from 'zod'

/** How much later than it was due a timer fired that had nothing else to wait for. */
export interface LostTime {
  readonly longestMs: number
  readonly totalMs: number
}

export interface LostTimeWatch {
  readonly soFar: () => LostTime
  readonly close: () => Promise<void>
}

const everyMs = 50
const lateness = z.number()

/** On a thread of its own: the lab's own work makes none of it. */
const ticker = `
import { parentPort } from 'node:worker_threads'
let due = performance.now() + ${everyMs}
setInterval(() => {
  const now = performance.now()
  if (now - due > 5) parentPort.postMessage(now - due)
  due = now + ${everyMs}
}, ${everyMs})
`

/** Watches how much time this machine takes from a program that needs next to none. */
export function watchLostTime(): LostTimeWatch {
  let longestMs = 0
  let totalMs = 0
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(ticker)}`))
  worker.on('message', (message: unknown) => {
    const late = lateness.parse(message)
    longestMs = Math.max(longestMs, Math.round(late))
    totalMs += Math.round(late)
  })
  worker.unref()
  return {
    soFar: () => ({ longestMs, totalMs }),
    close: async () => {
      await worker.terminate()
    },
  }
}

/** Half of the edges' fr_timer: who is stopped for longer answers nobody in time, whoever asks. */
const tooLongMs = 500
const tooMuch = 0.1

/** Whether what failed may have failed for want of time alone. */
export function isTooSlow({ longestMs, totalMs }: LostTime, seconds: number): boolean {
  return longestMs > tooLongMs || totalMs > tooMuch * seconds * 1000
}

/** By how much, in words. */
export function lostTimeText({ longestMs, totalMs }: LostTime, seconds: number): string {
  return `a timer that had nothing to wait for was up to ${longestMs} ms late, ${totalMs} ms in ${seconds} s`
}

const busyLoad = 2
const looksForMs = 1000

/** @returns why a run on this machine may have no verdict; undefined: nothing speaks against it */
export async function whyBusy(): Promise<string | undefined> {
  const watch = watchLostTime()
  await sleep(looksForMs)
  const [load = 0] = loadavg()
  const cores = availableParallelism()
  const lost = watch.soFar()
  await watch.close()
  if (load / cores < busyLoad && !isTooSlow(lost, looksForMs / 1000)) return undefined
  return `this machine is busy (load ${load.toFixed(1)} on ${cores} cores, ${lost.totalMs} ms lost in a second): the run may be too slow to judge`
}
