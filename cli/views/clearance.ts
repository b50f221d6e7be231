import {
  type Clearance,
  type ClearanceRules,
  type ClearanceView,
  decide,
  type WaitingDrain,
} from '../../functions/control/clearance.ts'
import { covering, freshLists, isUnderWay, takenByChoice } from '../../functions/control/clearance-view.ts'
import { drainingLoads } from '../../functions/control/draining-load.ts'
import { holdKey } from '../../functions/control/hold.ts'
import { activeHosts, loadInService } from '../../functions/control/load-in-service.ts'
import type { Stored } from './look-around.ts'

/**
 * What the control plane would decide now of all that wait, by what is stored: EC2 is asked nothing. A freeze
 * and a window are told apart from it.
 */
export function foreseen(stored: Stored, rules: ClearanceRules): ReadonlyMap<WaitingDrain, Clearance> {
  return decide(stored.waiting, viewOf(stored), rules)
}

function viewOf({ at, edges, holds, drains, instances, readings }: Stored): ClearanceView {
  const there = edges.filter(({ head }) => head.removedAt === undefined)
  const lists = there.flatMap(({ head: { edge, askedAt }, listing }) =>
    listing ? [{ edge, askedAt, listed: listing.listed }] : [],
  )
  const active = new Map(lists.map(({ edge, listed }) => [edge, activeHosts(listed)]))
  const loads = readings.edges.map((read) =>
    read.readable ? { ...read.load, active: active.get(read.edge) ?? [] } : undefined,
  )
  const shown = new Map(instances.map((facts) => [facts.instanceId, facts]))
  const listed = lists.flatMap((list) => list.listed)
  const byKey = new Map(drains.map((drain) => [holdKey(drain.hold), drain]))
  return {
    ...covering(holds, shown, listed, at),
    ...{ now: at, freeze: undefined, lists: freshLists(lists, at) },
    machines: instances.length > 0 ? instances : undefined,
    calls: loadInService(loads, drainingLoads(readings.edges, holds)).calls,
    underWay: takenByChoice(holds).filter((hold) => isUnderWay(hold, byKey.get(holdKey(hold)))).length,
  }
}
