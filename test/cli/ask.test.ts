import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { createAsk } from '../../cli/ask.ts'

function asked(stopped = new AbortController().signal) {
  const [input, output] = [new PassThrough(), new PassThrough()]
  return { input, answer: createAsk(input, output, stopped)('Lift it? [y/N]') }
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

test('a question breaks no word over two lines of its terminal, and the answer stands beside it', async () => {
  const [input, output] = [new PassThrough(), Object.assign(new PassThrough(), { columns: 30 })]
  const ask = createAsk(input, output, new AbortController().signal)
  const answer = ask('This lifts the hold of Operators/bob. Lift it? [y/N]')
  input.write('y\n')
  expect(await answer).toBe(true)
  expect(String(output.read())).toContain('This lifts the hold of\n  Operators/bob. Lift it?\n  [y/N] ')
})

test('who stops the program says no', async () => {
  const stop = new AbortController()
  const { answer } = asked(stop.signal)
  stop.abort()
  expect(await answer).toBe(false)
})
