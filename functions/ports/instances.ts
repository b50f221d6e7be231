import type { InstanceFacts } from '../control/instance-life.ts'

/**
 * What EC2 shows now, in as few requests as it takes. Who wants to know of an instance asks the inventory,
 * which asks this.
 */
export interface Instances {
  inGroups(groups: readonly string[]): Promise<readonly InstanceFacts[]>
  /**
   * Those that EC2 knows: not one that was launched seconds ago, terminated about an hour ago, or never
   * there.
   */
  byIds(instanceIds: readonly string[]): Promise<readonly InstanceFacts[]>
  /** The running or pending instances with this address: two VPCs may use the same. */
  byAddress(host: string): Promise<readonly InstanceFacts[]>
}
