import { canonicalHost } from '../../functions/control/destination.ts'
import type { InstanceFacts } from '../../functions/control/instance-life.ts'
import type { Instances } from '../../functions/ports/instances.ts'
import { type Faulty, faulty } from './faults.ts'

export interface MemoryInstances extends Instances {
  /** Adds an instance, or changes what is known of it. */
  put(facts: InstanceFacts): void
  setState(instanceId: string, state: InstanceFacts['state']): void
  /** EC2 forgets it, as it does about an hour after a termination. */
  forget(instanceId: string): void
}

/** EC2 shows no address of a terminated machine any more. */
function shown(facts: InstanceFacts): InstanceFacts {
  return facts.state === 'terminated' ? { ...facts, addresses: [] } : facts
}

export function createMemoryInstances(initial: readonly InstanceFacts[] = []): Faulty<MemoryInstances> {
  const known = new Map(initial.map((facts) => [facts.instanceId, shown(facts)]))
  return faulty<MemoryInstances>({
    put: (facts) => {
      known.set(facts.instanceId, structuredClone(shown(facts)))
    },
    setState(instanceId, state) {
      const facts = known.get(instanceId)
      if (!facts) throw new Error(`no instance ${instanceId}`)
      known.set(instanceId, shown({ ...facts, state }))
    },
    forget: (instanceId) => {
      if (!known.delete(instanceId)) throw new Error(`no instance ${instanceId}`)
    },
    inGroups: async (groups) =>
      structuredClone(
        [...known.values()].filter(({ group }) => group !== undefined && groups.includes(group)),
      ),
    byIds: async (instanceIds) => structuredClone(instanceIds.flatMap((id) => known.get(id) ?? [])),
    byAddress: async (host) =>
      structuredClone(
        [...known.values()].filter(
          (facts) =>
            (facts.state === 'running' || facts.state === 'pending') &&
            facts.addresses.includes(canonicalHost(host) ?? host),
        ),
      ),
  })
}
