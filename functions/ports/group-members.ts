/** An instance that Auto Scaling has waiting at a hook, whose it does not show, or that it retains. */
export interface WaitingMember {
  readonly group: string
  readonly instanceId: string
  readonly state: 'pending-wait' | 'terminating-wait' | 'retained'
}

/** What Auto Scaling shows of our groups. */
export interface GroupMembers {
  waiting(groups: readonly string[]): Promise<readonly WaitingMember[]>
}
