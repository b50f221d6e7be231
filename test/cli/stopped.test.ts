import { expect, test } from 'vitest'
import type { Deployed } from '../../cli/desk/desk.ts'
import { server } from '../world/world.ts'
import { group } from './doctor-plants.ts'
import { doctorWorld } from './doctor-world.ts'

test.each([
  ...['doctor', 'history', 'hooks plan', 'hooks apply --yes', 'status', 'get edges', 'get commands'],
  ...['get command c-1', `explain ${server}`],
])('%s is stopped while AWS is asked: 130', async (line) => {
  const { kdc, shelf } = doctorWorld()
  const stop = new AbortController()
  const silent = () => {
    stop.abort()
    return new Promise<never>(() => undefined)
  }
  const deployed: Partial<Deployed> = {
    shelf: new Proxy(shelf, { get: () => silent }),
    surroundings: silent,
  }
  expect(await kdc(line, { deployed, stopped: stop.signal })).toEqual({
    ...{ code: 130, out: '', err: 'kdc: stopped: nothing was changed\n' },
  })
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
