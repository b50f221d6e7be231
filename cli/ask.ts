import { createInterface } from 'node:readline/promises'
import type { Desk } from './desk/desk.ts'
import { harmless, wrapped } from './desk/format.ts'

/** Asks somebody at a terminal. Ctrl-C, Ctrl-D and a terminal that closes are a no. */
export function createAsk(
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream & { readonly columns?: number },
  stopped: AbortSignal,
): NonNullable<Desk['ask']> {
  return async (question) => {
    const prompt = createInterface({ input, output })
    const closed = Promise.withResolvers<string>()
    // A question that is open then is never answered.
    prompt.once('close', () => closed.resolve('no'))
    try {
      const answer = prompt.question(`${wrapped(harmless(question), output.columns || undefined)} `, {
        signal: stopped,
      })
      return /^y(es)?$/i.test((await Promise.race([answer, closed.promise])).trim())
    } catch {
      return false
    } finally {
      prompt.close()
    }
  }
}
