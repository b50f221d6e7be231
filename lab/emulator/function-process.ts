import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { Socket } from 'node:net'
import type { Emulator } from './emulator.ts'

/** No process of the emulator's has the other end of a connection. */
export class NoFunctionProcess extends Error {
  override readonly name = 'NoFunctionProcess'
}

/**
 * Kills the functions' processes that have the other ends of these connections, with SIGKILL, and waits until
 * those are closed.
 * @throws NoFunctionProcess, before anything is killed
 */
export async function killFunctions(
  emulator: Pick<Emulator, 'pid'>,
  sockets: readonly Socket[],
): Promise<void> {
  const pids = new Set(sockets.map((socket) => processBehind(emulator, socket)))
  const closed = sockets.map((socket) => once(socket, 'close'))
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  await Promise.all(closed)
}

/**
 * Only the emulator's descendants are looked at: it starts a process for each execution environment of a
 * function.
 */
function processBehind({ pid: emulator }: Pick<Emulator, 'pid'>, socket: Socket): number {
  const link = `socket:[${inodeOfOtherEnd(socket)}]`
  const found = emulator === undefined ? undefined : descendantsOf(emulator).find((pid) => opens(pid, link))
  if (found === undefined)
    throw new NoFunctionProcess(
      `no process below ${emulator ?? 'an emulator that the lab did not start'} has ${link}`,
    )
  return found
}

/** The columns of Linux' /proc/net/tcp: local address, the other end's, and as the tenth the inode. */
function inodeOfOtherEnd({ remoteAddress, remotePort, localAddress, localPort }: Socket): string | undefined {
  const [local, remote] = [inHex(remoteAddress, remotePort), inHex(localAddress, localPort)]
  const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n')
  const columns = lines.map((line) => line.trim().split(/\s+/))
  return columns.find(([, from, to]) => from === local && to === remote)?.[9]
}

/** 127.0.1.2:8080 is `0201007F:1F90` on every machine whose bytes go the usual way. */
function inHex(address = '', port = 0): string {
  const bytes = address.split('.').reverse()
  const hex = (value: number, digits: number) => value.toString(16).toUpperCase().padStart(digits, '0')
  return `${bytes.map((byte) => hex(Number(byte), 2)).join('')}:${hex(port, 4)}`
}

function descendantsOf(ancestor: number): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const parents = new Map(pids.map((pid) => [Number(pid), parentOf(pid)]))
  const isBelow = (pid: number | undefined): boolean =>
    pid !== undefined && (parents.get(pid) === ancestor || isBelow(parents.get(pid)))
  return [...parents.keys()].filter(isBelow)
}

/** @returns undefined where the process is gone meanwhile */
function parentOf(pid: string): number | undefined {
  const stat = ifThere(() => readFileSync(`/proc/${pid}/stat`, 'utf8'))
  // `pid (name) state parent …`, and a name may have spaces and brackets.
  return stat === undefined ? undefined : Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
}

function opens(pid: number, link: string): boolean {
  const fds = ifThere(() => readdirSync(`/proc/${pid}/fd`)) ?? []
  return fds.some((fd) => ifThere(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) === link)
}

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
