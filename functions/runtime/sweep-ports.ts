import { AutoScalingClient } from '@aws-sdk/client-auto-scaling'
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch'
import { createAlarms } from '../aws/alarms.ts'
import { createGroupMembers } from '../aws/group-members.ts'
import type { SweepPorts } from '../ports/ports.ts'
import { clientSettings } from './client-settings.ts'
import type { Environment } from './environment.ts'
import { createPorts } from './ports.ts'

/** Constructs every adapter of the sweep, once per cold start. Nothing is read or connected yet. */
export function createSweepPorts(environment: Environment): SweepPorts {
  return {
    ...createPorts(environment),
    groupMembers: createGroupMembers(new AutoScalingClient(clientSettings)),
    alarms: createAlarms(new CloudWatchClient(clientSettings)),
  }
}
