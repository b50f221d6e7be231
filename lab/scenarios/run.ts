import { plan } from '../plan/fleet-plan.ts'
import { longestDrain, type PictureInput } from '../referee/drain-picture.ts'
import type { LostTime } from '../referee/lost-time.ts'
import type { PlotInput } from '../referee/plot.ts'
import type { ScenarioReport } from '../referee/referee.ts'
import { makeReport, type Report } from '../referee/report.ts'
import { strangerProblems } from '../referee/stranger-judgement.ts'
import type { World } from '../world/world.ts'
import type { Scenario } from './scenario.ts'
import { runScenarios } from './scenarios.ts'

/** A run's report, and what its plot and its picture of one drain are drawn from. */
export interface Run {
  readonly report: Report
  readonly plot: PlotInput
  /** undefined: no drain of a lifecycle hook was in it */
  readonly picture: PictureInput | undefined
}

export interface RunOptions {
  readonly sabotage?: string | undefined
  readonly judged?: (report: ScenarioReport) => void
  /** Unix ms; calls placed before belong to an earlier run in the same world */
  readonly since?: number
  /** how much time this machine has taken from the run; left out: nobody watched */
  readonly lostTime?: () => LostTime
}

/**
 * Runs scenarios in a world under calls, and reports on the calls placed since `since` (default: since it
 * started).
 */
export async function run(
  world: World,
  scenarios: readonly Scenario[],
  options: RunOptions = {},
): Promise<Run> {
  const since = options.since ?? world.startedAt
  const { verdicts, evidence, broken } = await runScenarios(world, scenarios, options.judged)
  world.ledger.sync()
  const calls = world.ledger.calls().filter(({ placedAt }) => placedAt === undefined || placedAt >= since)
  const until = Date.now()
  const report = makeReport({
    startedAt: since,
    endedAt: until,
    sabotage: options.sabotage,
    kamailioVersions: world.kamailioVersions,
    failoverWindowMs: plan.failoverWindowSeconds * 1000,
    calls,
    lostTime: options.lostTime?.() ?? { longestMs: 0, totalMs: 0 },
    scenarios: verdicts,
    broken,
    strangers: strangerProblems({
      since,
      destinations: world.machines.all().map(({ plan: { name }, uri }) => ({ name, uri })),
      evidence,
      flagsOf: (uri) => world.flags.history(uri),
      writes: world.flags.writes(),
      commandIds: world.commandIds,
    }),
  })
  const machines = world.machines.all().map(({ plan: { name, address } }) => ({ name, address }))
  const { kamailioVersions } = report
  const drain = longestDrain(evidence.filter((part) => part.kind === 'drain'))
  return {
    report,
    plot: { machines, calls, marks: world.marks.filter(({ at }) => at >= since), from: since, until },
    picture: drain && { drain, calls, flags: world.flags.history(drain.destination), kamailioVersions },
  }
}
