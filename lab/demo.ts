import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { emulatorChoice, emulatorNames } from './emulator/emulators.ts'
import type { KamailioRelease } from './programs/program.ts'
import { drawDrain } from './referee/drain-picture.ts'
import { watchLostTime, whyBusy } from './referee/lost-time.ts'
import { exitCodeOf, inWords } from './referee/report.ts'
import { renderHtml } from './referee/report-html.ts'
import { type Run, run } from './scenarios/run.ts'
import {
  type Sabotage,
  type SabotageName,
  sabotageNamed,
  sabotageNames,
  shownBy,
} from './scenarios/sabotage.ts'
import type { Scenario } from './scenarios/scenario.ts'
import { allScenarios, everyScenario, scenariosNamed } from './scenarios/scenarios.ts'
import { openDisplay } from './world/display.ts'
import { writeWorkflowLog } from './world/workflow-log.ts'
import { type World, withWorld } from './world/world.ts'

/** Beside those of {@link exitCodeOf}; a sabotage that was seen ends with 1. */
const sabotageNotSeen = 2

interface Options {
  readonly kamailio: KamailioRelease
  readonly emulator: string
  readonly endpoint?: string
  readonly sabotage?: SabotageName
  readonly only?: string[]
  readonly apiGateway?: boolean
  readonly picture?: string
}

function chosen({ only }: Options): readonly Scenario[] {
  return only ? scenariosNamed(only) : allScenarios
}

async function main(options: Options): Promise<number> {
  const sabotage = options.sabotage && sabotageNamed(options.sabotage)
  const scenarios = sabotage ? [sabotage.scenario] : chosen(options)
  const display = openDisplay(process.stdout, process.env)
  if (sabotage) display.log(`sabotage: ${sabotage.what}`)
  const inFrontOf = sabotage?.inFrontOf
  try {
    const busy = await whyBusy()
    if (busy !== undefined) display.log(busy)
    const done = await withWorld(
      {
        kamailio: options.kamailio,
        emulator: emulatorChoice(options.endpoint ?? options.emulator),
        apiGateway: options.apiGateway === true,
        log: display.log,
        ...(inFrontOf && { inFrontOf }),
      },
      async (world: World) => {
        display.watch(world)
        const lostTime = watchLostTime()
        const finished = await run(world, scenarios, {
          sabotage: sabotage?.name,
          judged: display.judged,
          lostTime: lostTime.soFar,
        })
        await lostTime.close()
        const workflowLog = await writeWorkflowLog(world)
        display.close()
        return { ...finished, workflowLog, runDir: world.runDir }
      },
    )
    const code = conclude(done, sabotage)
    return options.picture !== undefined && code === 0 ? draw(done, options.picture) : code
  } finally {
    display.close()
  }
}

/** Writes the report and prints it in words. @returns the exit code */
function conclude(
  { report, plot, workflowLog, runDir }: Run & { readonly workflowLog: string; readonly runDir: string },
  sabotage: Sabotage | undefined,
): number {
  const json = join(runDir, 'report.json')
  const html = join(runDir, 'report.html')
  writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`)
  writeFileSync(html, renderHtml(report, plot))
  say('', ...inWords(report), `Report: ${html} and ${json}`)
  if (!report.passed) say(`What the workflows ran into: ${workflowLog}`)
  if (!sabotage) return exitCodeOf(report)
  const shown = shownBy(sabotage, report)
  if (shown === undefined) {
    say(
      `The sabotage was NOT seen: ${sabotage.what}, and not all of these figures show it: ${sabotage.figures.join(', ')}.`,
    )
    return sabotageNotSeen
  }
  say(`The sabotage was seen: ${sabotage.what}. What shows it:\n  ${shown}`)
  return 1
}

/** @returns the exit code */
function draw({ picture }: Run, file: string): number {
  if (picture === undefined) {
    say('No picture: no drain of a lifecycle hook was in this run.')
    return 1
  }
  writeFileSync(file, drawDrain(picture))
  say(`Picture of ${picture.drain.machine}: ${file}`)
  return 0
}

function say(...lines: string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`)
}

/** Programs on the leash end with this process, whatever ends it. */
function endOn(signal: 'SIGINT' | 'SIGTERM', code: number): void {
  process.once(signal, () => {
    say('', `${signal}: everything that the lab started is ended`)
    process.exit(code)
  })
}

const program = new Command('demo')
  .description(
    'Real Kamailio edges, SIPp and Asterisk under live calls, the app deployed on an emulated AWS: drains media servers in every way and reports whether a call was lost.',
  )
  .addOption(
    new Option('--kamailio <release>', 'Kamailio of the edges').choices(['6.1', '5.6']).default('6.1'),
  )
  .addOption(
    new Option('--emulator <name>', 'the AWS that the app is deployed on')
      .choices(emulatorNames)
      .default('ministack'),
  )
  .addOption(
    new Option(
      '--endpoint <url>',
      'instead of an emulator of the lab: your own LocalStack, which must run Node 24 functions that reach this loopback',
    ),
  )
  .addOption(
    new Option(
      '--sabotage <fault>',
      'plant a fault from outside; the run must then fail, and name the figures that show it',
    ).choices(sabotageNames),
  )
  .option(
    '--api-gateway',
    'reach the edges through a proxy that checks signatures and answers like API Gateway',
  )
  .option(
    '--picture <file>',
    'if every promise held, draws the longest drain of a lifecycle hook into this SVG file',
  )
  .option('--only <scenario...>', `only these of: ${everyScenario.map(({ name }) => name).join(' | ')}`)
  .addHelpText(
    'after',
    '\nWrites report.json and report.html into the folder of the run below .lab/runs, beside its logs.\nExit code: 0 every promise held, 1 not every promise held, or the run broke off; 2 a sabotage was not seen; 3 this machine was too slow to judge.',
  )
  .action(async (options: Options) => {
    endOn('SIGINT', 130)
    endOn('SIGTERM', 143)
    try {
      process.exitCode = await main(options)
    } catch (error) {
      say('', error instanceof Error ? `${error.name}: ${error.message}` : String(error))
      process.exitCode = 1
    }
  })

await program.parseAsync()
