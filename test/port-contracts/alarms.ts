import { expect, test } from 'vitest'
import type { AlarmState } from '../../functions/control/alarm.ts'
import type { Alarms } from '../../functions/ports/alarms.ts'

export interface AlarmsWorld {
  readonly port: Alarms
  /** An alarm of one metric, or one that is composed of others, is in this state from now on. */
  show(name: string, kind: 'metric' | 'composite', value: AlarmState['value']): Promise<void>
}

/** What CloudWatch and whatever stands for it must show of alarms. */
export function alarmsContract(world: () => AlarmsWorld): void {
  test.each(['metric', 'composite'] as const)(
    'a %s alarm is shown by its name with its state, and since when',
    async (kind) => {
      const { port, show } = world()
      const name = `${kind} alarm`
      // CloudWatch may show whole seconds.
      const before = Math.floor(Date.now() / 1000) * 1000
      for (const value of ['ALARM', 'OK'] as const) {
        await show(name, kind, value)
        const shown = (await port.states([name])).get(name)
        expect(shown).toEqual({ value, since: expect.any(Number) })
        expect(shown?.since).toBeGreaterThanOrEqual(before)
        expect(shown?.since).toBeLessThanOrEqual(Date.now())
      }
    },
  )

  test('only alarms that are asked for, and that are there, are shown', async () => {
    const { port, show } = world()
    await show('wanted', 'metric', 'ALARM')
    await show('unwanted', 'metric', 'ALARM')
    const shown = await port.states(['wanted', 'not there'])
    expect([...shown.keys()]).toEqual(['wanted'])
    expect([...(await port.states([])).keys()]).toEqual([])
  })

  test('more alarms than a request takes are all shown', async () => {
    const { port, show } = world()
    const names = Array.from({ length: 120 }, (_, n) => `many-${n}`)
    for (const name of names) await show(name, 'metric', 'ALARM')
    expect([...(await port.states(names)).keys()].toSorted()).toEqual(names.toSorted())
  })
}
