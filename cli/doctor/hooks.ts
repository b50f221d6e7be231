import { inParallel } from '../../functions/aws/in-parallel.ts'
import { type Deployed, type Desk, unlessStopped } from '../desk/desk.ts'
import { type ExitCode, exitCodes, Stop } from '../desk/exit-codes.ts'
import { isDenied } from '../desk/failure.ts'
import { type Format, formatted, print, type Shown } from '../desk/format.ts'
import type { Surroundings } from '../desk/surroundings.ts'
import { type Column, table } from '../desk/table.ts'
import { type GroupPlan, type HookChange, planHooks } from './hook-plan.ts'

/** Prints what would be changed of the groups' hooks for them to be as the settings want them. */
export async function hooksPlan(desk: Desk, deployed: Deployed, output: Format): Promise<ExitCode> {
  const plans = await planned(await deployed.surroundings(), deployed)
  print(desk, showChanges(plans), output)
  return exitAfter(plans)
}

/** Makes it so, and prints what is left to be changed after it, as it is read back. */
export async function hooksApply(
  desk: Desk,
  deployed: Deployed,
  { output, yes }: { readonly output: Format; readonly yes?: boolean },
): Promise<ExitCode> {
  const { around, before } = await unlessStopped(desk, async () => {
    const found = await deployed.surroundings()
    return { around: found, before: await planned(found, deployed) }
  })
  const todo = before.filter(({ put, retain }) => retain || put.length > 0)
  if (todo.length > 0) {
    desk.err(formatted(showChanges(before), 'table', desk.screen))
    if (yes !== true) await askFirst(desk, todo)
    await allowed(() => inParallel(todo, (plan) => apply(desk, around, plan)))
  }
  if (desk.stopped.aborted)
    throw new Stop(
      `stopped: what was changed stays so, and ${deployed.kdc} hooks plan shows what is left`,
      exitCodes.interrupted,
    )
  const after = await planned(around, deployed)
  print(desk, showChanges(after), output)
  return exitAfter(after)
}

async function planned(around: Surroundings, { aws }: Deployed): Promise<GroupPlan[]> {
  const { control } = await around.settings()
  const groups = await around.groups(control.groups.map(({ name }) => name))
  const shown = await inParallel(groups, async (group) => ({
    ...group,
    hooks: await around.hooks(group.name),
  }))
  return planHooks(control.groups, shown, aws)
}

/** @throws Stop */
async function askFirst(desk: Desk, todo: readonly GroupPlan[]): Promise<void> {
  const names = todo.map(({ group }) => group).join(', ')
  if (!desk.ask)
    throw new Stop(`refused: this changes hooks of ${names}; say so with --yes`, exitCodes.refused)
  if (!(await desk.ask(`This changes hooks of ${names}. Change them? [y/N]`)))
    throw new Stop('nothing was changed', exitCodes.refused)
}

/** First what keeps an abandoned instance, then what abandons one. Who stops it has the next one left out. */
async function apply(
  { stopped }: Desk,
  around: Surroundings,
  { group, put, retain }: GroupPlan,
): Promise<void> {
  if (retain && !stopped.aborted) await around.retain(group)
  for (const hook of put) if (!stopped.aborted) await around.putHook(group, hook)
}

async function allowed(work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!isDenied(error)) throw error
    throw new Stop(
      `not allowed: autoscaling:PutLifecycleHook and autoscaling:UpdateAutoScalingGroup are in neither policy of the stack; run it as whoever deploys the groups (${error instanceof Error ? error.message : error})`,
      undefined,
      { cause: error },
    )
  }
}

function exitAfter(plans: readonly GroupPlan[]): ExitCode {
  const isDone = plans.every(({ shown, changes }) => shown !== undefined && changes.length === 0)
  return isDone ? exitCodes.done : exitCodes.findings
}

function showChanges(plans: readonly GroupPlan[]): Shown {
  const changes = plans.flatMap((plan) => plan.changes)
  const missing = plans.filter(({ shown }) => shown === undefined).map(({ group }) => group)
  return {
    data: { changes, missing },
    lines: changes,
    text: (screen) =>
      [
        changes.length === 0 ? 'nothing to change' : table(columns, changes, screen),
        ...missing.map((group) => `there is no group ${group}`),
        ...changes.flatMap(({ byHand }) => (byHand === undefined ? [] : [`by hand: ${byHand}`])),
      ].join('\n'),
  }
}

const columns: readonly Column<HookChange>[] = [
  { title: 'GROUP', cell: ({ group }) => group, least: 12 },
  { title: 'HOOK', cell: ({ hook }) => hook, least: 12 },
  { title: 'WHAT', cell: ({ what }) => what },
  { title: 'NOW', cell: ({ shown }) => shown, least: 10 },
  { title: 'WANTED', cell: ({ wanted }) => wanted, least: 10 },
]
