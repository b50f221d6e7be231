import { GetParameterCommand, type SSMClient } from '@aws-sdk/client-ssm'
import { InvalidConfiguration } from '../control/errors.ts'
import type { Clock } from '../ports/clock.ts'
import { type Cached, createCached } from './cached.ts'

/**
 * A secret that may be rotated at any time, and is read again for the one more try after a 401 or 403. Its
 * value goes to a request's header and nowhere else.
 */
export type Secret = Cached<string>

/** A SecureString of SSM's Parameter Store. */
export function createSecret(client: SSMClient, parameter: string, clock: Clock): Secret {
  return createCached(async () => {
    const answer = await client.send(new GetParameterCommand({ Name: parameter, WithDecryption: true }))
    if (!answer.Parameter?.Value) throw new InvalidConfiguration(`parameter ${parameter} is empty`)
    return answer.Parameter.Value
  }, clock)
}
