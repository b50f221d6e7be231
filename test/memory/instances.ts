import { canonicalHost } from '../../functions/control/destination.ts'
import type { InstanceFacts, Instances } from '../../functions/use-cases/ports.ts'
import { type Faulty, faulty } from './faults.ts'

export interface MemoryInstances extends Instances {
  /** Adds an instance, or changes what is known of it. */
  put(facts: InstanceFacts): void
  setState(instanceId: string, state: InstanceFacts['state']): void
  /** EC2 forgets it, as it does about an hour after a termination. */
  forget(instanceId: string): void
}

export function createMemoryInstances(initial: readonly InstanceFacts[] = []): Faulty<MemoryInstances> {
  const known = new Map(initial.map((facts) => [facts.instanceId, facts]))
  return faulty<MemoryInstances>({
    put: (facts) => {
      known.set(facts.instanceId, structuredClone(facts))
    },
    setState(instanceId, state) {
      const facts = known.get(instanceId)
      if (!facts) throw new Error(`no instance ${instanceId}`)
      known.set(instanceId, { ...facts, state })
    },
    forget: (instanceId) => {
      known.delete(instanceId)
    },
    byId: async (instanceId) => structuredClone(known.get(instanceId)),
    gone: async (instanceIds) =>
      instanceIds.filter((id) => ['shutting-down', 'terminated'].includes(known.get(id)?.state ?? '')),
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
