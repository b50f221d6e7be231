import type { Deployed } from '../desk/desk.ts'
import { inShell } from '../desk/shell-word.ts'
import { error, type Finding, runbook, warning } from './finding.ts'
import type { GroupPlan, HookChange } from './hook-plan.ts'

/** Processes without which a group neither scales in nor out. */
const ourProcesses = ['Launch', 'Terminate']

/** Hooks of the groups, against the settings. */
export function checkHooks(
  plans: readonly GroupPlan[],
  { kdc, aws }: Pick<Deployed, 'kdc' | 'aws'>,
): Finding[] {
  return plans.flatMap(({ group, shown, changes, others }) => {
    if (!shown)
      return [
        error(
          'group-missing',
          group,
          'there is no Auto Scaling group of this name: nothing of it is drained',
          "correct its name in the settings' groups, and deploy",
        ),
      ]
    const suspended = shown.suspended.filter((process) => ourProcesses.includes(process))
    return [
      ...changes.map((change) => changeFinding(change, kdc)),
      ...others.map((hook) =>
        warning(
          'others-hook',
          `${group}/${hook}`,
          "another terminate hook: it holds an instance longer than its calls last, and its ABANDON counts for the group's lifecycle policy too",
          `let who made it take it away, or have it complete its actions: ${runbook('auto-scaling-is-stuck')}`,
        ),
      ),
      ...(suspended.length > 0
        ? [
            warning(
              'group-suspended',
              group,
              `somebody has suspended ${suspended.join(' and ')}: it does not scale`,
              `${aws} autoscaling resume-processes --auto-scaling-group-name ${inShell(group)} --scaling-processes ${suspended.join(' ')}`,
            ),
          ]
        : []),
    ]
  })
}

const checks: Readonly<Record<HookChange['what'], string>> = {
  hook: 'hook-missing',
  transition: 'hook-transition',
  'default result': 'hook-default-result',
  'heartbeat timeout': 'hook-heartbeat',
  'lifecycle policy': 'lifecycle-policy',
}
const consequences: Readonly<Record<HookChange['what'], string>> = {
  hook: 'instances go, or get calls, without it',
  transition: 'it holds others than it should',
  'default result': 'an outage of ours would cut calls, or end new instances',
  'heartbeat timeout': 'heartbeats are sent, and deadlines kept, by that of the settings',
  'lifecycle policy': 'what is retained at a deadline would go with its calls',
}

function changeFinding({ group, hook, what, shown, wanted, byHand }: HookChange, kdc: string): Finding {
  return error(
    checks[what],
    hook === '-' ? group : `${group}/${hook}`,
    `${what}: ${shown}, the settings want ${wanted}: ${consequences[what]}`,
    byHand === undefined
      ? `${kdc} hooks apply`
      : `${byHand}; first read ${runbook('remove-a-group-a-hook-or-the-stack')}; then: ${kdc} hooks apply`,
  )
}
