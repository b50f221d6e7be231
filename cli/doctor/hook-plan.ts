import type { GroupConfig } from '../../functions/contracts/config.ts'
import { mayRetain } from '../../functions/control/deadline.ts'
import { inShell } from '../desk/shell-word.ts'
import type { Hook, ShownGroup } from '../desk/surroundings.ts'

/** A group as Auto Scaling shows it. */
export interface GroupShown extends ShownGroup {
  readonly hooks: readonly Hook[]
}

/** One thing of a group that is not as the settings want it. */
export interface HookChange {
  readonly group: string
  /** the hook's name; `-`: of the group itself */
  readonly hook: string
  readonly what: 'hook' | 'transition' | 'default result' | 'heartbeat timeout' | 'lifecycle policy'
  readonly shown: string
  readonly wanted: string
  /** what a person has to do, where we may not */
  readonly byHand?: string
}

export interface GroupPlan {
  readonly group: string
  /** absent: there is no such group */
  readonly shown?: GroupShown
  readonly changes: readonly HookChange[]
  /** hooks to be put as they are here */
  readonly put: readonly Hook[]
  /** whether the group is to be told to keep abandoned instances */
  readonly retain: boolean
  /** others' hooks for terminating instances */
  readonly others: readonly string[]
}

/** What is to be changed of each group of the settings. Others' hooks are left alone. */
export function planHooks(
  groups: readonly GroupConfig[],
  shown: readonly GroupShown[],
  aws: string,
): GroupPlan[] {
  return groups.map((group) => {
    const found = shown.find(({ name }) => name === group.name)
    return found
      ? planOf(group, found, aws)
      : { group: group.name, changes: [], put: [], retain: false, others: [] }
  })
}

function planOf(group: GroupConfig, shown: GroupShown, aws: string): GroupPlan {
  const { name, terminateHook, launchHook } = group
  const wanted = wantedHooks(group, shown.hooks)
  const retain = mayRetain(group.deadlinePolicy) && !shown.retains
  const changes = wanted.map((hook) => ({ hook, changes: changesOf(hook, shown, aws) }))
  const mayPut = changes.filter(
    (each) => each.changes.length > 0 && !each.changes.some(({ byHand }) => byHand),
  )
  const isOurs = (hook: Hook) => hook.name === terminateHook || hook.name === launchHook
  return {
    group: name,
    shown,
    changes: [...(retain ? [lifecyclePolicy(name)] : []), ...changes.flatMap((each) => each.changes)],
    put: mayPut.map(({ hook }) => hook),
    retain,
    others: shown.hooks
      .filter((hook) => hook.transition === 'terminating' && !isOurs(hook))
      .map((hook) => hook.name),
  }
}

/** As `addHooks` of lib/lifecycle-hooks.ts puts them on groups that the CDK makes. */
function wantedHooks(group: GroupConfig, shown: readonly Hook[]): Hook[] {
  const { terminateHook, launchHook, heartbeatTimeoutSeconds } = group
  const terminating: Hook = {
    name: terminateHook,
    transition: 'terminating',
    heartbeatSeconds: heartbeatTimeoutSeconds,
    // With ABANDON our own outage retains the instance too.
    defaultResult: mayRetain(group.deadlinePolicy) ? 'ABANDON' : 'CONTINUE',
  }
  if (launchHook === undefined) return [terminating]
  const known = shown.find(({ name }) => name === launchHook)
  const launching: Hook = {
    name: launchHook,
    transition: 'launching',
    // The settings have no timeout of their own for launches.
    heartbeatSeconds: known?.heartbeatSeconds ?? heartbeatTimeoutSeconds,
    // ABANDON would have our own outage end every new instance.
    defaultResult: 'CONTINUE',
  }
  return [terminating, launching]
}

function changesOf(wanted: Hook, { name: group, hooks }: GroupShown, aws: string): HookChange[] {
  const its = hooks.find(({ name }) => name === wanted.name)
  const change = (
    what: HookChange['what'],
    now: string,
    so: string,
    more: { readonly byHand?: string } = {},
  ) => ({
    ...{ group, hook: wanted.name, what, shown: now, wanted: so },
    ...more,
  })
  if (!its) return [change('hook', 'missing', hookText(wanted))]
  // What waits at it is completed when it is deleted: nobody but a person may.
  if (its.transition !== wanted.transition)
    return [
      change('transition', its.transition, wanted.transition, { byHand: deletion(group, its.name, aws) }),
    ]
  return [
    ...(its.defaultResult === wanted.defaultResult
      ? []
      : [change('default result', its.defaultResult, wanted.defaultResult)]),
    ...(its.heartbeatSeconds === wanted.heartbeatSeconds
      ? []
      : [change('heartbeat timeout', `${its.heartbeatSeconds} s`, `${wanted.heartbeatSeconds} s`)]),
  ]
}

function hookText({ transition, heartbeatSeconds, defaultResult }: Hook): string {
  return `${transition}, ${defaultResult}, ${heartbeatSeconds} s`
}

function lifecyclePolicy(group: string): HookChange {
  return {
    ...{ group, hook: '-', what: 'lifecycle policy' },
    ...{ shown: 'an abandoned instance is terminated', wanted: 'retain' },
  }
}

function deletion(group: string, hook: string, aws: string): string {
  return `${aws} autoscaling delete-lifecycle-hook --auto-scaling-group-name ${inShell(group)} --lifecycle-hook-name ${inShell(hook)}`
}
