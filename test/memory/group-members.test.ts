import { describe } from 'vitest'
import { groupMembersContract } from '../port-contracts/group-members.ts'
import { createMemoryGroupMembers } from './group-members.ts'

describe('as Auto Scaling', () => {
  const members = createMemoryGroupMembers()
  let last = 0
  groupMembersContract(() => ({
    port: members,
    async arrive(group, state) {
      last += 1
      const instanceId = `i-${last}`
      if (state !== 'in-service') members.show({ group, instanceId, state })
      return instanceId
    },
    leave: async ({ instanceId }) => members.hide(instanceId),
  }))
})
