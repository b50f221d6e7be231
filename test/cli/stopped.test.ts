import { expect, test } from 'vitest'
import type { Deployed } from '../../cli/desk/desk.ts'
import { server } from '../world/world.ts'
import { group } from './doctor-plants.ts'
import { doctorWorld } from './doctor-world.ts'
import { kdcWorld } from './kdc-world.ts'

/** Somebody stops it as it waits for an answer of AWS that never comes. */
function silentUntilStopped() {
  const stop = new AbortController()
  const silent = () => {
    stop.abort()
    return new Promise<never>(() => undefined)
  }
  return { at: { stopped: stop.signal }, silent }
}

test.each([
  ...['doctor', 'history', 'hooks plan', 'hooks apply --yes', 'status', 'get edges', 'get commands'],
  ...['get command c-1', `explain ${server}`],
])('%s is stopped while AWS is asked: 130', async (line) => {
  const { kdc, shelf } = doctorWorld()
  const { at, silent } = silentUntilStopped()
  const deployed: Partial<Deployed> = {
    shelf: new Proxy(shelf, { get: () => silent }),
    surroundings: silent,
  }
  expect(await kdc(line, { ...at, deployed })).toEqual({
    ...{ code: 130, out: '', err: 'kdc: stopped: nothing was changed\n' },
  })
})

test.each(['status -w', 'watch', `watch ${server}`])(
  '%s is stopped while AWS is asked: what is under way goes on',
  async (line) => {
    const { kdc, shelf } = doctorWorld()
    const { at, silent } = silentUntilStopped()
    const deployed: Partial<Deployed> = { shelf: new Proxy(shelf, { get: () => silent }) }
    expect(await kdc(line, { ...at, deployed })).toEqual({
      ...{ code: 130, out: '', err: 'kdc: stopped: what is under way goes on\n' },
    })
  },
)

test('a drain is stopped while its answer is asked for: it is sent, and the command that shows it is named', async () => {
  const { kdc, world, sent } = kdcWorld()
  const { at, silent } = silentUntilStopped()
  const deployed: Partial<Deployed> = { shelf: { ...world.memory.store, commandOutcome: silent } }
  const { code, err } = await kdc(`drain ${server} -m why`, { ...at, deployed })
  expect({ code, sent }).toEqual({ code: 130, sent: [expect.objectContaining({ command: 'drain' })] })
  expect(err).toMatch(/\nkdc: stopped: the command is sent: kdc get command kdc-\S+-drain-\S+\n$/)
})

test('a wait is stopped while AWS is asked: the drain goes on', async () => {
  const { kdc, shelf } = doctorWorld()
  const { at, silent } = silentUntilStopped()
  let isSent = false
  const deployed: Partial<Deployed> = {
    shelf: {
      ...shelf,
      async commandOutcome(id) {
        const found = await shelf.commandOutcome(id)
        isSent ||= found !== undefined
        return found
      },
      holds: () => (isSent ? silent() : shelf.holds()),
    },
  }
  const { code, err } = await kdc(`drain ${server} -m why --wait`, { ...at, deployed })
  expect(code).toBe(130)
  expect(err).toMatch(/\nkdc: stopped: the drain goes on: kdc status shows it\n$/)
})

test('hooks apply is stopped between two hooks: what was changed stays, and it names what shows the rest', async () => {
  const { kdc, around } = doctorWorld()
  around.shown.hooks.set(group, [])
  const stop = new AbortController()
  const surroundings: Deployed['surroundings'] = async () => ({
    ...around,
    async putHook(name, hook) {
      stop.abort()
      await around.putHook(name, hook)
    },
  })
  const at = { deployed: { surroundings }, stopped: stop.signal }
  expect(await kdc('--stack voice hooks apply --yes', at)).toMatchObject({
    code: 130,
    err: expect.stringContaining(
      'stopped: what was changed stays so, and kdc --stack voice hooks plan shows what is left\n',
    ),
  })
  expect(around.shown.hooks.get(group)).toHaveLength(1)
})
