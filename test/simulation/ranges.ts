import { writeFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { add, emptyReport, hasUnexpected, type Manner, type Report } from './report.ts'

/** What is left to run and what it came to so far; kept in a file, it can be taken up again. */
export interface Progress {
  readonly from: number
  readonly histories: number
  /** first seeds of the ranges that were run */
  done: number[]
  report: Report
}

export const rangeLength = 25

export function begun(from: number, histories: number): Progress {
  return { from, histories, done: [], report: emptyReport() }
}

/**
 * Runs what is left in ranges, on as many workers; writes the progress down after each range. Ranges are
 * given out in order: where it is to stop, those before the one that was found are finished, so that what is
 * found is the first of all.
 */
export async function runAll(
  progress: Progress,
  workers: number,
  manner: Manner,
  file: string | undefined,
  said: (progress: Progress) => void,
): Promise<void> {
  const left: number[] = []
  for (let from = progress.from; from < progress.from + progress.histories; from += rangeLength)
    if (!progress.done.includes(from)) left.push(from)
  const end = progress.from + progress.histories
  const next = () => {
    if (manner.stop && hasUnexpected(progress.report)) return undefined
    const from = left.shift()
    return from === undefined ? undefined : { from, count: Math.min(rangeLength, end - from) }
  }
  await Promise.all(
    Array.from({ length: Math.min(workers, left.length) }, () =>
      work(manner, next, (from, report) => {
        progress.done.push(from)
        progress.report = add(progress.report, report)
        if (file !== undefined) writeFileSync(file, JSON.stringify(progress))
        said(progress)
      }),
    ),
  )
}

function work(
  manner: Manner,
  next: () => { readonly from: number; readonly count: number } | undefined,
  done: (from: number, report: Report) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: manner })
    const give = () => {
      const range = next()
      if (range) worker.postMessage(range)
      else void worker.terminate().then(() => resolve())
    }
    worker.on('message', ({ from, report }: { from: number; report: Report }) => {
      done(from, report)
      give()
    })
    worker.on('error', reject)
    give()
  })
}
