import type { GroupMembers, WaitingMember } from '../../functions/ports/group-members.ts'
import { type Faulty, faulty } from './faults.ts'

export interface MemoryGroupMembers extends GroupMembers {
  /** Auto Scaling shows this instance in this state. */
  show(member: WaitingMember): void
  /** It shows it in none of these states any more. */
  hide(instanceId: string): void
}

export function createMemoryGroupMembers(): Faulty<MemoryGroupMembers> {
  const shown = new Map<string, WaitingMember>()
  return faulty<MemoryGroupMembers>({
    show: (member) => void shown.set(member.instanceId, { ...member }),
    hide: (instanceId) => void shown.delete(instanceId),
    waiting: async (groups) =>
      structuredClone([...shown.values()].filter(({ group }) => groups.includes(group))),
  })
}
