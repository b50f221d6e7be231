import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ChildExited, ChildNotReady, runToEnd, startChild, untilReady } from '../../lab/programs/leash.ts'

const leash = resolve(import.meta.dirname, '../../lab/programs/leash.ts')
/** A program with a worker in the background, as Kamailio has; it names the worker's pid. */
const withWorker = ['sh', '-c', 'sleep 1000 & echo "worker $!"; wait']

/** A zombie, which its new parent has not collected yet, runs no more. */
const runs = (pid: number) => {
  const state = spawnSync('ps', ['-o', 'stat=', '-p', `${pid}`], { encoding: 'utf8' }).stdout.trim()
  return state !== '' && !state.startsWith('Z')
}

describe('the leash', () => {
  let runDir: string
  beforeEach(() => {
    runDir = mkdtempSync(join(tmpdir(), 'leash-'))
  })
  afterEach(() => rmSync(runDir, { recursive: true }))

  const workerOf = async (logFile: string) => {
    for (;;) {
      const pid = /worker (\d+)/.exec(readFileSync(logFile, 'utf8'))?.[1]
      if (pid !== undefined) return Number(pid)
      await sleep(10)
    }
  }
  const gone = async (pid: number) => {
    while (runs(pid)) await sleep(10)
  }

  test('when the lab is killed with SIGKILL, its programs and their workers die too', async () => {
    const script = join(runDir, 'lab.ts')
    const spec = JSON.stringify({ name: 'program', argv: withWorker, runDir })
    const code = `import { startChild } from '${leash}'\nconsole.log((await startChild(${spec})).pid)\nsetInterval(() => {}, 1000)\n`
    writeFileSync(script, code)
    const lab = execFile(process.execPath, [script])
    const started = Promise.withResolvers<number>()
    lab.stdout?.once('data', (text: string) => started.resolve(Number(text)))
    const pid = await started.promise
    const worker = await workerOf(join(runDir, 'program.log'))
    expect([runs(pid), runs(worker)]).toEqual([true, true])
    lab.kill('SIGKILL')
    await Promise.all([gone(pid), gone(worker)])
  })

  test('kill() takes the workers along', async () => {
    const child = await startChild({ name: 'program', argv: withWorker, runDir })
    const worker = await workerOf(child.logFile)
    await child.kill()
    await Promise.all([gone(child.pid), gone(worker)])
    expect(child.alive()).toBe(false)
  })

  test('a program that ends by itself leaves no worker behind, and its code is known', async () => {
    const argv = ['sh', '-c', 'sleep 1000 & echo "worker $!"; exit 7']
    const child = await startChild({ name: 'program', argv, runDir })
    expect(await child.exited).toBe(7)
    await gone(await workerOf(child.logFile))
  })

  test('stop() ends with SIGKILL a program that ignores SIGTERM', async () => {
    const argv = ['sh', '-c', 'trap "" TERM; echo "worker $$"; while :; do sleep 0.05; done']
    const child = await startChild({ name: 'program', argv, runDir })
    await workerOf(child.logFile)
    await child.stop(100)
    expect(await child.exited).toBe(137)
  })

  test('an early end is an error that shows the last lines of the log', async () => {
    const argv = ['sh', '-c', 'echo "cannot open the socket"; exit 3']
    const child = await startChild({ name: 'program', argv, runDir })
    const failure = untilReady(child, () => Promise.resolve(false))
    await expect(failure).rejects.toThrow(ChildExited)
    await expect(failure).rejects.toThrow(/exited with code 3[\s\S]*cannot open the socket/)
    await expect(runToEnd({ name: 'other', argv, runDir }, 5000)).rejects.toThrow(ChildExited)
  })

  test('a program that never becomes ready is an error', async () => {
    const child = await startChild({ name: 'program', argv: ['sleep', '1000'], runDir })
    await expect(untilReady(child, () => Promise.reject(new Error('no')), 100)).rejects.toThrow(ChildNotReady)
    await child.kill()
  })
})
