import type { DestinationUri, WritableState } from '../../functions/control/destination.ts'
import { EdgeError } from '../../functions/control/errors.ts'
import type { CallCount } from '../../functions/control/reading.ts'
import type { CallsOf, Edge } from '../../functions/ports/edge.ts'

/** The port's methods for many, for one: what came of it is returned or thrown. */
export function oneAtATime(edge: Edge) {
  return {
    setState: async (state: WritableState, set: number, uri: DestinationUri) =>
      only(await edge.write([{ state, set, uri }])),
    setDuidState: async (state: WritableState, set: number, uri: DestinationUri, duid: string) =>
      only(await edge.write([{ state, set, uri, duid }])),
    setGuard: async (uri: DestinationUri, held: boolean) => only(await edge.write([{ uri, held }])),
    readGuard: async (uri: DestinationUri) => only(await edge.readGuards([uri])),
    countOf: async (of: CallsOf): Promise<CallCount> => only(await edge.count([of])),
    version: async () => (await edge.facts()).version,
  }
}

function only<T>([answer, ...more]: readonly (T | EdgeError)[]): T {
  if (answer instanceof EdgeError) throw answer
  if (answer === undefined || more.length > 0)
    throw new Error(`${more.length + 1} answers came for one question`)
  return answer
}
