import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { killFunctions, NoFunctionProcess } from '../../lab/emulator/function-process.ts'
import { type Passing, startCheckpoint } from '../../lab/sip/checkpoint.ts'

/** A server that notes what it is asked, and a checkpoint in front of it. */
async function opened() {
  const asked: string[] = []
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      asked.push(body)
      response.end(`done: ${body}`)
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const checkpoint = await startCheckpoint('127.0.0.1', { host: '127.0.0.1', port })
  onTestFinished(async () => {
    await checkpoint.close()
    server.close()
  })
  return { checkpoint, asked }
}

async function ask(origin: string, body: string): Promise<string> {
  return (await fetch(origin, { method: 'POST', body })).text()
}

const is = (half: Passing['half'], body: string) => (passing: Passing) =>
  passing.half === half && passing.body === body

describe('a checkpoint', () => {
  test('keeps a request that is meant from the server, and lets all others pass', async () => {
    const { checkpoint, asked } = await opened()
    const stop = checkpoint.stop(is('request', 'meant'))
    const never = ask(checkpoint.origin, 'meant')
    await stop.reached
    expect(await ask(checkpoint.origin, 'another')).toBe('done: another')
    expect(asked).toEqual(['another'])
    await checkpoint.close()
    await expect(never).rejects.toThrow('fetch failed')
  })

  test('keeps an answer that is meant from its client: the server has done what it was asked', async () => {
    const { checkpoint, asked } = await opened()
    const stop = checkpoint.stop(is('answer', 'meant'))
    const never = ask(checkpoint.origin, 'meant')
    await stop.reached
    expect(asked).toEqual(['meant'])
    await checkpoint.close()
    await expect(never).rejects.toThrow('fetch failed')
  })

  test('stops repetitions too, until it is told to stop no more', async () => {
    const { checkpoint, asked } = await opened()
    const stop = checkpoint.stop(is('request', 'meant'))
    const never = Promise.allSettled([ask(checkpoint.origin, 'meant'), ask(checkpoint.origin, 'meant')])
    await vi.waitFor(() => expect(stop.waiting()).toHaveLength(2))
    stop.lift()
    expect(await ask(checkpoint.origin, 'meant')).toBe('done: meant')
    expect(asked).toEqual(['meant'])
    await checkpoint.close()
    expect((await never).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  })
})

describe('a function that waits at a checkpoint', () => {
  async function waiting() {
    const { checkpoint } = await opened()
    const stop = checkpoint.stop(is('request', 'meant'))
    const script = `await fetch('${checkpoint.origin}', { method: 'POST', body: 'meant' })`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' })
    onTestFinished(() => void child.kill('SIGKILL'))
    await stop.reached
    return { child, sockets: stop.waiting() }
  }

  test('is killed with SIGKILL', async () => {
    const { child, sockets } = await waiting()
    const exited = once(child, 'exit')
    await killFunctions({ pid: process.pid }, sockets)
    expect(await exited).toEqual([null, 'SIGKILL'])
  })

  test("is left alone unless it is a descendant of the emulator's", async () => {
    const { child, sockets } = await waiting()
    const { pid } = child
    if (pid === undefined) throw new Error('the child did not start')
    await expect(killFunctions({ pid }, sockets)).rejects.toThrow(NoFunctionProcess)
    await expect(killFunctions({}, sockets)).rejects.toThrow(NoFunctionProcess)
    expect(child.exitCode ?? child.signalCode).toBeNull()
  })
})
