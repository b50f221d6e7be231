import { expect, test } from 'vitest'
import type { Desk } from '../../cli/desk/desk.ts'
import { kdcWorld } from './kdc-world.ts'

const contexts = `
production: { stack: voice, region: eu-central-1, profile: voice-operator }
lab: { region: us-east-1 }
`
async function placeOf(line: string) {
  const places: unknown[] = []
  const reach: Desk['reach'] = async (place) => {
    places.push(place)
    throw new Error('enough')
  }
  const { err } = await kdcWorld().kdc(line, { reach, contexts })
  return places[0] ?? err
}

test('a context names stack, region and profile; an option counts before it; none is as ever', async () => {
  expect(await placeOf('status --context production')).toEqual({
    ...{ stack: 'voice', region: 'eu-central-1', profile: 'voice-operator' },
  })
  expect(await placeOf('--context production status --profile alice')).toMatchObject({ profile: 'alice' })
  expect(await placeOf('--context lab status')).toEqual({ stack: 'dispatcher-control', region: 'us-east-1' })
  expect(await placeOf('status')).toEqual({ stack: 'dispatcher-control' })
})

test('a mend that is a command of the AWS CLI has the region and profile of the context', async () => {
  const { kdc, around } = kdcWorld()
  around.shown.reserved.set('dispatcher-control-ControlSettleFunction9F', 0)
  const { out } = await kdc('--context production doctor', { contexts })
  expect(out).toContain('mend: aws --region eu-central-1 --profile voice-operator lambda delete-function-')
})

test.each([
  [contexts, 'no context "staging": ~/.config/kdc/contexts.yaml has production, lab'],
  [undefined, 'no context "staging": ~/.config/kdc/contexts.yaml names none'],
  [
    'staging: { stak: voice }',
    "~/.config/kdc/contexts.yaml can't be read: .*stak.*; it has to be a file that you may read, with lines name: { stack: …",
  ],
  ['staging: [', "can't be read: "],
])(
  'a context that is not there, or a file that is wrong, is a line that says what to do',
  async (text, why) => {
    const { code, err } = await kdcWorld().kdc('status --context staging', {
      ...(text !== undefined && { contexts: text }),
    })
    expect(code).toBe(2)
    expect(err).toMatch(new RegExp(`^kdc: .*${why.replaceAll(/[{}]/g, '\\$&')}.*\n$`))
  },
)
