import { expect, test } from 'vitest'
import { server } from '../world/world.ts'
import { kdcWorld, unreached } from './kdc-world.ts'

const drain = `drain ${server} -m 'disk failing'`

test.each([
  [`${drain} --from 2020-01-01T00:00:00Z`, ': leave --from out to have the drain begin at once'],
  [`${drain} --until 2020-01-01T00:00:00Z`, ': a hold ends later, or without --until only by activate'],
  [`${drain} --from 40d`, ': a window begins 30 days later at most; send it nearer to it'],
  ['freeze -m why --until 2020-01-01T00:00:00Z', ': a freeze ends later, or has no end'],
])(
  'what is not sent is not said to have been sent: %s is judged by this machine’s clock',
  async (line, what) => {
    const { err } = await kdcWorld().kdc(line, { reach: unreached })
    expect(err).toContain(`, this machine's clock shows 2026-11-22 20:00:00 UTC${what}`)
    expect(err).not.toContain('sent')
  },
)
