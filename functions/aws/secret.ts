import { GetParameterCommand, type SSMClient } from '@aws-sdk/client-ssm'
import { InvalidConfiguration } from '../control/errors.ts'
import type { Clock } from '../use-cases/ports.ts'

/** A secret that may be rotated at any time. Its value goes to a request's header and nowhere else. */
export interface Secret {
  get(): Promise<string>
  /** Reads it again, for the one more try after a 401 or 403. */
  refresh(): Promise<string>
}

const maxAgeMs = 300_000

/** A SecureString of SSM's Parameter Store, read again after 5 minutes; those who ask at once share one request. */
export function createSecret(client: SSMClient, parameter: string, clock: Clock): Secret {
  let value: string | undefined
  let readAt = 0
  let reading: Promise<string> | undefined

  async function read() {
    const answer = await client.send(new GetParameterCommand({ Name: parameter, WithDecryption: true }))
    if (!answer.Parameter?.Value) throw new InvalidConfiguration(`parameter ${parameter} is empty`)
    value = answer.Parameter.Value
    readAt = clock.now()
    return value
  }
  function refresh() {
    reading ??= read().finally(() => {
      reading = undefined
    })
    return reading
  }

  return {
    refresh,
    async get() {
      return value !== undefined && clock.now() - readAt < maxAgeMs ? value : refresh()
    },
  }
}
