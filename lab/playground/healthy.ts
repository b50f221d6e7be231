import { asteriskGroup, hooks, patientGroup, patientHooks, serverGroup } from '../plan/fleet-plan.ts'
import { showAlarm } from '../scenarios/server-alarm.ts'
import type { World } from '../world/world.ts'

/**
 * Hooks and alarms as the settings want them, so that `kdc doctor` finds nothing. The lab's own hooks are the
 * hard case, where a heartbeat that fails to come costs calls.
 */
export async function makeHealthy(world: World): Promise<void> {
  for (const [name, its] of [
    [serverGroup, hooks],
    [asteriskGroup, hooks],
    [patientGroup, patientHooks],
  ] as const)
    world.autoScaling.createGroup({
      name,
      hooks: its.map((hook) => ({
        ...hook,
        defaultResult: hook.transition === 'launching' ? ('CONTINUE' as const) : ('ABANDON' as const),
      })),
      terminateHookAbandon: 'retain',
    })
  await Promise.all(world.machines.all().map((machine) => showAlarm(world, machine, 'OK')))
}
