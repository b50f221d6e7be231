import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * The wrapper that keeps a child on the leash. It stands in a process group of its own, names the child's pid
 * and later its exit code on descriptor 3, and reads its standard input: at end of file (the lab stopped,
 * crashed or was killed) and when the child is gone it kills the whole group, so that forked workers never
 * outlive their parent.
 */
const LEASH = `
exec 5<&0 </dev/null
"$@" 3>&- 5<&- &
child=$!
echo "pid $child" >&3
( exec 3>&-; while read -r line <&5; do :; done; kill -KILL 0 ) &
exec 5<&-
wait "$child"
echo "exit $?" >&3
kill -KILL 0
`

/** One program that the lab runs; its standard output and error go to `logFile`. */
export interface Child {
  readonly name: string
  readonly logFile: string
  /** The program's own pid (not the wrapper's). */
  readonly pid: number
  /**
   * Resolves once, with the exit code as a shell gives it (137 = SIGKILL), when the program and its workers
   * are gone.
   */
  readonly exited: Promise<number>
  readonly alive: () => boolean
  /** Sends a signal to the program only; does nothing when it is gone. */
  readonly signal: (signal: NodeJS.Signals) => void
  /** SIGTERM, then SIGKILL after `graceMs` (default 3,000). Resolves when all of it is gone. */
  readonly stop: (graceMs?: number) => Promise<void>
  /** SIGKILL for the program and its workers at once, as a machine that is switched off. */
  readonly kill: () => Promise<void>
}

export interface ChildSpec {
  readonly name: string
  readonly argv: readonly string[]
  /** Folder for `<name>.log`; made when missing. */
  readonly runDir: string
  readonly cwd?: string
  /** The child's whole environment; default: the lab's own. */
  readonly env?: NodeJS.ProcessEnv
}

/** A child ended although the lab needs it; the message carries the last lines of its log. */
export class ChildExited extends Error {
  override readonly name = 'ChildExited'
  constructor(child: { name: string; logFile: string }, code: number) {
    super(
      `${child.name} exited with code ${code}. Last lines of ${child.logFile}:\n${lastLines(child.logFile)}`,
    )
  }
}

/** A child runs but did not become ready in time; the message carries the last lines of its log. */
export class ChildNotReady extends Error {
  override readonly name = 'ChildNotReady'
  constructor(child: Child, timeoutMs: number, cause: unknown) {
    super(
      `${child.name} was not ready after ${timeoutMs} ms. Last lines of ${child.logFile}:\n${lastLines(child.logFile)}`,
      { cause },
    )
  }
}

function lastLines(file: string, count = 15): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n')
}

/**
 * Starts a program that dies with the lab, also when the lab is killed with SIGKILL.
 * @throws ChildExited when the wrapper itself can't be started.
 */
export async function startChild(spec: ChildSpec): Promise<Child> {
  mkdirSync(spec.runDir, { recursive: true })
  const logFile = join(spec.runDir, `${spec.name}.log`)
  const log = openSync(logFile, 'a')
  const wrapper = spawn('/bin/sh', ['-c', LEASH, spec.name, ...spec.argv], {
    cwd: spec.cwd ?? spec.runDir,
    env: spec.env ?? process.env,
    detached: true,
    stdio: ['pipe', log, log, 'pipe'],
  })
  closeSync(log)
  const named = { name: spec.name, logFile }
  const report = followReport(wrapper)
  const pid = await report.pid
  if (pid === undefined) throw new ChildExited(named, await report.exited)
  let running = true
  void report.exited.then(() => {
    running = false
  })
  const killGroup = () => {
    if (running && wrapper.pid !== undefined) process.kill(-wrapper.pid, 'SIGKILL')
  }
  const signal = (name: NodeJS.Signals) => {
    if (running) sendIfThere(pid, name)
  }
  return {
    ...named,
    pid,
    exited: report.exited,
    alive: () => running,
    signal,
    stop: async (graceMs = 3000) => {
      signal('SIGTERM')
      const timer = setTimeout(killGroup, graceMs)
      await report.exited
      clearTimeout(timer)
    },
    kill: async () => {
      killGroup()
      await report.exited
    },
  }
}

/** Between a program's end and the wrapper's report of it the pid is already free: that is no error. */
function sendIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

function followReport(wrapper: ChildProcess): { pid: Promise<number | undefined>; exited: Promise<number> } {
  const pid = Promise.withResolvers<number | undefined>()
  const exited = Promise.withResolvers<number>()
  let text = ''
  let code = 137
  // Writing to a leash whose holder is gone (EPIPE) shows nothing new: `exit` follows.
  wrapper.stdin?.on('error', () => wrapper.stdin?.destroy())
  wrapper.stdio[3]?.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    const started = /^pid (\d+)$/m.exec(text)
    if (started) pid.resolve(Number(started[1]))
    const ended = /^exit (\d+)$/m.exec(text)
    if (ended) code = Number(ended[1])
  })
  const end = () => {
    wrapper.stdin?.destroy()
    pid.resolve(undefined)
    exited.resolve(code)
  }
  wrapper.on('error', end)
  wrapper.on('close', end)
  return { pid: pid.promise, exited: exited.promise }
}

/**
 * Asks `probe` until it resolves to true; a probe that throws means "not yet".
 * @throws ChildExited when the child ends first, ChildNotReady when `timeoutMs` has passed.
 */
export async function untilReady(
  child: Child,
  probe: () => Promise<boolean>,
  timeoutMs = 15_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs
  let last: unknown
  while (Date.now() < deadline) {
    if (!child.alive()) throw new ChildExited(child, await child.exited)
    try {
      if (await probe()) return
    } catch (error) {
      last = error
    }
    await Promise.race([sleep(50), child.exited])
  }
  throw new ChildNotReady(child, timeoutMs, last)
}

/**
 * Runs a program to its end and returns what it printed.
 * @throws ChildExited when it fails or is killed after `timeoutMs`.
 */
export async function runToEnd(spec: ChildSpec, timeoutMs: number): Promise<string> {
  const child = await startChild(spec)
  const timer = setTimeout(() => void child.kill(), timeoutMs)
  const code = await child.exited
  clearTimeout(timer)
  if (code !== 0) throw new ChildExited(child, code)
  return readFileSync(child.logFile, 'utf8')
}
