/** A media server's own count of its active calls, edges aside. */
export interface MediaServers {
  /** @returns undefined when no count is configured for the group; throws when it can't be read. */
  activeCalls(server: { group?: string; addresses: readonly string[] }): Promise<number | undefined>
}
