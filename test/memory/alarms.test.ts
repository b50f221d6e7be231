import { describe } from 'vitest'
import { alarmsContract } from '../port-contracts/alarms.ts'
import { createMemoryAlarms } from './alarms.ts'

describe('as CloudWatch', () => {
  const alarms = createMemoryAlarms()
  alarmsContract(() => ({
    port: alarms,
    show: async (name, _kind, value) => alarms.show(name, { value, since: Date.now() }),
  }))
})
