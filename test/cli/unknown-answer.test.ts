import { expect, test } from 'vitest'
import type { CommandOutcomeRow } from '../../functions/ports/store.ts'
import { server } from '../world/world.ts'
import { kdcWorld } from './kdc-world.ts'

/** A deployment whose answers are not in the form that this kdc knows. */
function later(changed: (answer: CommandOutcomeRow) => CommandOutcomeRow) {
  const { kdc, world } = kdcWorld()
  world.edge('edge-a').callTo(server)
  const commandOutcome = async (id: string) => {
    const answer = await world.memory.store.commandOutcome(id)
    return answer && changed(answer)
  }
  const deployed = { shelf: { ...world.memory.store, commandOutcome } }
  return (line: string) => kdc(line, { deployed })
}

test.each([`drain ${server} -m why`, `drain ${server} -m why --wait`, 'reload', 'freeze -m why'])(
  'of %s nothing is said to be done where the answer is not in a form that is known: it is shown, with 1',
  async (line) => {
    const kdc = later((answer) => ({ ...answer, edges: 'in two words' }))
    const { code, out, err } = await kdc(line)
    expect(code).toBe(1)
    expect(out).toContain('"edges": "in two words"')
    expect(err).toMatch(
      /^kdc: what came of this \w+ can't be told: kdc may be older .* kdc get command kdc-\S+ prints it again\n$/m,
    )
  },
)

test('a drain whose answer names no hold is not said to be waited for: 1, and names what follows it', async () => {
  const kdc = later(({ hold: _, ...answer }) => answer)
  expect(await kdc(`drain ${server} -m why --wait`)).toMatchObject({
    code: 1,
    err: expect.stringContaining(`follow it with: kdc watch ${server}\n`),
  })
  expect(await kdc(`drain ${server} -m why`)).toMatchObject({ code: 0 })
})
