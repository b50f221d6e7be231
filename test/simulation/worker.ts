import { parentPort, workerData } from 'node:worker_threads'
import * as z from 'zod'
import { type Manner, runRange } from './report.ts'

// Histories are full of errors that are expected: their stacks cost more than their causes.
Error.stackTraceLimit = 0

const range = z.object({ from: z.number(), count: z.number() })

parentPort?.on('message', (message: unknown) => {
  const { from, count } = range.parse(message)
  runRange(from, count, workerData as Manner).then(
    (report) => parentPort?.postMessage({ from, count, report }),
    (error: unknown) => {
      throw error
    },
  )
})
