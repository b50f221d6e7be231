import type { DrainRequest } from './claim.ts'
import type { LifecycleTarget } from './drain.ts'

/** A lifecycle action that asks for a drain. Times in epoch ms. */
export interface TerminatingAction {
  readonly target: LifecycleTarget
  readonly who: string
  readonly why: string
  readonly order: string
  readonly requestedAt: number
  readonly deadlineAt: number
}

/** @returns the id of an instance's drain at a hook, which is its hold's key */
export function lifecycleDrainId(instanceId: string, hook: string): string {
  return `lifecycle/${instanceId}/${hook}`
}

/** What it covers is found by settle: an EC2 that does not answer keeps no server in service. */
export function lifecycleRequest({
  target,
  requestedAt,
  deadlineAt,
  ...asked
}: TerminatingAction): DrainRequest {
  const { group, hook, instanceId } = target
  return {
    action: target,
    hold: {
      ...asked,
      source: 'lifecycle',
      id: `${instanceId}/${hook}`,
      subject: { kind: 'instance', instanceId, launchedAt: 0 },
      uris: [],
      addresses: [],
      wholeInstance: true,
      group,
      placedAt: requestedAt,
      until: deadlineAt,
    },
  }
}
