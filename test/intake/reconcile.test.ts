import { expect, test } from 'vitest'
import { UnexpectedAnswer } from '../../functions/control/errors.ts'
import { reconcile } from '../../functions/intake/reconcile.ts'
import { createWorld } from '../world/world.ts'

test.each([['keptEvents'], ['pendingOutcomes'], ['holds']] as const)(
  'each minute what can be done is done, also where %s can not be read; then it fails',
  async (broken) => {
    const world = createWorld()
    await world.settledAll()
    const { store } = world.memory
    const asked: string[] = []
    for (const method of ['keptEvents', 'pendingOutcomes', 'holds'] as const) {
      const read = store[method].bind(store) as (...args: never[]) => unknown
      const readOrFail = async (...args: never[]) => {
        asked.push(method)
        if (method === broken) throw new UnexpectedAnswer(`${method}: planted`)
        return read(...args)
      }
      Object.assign(store, { [method]: readOrFail })
    }
    await expect(reconcile(world.ports)).rejects.toThrow('planted')
    expect(asked).toEqual(['keptEvents', 'pendingOutcomes', 'holds'])
  },
)
