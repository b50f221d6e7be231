import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { createAsk } from '../../cli/ask.ts'

function asked(stopped = new AbortController().signal) {
  const [input, output] = [new PassThrough(), new PassThrough()]
  return { input, answer: createAsk(input, output, stopped)('Lift it? [y/N] ') }
}

test.each([
  ['y\n', true],
  ['YES \n', true],
  ['\n', false],
  ['yup\n', false],
])('%j is %s', async (typed, yes) => {
  const { input, answer } = asked()
  input.write(typed)
  expect(await answer).toBe(yes)
})

test('a terminal that closes, or Ctrl-D, is a no: an open question would never be answered', async () => {
  const { input, answer } = asked()
  input.end()
  expect(await answer).toBe(false)
})

test('who stops the program says no', async () => {
  const stop = new AbortController()
  const { answer } = asked(stop.signal)
  stop.abort()
  expect(await answer).toBe(false)
})
