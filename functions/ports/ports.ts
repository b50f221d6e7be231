import type { ControlConfig } from '../contracts/config.ts'
import type { Alarms } from './alarms.ts'
import type { Clock } from './clock.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { Events } from './events.ts'
import type { Fleet } from './fleet.ts'
import type { GroupMembers } from './group-members.ts'
import type { Ids } from './ids.ts'
import type { Instances } from './instances.ts'
import type { LifecycleActions } from './lifecycle-actions.ts'
import type { MediaServers } from './media-servers.ts'
import type { Metrics } from './metrics.ts'
import type { Settles } from './settles.ts'
import type { Store } from './store.ts'
import type { Workflows } from './workflows.ts'

/** All that the use cases need from outside, but for edges. Each use case names the part it uses. */
export interface Ports {
  readonly config: ControlConfig
  readonly settles: Settles
  readonly instances: Instances
  readonly lifecycleActions: LifecycleActions
  readonly workflows: Workflows
  readonly store: Store
  readonly events: Events
  readonly deadLetters: DeadLetters
  readonly metrics: Metrics
  readonly clock: Clock
  readonly ids: Ids
}

/** What the sweep has besides. */
export interface SweepPorts extends Ports {
  readonly groupMembers: GroupMembers
  readonly alarms: Alarms
}

/** What the settle function has besides, and nobody else. */
export interface EdgePorts
  extends Pick<
    Ports,
    'config' | 'instances' | 'store' | 'workflows' | 'events' | 'metrics' | 'clock' | 'ids'
  > {
  readonly fleet: Fleet
  readonly mediaServers: MediaServers
}
