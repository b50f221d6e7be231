import { describe, expect, test } from 'vitest'
import { some } from '../present.ts'
import { clientOf, loopback, media, reply, result } from './loopback.ts'

const uptime = { now: 'x', up_since: 'Sun Nov 22 20:16:46 2026', uptime: 4 }
const updated = 'Ok. Dispatcher state updated.'

describe('a request is exactly what an edge allows by a regular expression', () => {
  test('key order, no spaces, numbers as numbers, ids that rise, a length and never chunks', async () => {
    const server = await loopback((request, socket) =>
      reply(socket, result(request, request.body.includes('uptime') ? uptime : updated)),
    )
    const edge = clientOf(server)
    await edge.setState('d', 1, media)
    await edge.setDuidState('ap', 0, media, 'ms-a')
    await edge.boot()
    expect(server.requests.map((request) => request.body)).toEqual([
      '{"jsonrpc":"2.0","method":"dispatcher.set_state","params":["d",1,"sip:10.0.1.20:5060"],"id":1}',
      '{"jsonrpc":"2.0","method":"dispatcher.set_duid_state","params":["ap",0,"ms-a"],"id":2}',
      '{"jsonrpc":"2.0","method":"core.uptime","params":[],"id":3}',
    ])
    for (const { head, body } of some(server.requests)) {
      expect(head).toMatch(/^POST \/rpc HTTP\/1\.1\r\n/)
      expect(head.toLowerCase()).toContain(`content-length: ${body.length}`)
      expect(head.toLowerCase()).not.toContain('transfer-encoding')
      expect(head.toLowerCase()).not.toContain('x-rpc-key')
    }
  })
})

describe('connections', () => {
  test('one call after the other goes over kept connections', async () => {
    const server = await loopback((request, socket) => reply(socket, result(request, uptime)))
    const edge = clientOf(server)
    for (let call = 0; call < 20; call++) await edge.boot()
    // the next call may start before the last reply is put away
    expect(server.connections()).toBeLessThanOrEqual(2)
  })

  test('many at once use few connections, and no request is sent before the reply to the last one', async () => {
    const open = new Map<number, number>()
    let pipelined = false
    const server = await loopback((request, socket) => {
      const waiting = (open.get(request.connection) ?? 0) + 1
      open.set(request.connection, waiting)
      pipelined ||= waiting > 1
      setImmediate(() => {
        open.set(request.connection, waiting - 1)
        reply(socket, result(request, uptime))
      })
    })
    const edge = clientOf(server)
    await Promise.all(Array.from({ length: 100 }, () => edge.boot()))
    expect(server.requests).toHaveLength(100)
    expect(server.connections()).toBeLessThanOrEqual(8)
    expect(pipelined).toBe(false)
  })

  test('a kept connection that the edge resets at the next request does not fail a read', async () => {
    const server = await loopback((request, socket) => {
      if (request.number === 2) socket.resetAndDestroy()
      else reply(socket, result(request, uptime))
    })
    const edge = clientOf(server)
    await edge.boot()
    expect(await edge.boot()).toEqual({ bootTime: uptime.up_since, uptimeSeconds: 4 })
    expect(server.requests).toHaveLength(3)
  })

  test('after a reset an idempotent write is sent once more and a reload is not; after a timeout neither is', async () => {
    const resets = await loopback((_request, socket) => socket.resetAndDestroy())
    await expect(clientOf(resets).setState('d', 1, media)).rejects.toMatchObject({ fault: 'unreachable' })
    expect(resets.requests).toHaveLength(2)
    await expect(clientOf(resets).reload()).rejects.toMatchObject({ fault: 'unreachable' })
    expect(resets.requests).toHaveLength(3)
    const silent = await loopback(() => undefined)
    const edge = clientOf(silent, { timeoutMs: 60 })
    await expect(edge.setState('d', 1, media)).rejects.toMatchObject({ fault: 'unreachable' })
    await expect(edge.reload()).rejects.toMatchObject({ fault: 'unreachable' })
    expect(silent.requests).toHaveLength(2)
  })
})

describe('the shared secret', () => {
  const ask = (...secrets: string[]) => {
    const asked = { current: 0, fresh: 0 }
    const key = {
      secret: async () => {
        asked.current += 1
        return secrets[0]
      },
      refreshSecret: async () => {
        asked.fresh += 1
        return secrets[1] ?? secrets[0]
      },
    }
    return { key, asked }
  }

  test('a refused secret is asked for afresh once, and the call is sent once more with it', async () => {
    const server = await loopback((request, socket) => {
      if (request.head.includes('the-new-secret')) reply(socket, result(request, updated))
      else reply(socket, '', '401 Unauthorized')
    })
    const { key, asked } = ask('the-old-secret', 'the-new-secret')
    await clientOf(server, { key }).setState('d', 1, media)
    expect(asked).toEqual({ current: 1, fresh: 1 })
    const [body, ...again] = server.requests.map((request) => request.body)
    expect(again).toEqual([body])
  })

  test('the same secret again is not tried again', async () => {
    const server = await loopback((_request, socket) => reply(socket, '', '403 Forbidden'))
    const { key } = ask('the-only-secret')
    await expect(clientOf(server, { key }).list()).rejects.toMatchObject({ fault: 'unauthorized' })
    expect(server.requests).toHaveLength(1)
  })

  test('no error holds it, whatever the edge says', async () => {
    const secret = 'hush-hush-hush'
    const { key } = ask(secret)
    const bodies = [
      `echo ${secret}`,
      `{"jsonrpc":"2.0","error":{"code":500,"message":"X-RPC-Key ${secret}"},"id":1}`,
      `{"jsonrpc":"2.0","result":{"RECORDS":[{"SET":{"ID":1,"TARGETS":[{"DEST":{"URI":"${secret}","FLAGS":"AX"}}]}}]},"id":1}`,
    ]
    for (const body of some(bodies)) {
      for (const status of ['200 OK', '401 Unauthorized', '500 Internal Server Error']) {
        const server = await loopback((_request, socket) => reply(socket, body, status))
        const text = await clientOf(server, { key })
          .list()
          .then(
            (list) => `EdgeList ${JSON.stringify(list)}`,
            (e: Error) => `${e.stack} ${e.cause}`,
          )
        expect(text).toMatch(/EdgeError|^EdgeList .*\[secret\]/)
        expect(text).not.toContain(secret)
      }
    }
  })

  test('one that no header may carry, or that can not be read, is unauthorized before anything is sent', async () => {
    const server = await loopback((request, socket) => reply(socket, result(request, uptime)))
    for (const secret of ['line-end-copied-along\n', 'two words here', '', 'short'])
      await expect(clientOf(server, ask(secret)).boot()).rejects.toMatchObject({ fault: 'unauthorized' })
    const refused = () => Promise.reject(new Error('AccessDenied'))
    const edge = clientOf(server, { key: { secret: refused, refreshSecret: refused } })
    await expect(edge.boot()).rejects.toMatchObject({ name: 'EdgeError', fault: 'unauthorized' })
    expect(server.requests).toHaveLength(0)
  })
})
