import { expect, test } from 'vitest'
import type { GroupMembers, WaitingMember } from '../../functions/ports/group-members.ts'

export interface GroupMembersWorld {
  readonly port: GroupMembers
  /** A fresh instance of a group that is there comes to this state. @returns its id */
  arrive(group: string, state: WaitingMember['state'] | 'in-service'): Promise<string>
  /** It waits no more, or is retained no more. */
  leave(member: WaitingMember): Promise<void>
}

const states = ['pending-wait', 'terminating-wait', 'retained'] as const

/** What Auto Scaling and whatever stands for it must do. @param world with the groups `media` and `other` */
export function groupMembersContract(world: () => GroupMembersWorld): void {
  test.each(states)(
    'an instance that is %s is shown with its group, until it is no longer',
    async (state) => {
      const { port, arrive, leave } = world()
      const member = { group: 'media', instanceId: await arrive('media', state), state }
      expect(await port.waiting(['media', 'other'])).toContainEqual(member)
      await leave(member)
      expect((await port.waiting(['media'])).map(({ instanceId }) => instanceId)).not.toContain(
        member.instanceId,
      )
    },
  )

  test('an instance in service is not shown', async () => {
    const { port, arrive } = world()
    const instanceId = await arrive('media', 'in-service')
    expect((await port.waiting(['media'])).map((member) => member.instanceId)).not.toContain(instanceId)
  })

  test('only the groups that are asked for are shown: of none nobody, of a strange one nobody', async () => {
    const { port, arrive } = world()
    const instanceId = await arrive('other', 'terminating-wait')
    expect((await port.waiting(['media'])).map((member) => member.instanceId)).not.toContain(instanceId)
    expect(await port.waiting([])).toEqual([])
    expect(await port.waiting(['nobody'])).toEqual([])
  })

  test('of more groups than a request takes, all are asked for', async () => {
    const { port, arrive } = world()
    const instanceId = await arrive('media', 'terminating-wait')
    const strangers = Array.from({ length: 150 }, (_, n) => `strange-${n}`)
    const shown = await port.waiting([...strangers, 'media'])
    expect(shown.map((member) => member.instanceId)).toContain(instanceId)
  })
}
