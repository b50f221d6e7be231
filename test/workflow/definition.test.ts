import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { drainWorkflow } from '../../functions/control/workflow.ts'

const require = createRequire(import.meta.url)
// It brings no types.
const validate: (definition: unknown) => unknown = require('asl-validator')
const judgement = z.object({ isValid: z.boolean(), errors: z.array(z.unknown()) })

/** It compiles its schemas at each call. */
const timeout = 60_000

/**
 * The definition as it is deployed: CloudFormation fills in the functions' ARNs. It is copied, as the
 * validator writes into it.
 */
function judged(change: (text: string) => string = (text) => text): z.output<typeof judgement> {
  const text = JSON.stringify(drainWorkflow).replace(
    /"\$\{(\w+)\}"/g,
    '"arn:aws:lambda:eu-central-1:123456789012:function:$1"',
  )
  return judgement.parse(validate(JSON.parse(change(text))))
}

test('the definition is valid Amazon States Language', { timeout }, () => {
  expect(judged()).toEqual({ isValid: true, errors: [] })
})

test('a state that is not there, a path that is none and a field of another kind would be found', {
  timeout,
}, () => {
  expect(judged((text) => text.replace('"Default":"WaitToLook"', '"Default":"WaitToLuk"')).isValid).toBe(
    false,
  )
  expect(judged((text) => text.replace('"$.waitSeconds"', '"waitSeconds"')).isValid).toBe(false)
  expect(judged((text) => text.replace('"Type":"Wait"', '"Type":"Pause"')).isValid).toBe(false)
})
