import type { CallCountConfig, GroupConfig } from '../contracts/config.ts'
import { DispatcherControlError } from '../control/errors.ts'
import { isPrivateAddress } from '../control/private-address.ts'
import type { MediaServers } from '../ports/media-servers.ts'
import { asteriskChannels } from './asterisk.ts'

/** No address of a media server gave its own count of calls: unknown, never 0. */
export class MediaServerUnreadable extends DispatcherControlError {
  override readonly name = 'MediaServerUnreadable'
  readonly permanent = false
}

export interface MediaServerSettings {
  readonly groups: readonly GroupConfig[]
  /** Reads a SecureString by its parameter's name. */
  password(parameter: string): Promise<string>
  /** for each address that is asked */
  readonly timeoutMs: number
}

interface Question {
  readonly config: CallCountConfig
  readonly address: string
  readonly password: string
  readonly timeoutMs: number
}

/**
 * How each kind of media server is asked. Another kind is another entry in this table and in the
 * configuration's schema.
 */
const readers: Readonly<Record<CallCountConfig['kind'], (question: Question) => Promise<number>>> = {
  asterisk: ({ config, address, password, timeoutMs }) =>
    asteriskChannels({ address, port: config.port, user: config.user, password, timeoutMs }),
}

/**
 * The media servers' own counts, for groups that have `callCount` configured. Addresses are tried in their
 * order.
 */
export function createMediaServers(settings: MediaServerSettings): MediaServers {
  return {
    async activeCalls({ group, addresses }) {
      const config = settings.groups.find((candidate) => candidate.name === group)?.callCount
      if (!config) return undefined
      const password = await settings.password(config.passwordParameter)
      const failures: string[] = []
      // The password goes in the clear: never to a public address, nor to a name that may lead to one.
      for (const address of addresses.filter(isPrivateAddress)) {
        try {
          return await readers[config.kind]({ config, address, password, timeoutMs: settings.timeoutMs })
        } catch (error) {
          failures.push(`${address}: ${error instanceof Error ? error.message : String(error)}`)
        }
      }
      throw new MediaServerUnreadable(
        `${config.kind} of group ${group}: ${failures.join('; ') || 'no private address is known'}`,
      )
    },
  }
}
