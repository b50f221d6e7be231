import { Command, CommanderError, Option } from 'commander'
import { addCompletion } from './completion.ts'
import { type Desk, unlessStopped } from './desk/desk.ts'
import { type ExitCode, exitCodes } from './desk/exit-codes.ts'
import { failureOf } from './desk/failure.ts'
import { wrapped, wrappedError } from './desk/format.ts'
import {
  day,
  limit,
  type OutputOptions,
  output,
  type Reached,
  target,
  targetForm,
  targets,
} from './desk/options.ts'
import { addDeadLetters } from './dlq/dlq-commands.ts'
import { doctor } from './doctor/doctor.ts'
import { hooksApply, hooksPlan } from './doctor/hooks.ts'
import { addMcp } from './mcp/mcp-command.ts'
import { awsFor, calledFor, defaultStack, type PlaceOptions, placeOf } from './reach/contexts.ts'
import { getCommands, type HistoryOptions, history, type ListOptions } from './read/history.ts'
import { explainTarget, get, getCommand, kinds, status } from './read/read-commands.ts'
import { watch } from './read/watch.ts'
import { addSchema } from './schema.ts'
import { type ActivateOptions, activate } from './write/activate.ts'
import type { WriteOptions } from './write/do-command.ts'
import { type DrainOptions, drain } from './write/drain.ts'
import { type FreezeOptions, freeze, type UnfreezeOptions, unfreeze } from './write/freeze.ts'
import { type ReleaseOptions, release } from './write/release.ts'
import { mayRestart, reload } from './write/write-commands.ts'

const why = (text: string) => ['-m, --message <why>', text] as const
const orMany = `each ${targetForm}; or else one of --group, --set and --zone`

/** @returns the exit code; what went wrong is one line on stderr */
export async function run(argv: readonly string[], desk: Desk): Promise<ExitCode> {
  try {
    return await parsed(argv, desk)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
    const { line, exitCode } = failureOf(error)
    desk.err(`${wrappedError(`kdc: ${line}`, desk.errColumns)}\n`)
    return exitCode
  }
}

async function parsed(argv: readonly string[], desk: Desk): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.done
  const program = new Command('kdc')
    .description("Looks at and steers a deployment of Kamailio's dispatcher control")
    .option('--context <name>', `a stack, region and profile that ${desk.contexts.path} names`)
    .option('--stack <name>', `the deployment's name; left out: ${defaultStack}`)
    .option('--region <region>', "of the deployment; left out: the environment's")
    .option('--profile <profile>', "of the AWS configuration; left out: the environment's")
    .version(desk.version)
    .exitOverride()
    .configureOutput({
      ...{ writeOut: desk.out, writeErr: desk.err },
      outputError: (text, write) =>
        write(
          text
            .split('\n')
            .map((line) => wrapped(line, desk.errColumns))
            .join('\n'),
        ),
    })
  const reached: Reached = async (action) => {
    const options = program.opts<PlaceOptions>()
    const place = await placeOf(desk, options)
    const reachable = await unlessStopped(desk, () => desk.reach(place))
    exitCode = await action({ ...reachable, kdc: calledFor(options), aws: awsFor(place) })
  }
  const reading: Reached = (action) => unlessStopped(desk, () => reached(action))
  addReads(program, desk, { reached, reading })
  addFollowing(program, desk, { reached, reading })
  addChecks(program, desk, { reached, reading })
  addWrites(program, desk, reached)
  addFleetWrites(program, desk, reached)
  addDeadLetters(program, desk, reached)
  addMcp(program, desk, reached)
  addSchema(program, desk)
  addCompletion(program, desk)
  await program.parseAsync([...argv], { from: 'user' })
  return exitCode
}

interface Reachings {
  readonly reached: Reached
  /** of what only reads, and follows nothing */
  readonly reading: Reached
}

function addReads(program: Command, desk: Desk, { reached, reading }: Reachings): void {
  program
    .command('status')
    .description('the fleet at a glance')
    .addOption(output())
    .option('-w, --watch', 'again every few seconds', false)
    .action((options: OutputOptions & { readonly watch: boolean }) =>
      (options.watch ? reached : reading)((deployed) => status(desk, deployed, options)),
    )
  const getting = program.command('get').description('lists, or what came of one command')
  for (const kind of kinds)
    getting
      .command(kind)
      .description(`all ${kind}`)
      .addOption(output())
      .action((options: OutputOptions) => reading((deployed) => get(desk, deployed, kind, options.output)))
  getting
    .command('commands')
    .description('commands that were answered, the newest first')
    .addOption(output())
    .addOption(day())
    .addOption(limit())
    .action((options: ListOptions) => reading((deployed) => getCommands(desk, deployed, options)))
  getting
    .command('command <id>')
    .description('the outcome of a command')
    .addOption(output())
    .action((id: string, options: OutputOptions) =>
      reading((deployed) => getCommand(desk, deployed, id, options.output)),
    )
  program
    .command('explain')
    .addArgument(target('<target>', targetForm))
    .description('who holds a server and why, what each edge shows, and why its drain is not over')
    .addOption(output())
    .action((of: string, options: OutputOptions) =>
      reading((deployed) => explainTarget(desk, deployed, of, options.output)),
    )
}

function addFollowing(program: Command, desk: Desk, { reached, reading }: Reachings): void {
  program
    .command('watch')
    .addArgument(target('[target]', `${targetForm}; left out: every drain, edge and change`))
    .description('prints what there is, and what comes; it ends with the one drain, or with Ctrl-C')
    .addOption(output())
    .action((of: string | undefined, options: OutputOptions) =>
      reached((deployed) => watch(desk, deployed, of, options)),
    )
  program
    .command('history')
    .addArgument(target('[target]', `${targetForm}; left out: what was changed within the last 7 days`))
    .description('who changed what and why, and what each edge showed, the newest first')
    .addOption(day())
    .option('--sender <id>', 'whom AWS named: a user or role by its unique id, or none')
    .addOption(limit())
    .addOption(output())
    .action((of: string | undefined, options: HistoryOptions) => reading(history(desk, of, options)))
}

function addChecks(program: Command, desk: Desk, { reached, reading }: Reachings): void {
  program
    .command('doctor')
    .description('looks at all that drains depend on, and names what is wrong and what mends it')
    .addOption(output())
    .action((options: OutputOptions) => reading((deployed) => doctor(desk, deployed, options.output)))
  const hooks = program.command('hooks').description("the groups' lifecycle hooks, against the settings")
  hooks
    .command('plan')
    .description('what apply would change')
    .addOption(output())
    .action((options: OutputOptions) => reading((deployed) => hooksPlan(desk, deployed, options.output)))
  hooks
    .command('apply')
    .description('makes them as the settings want them')
    .addOption(output())
    .option('-y, --yes', 'without asking')
    .action((options: Parameters<typeof hooksApply>[2]) =>
      reached((deployed) => hooksApply(desk, deployed, options)),
    )
}

function writing(command: Command): Command {
  return command
    .addOption(output())
    .option('--timeout <span>', 'how long it waits, such as 90s or 10m; left out: 60s for an answer')
    .option('--dry-run', 'shows what would be done, and does nothing')
}

function ofMany(command: Command): Command {
  return command
    .addArgument(targets(orMany))
    .option('--group <name>', 'every server of this Auto Scaling group')
    .option('--set <id>', 'every destination of this dispatcher set')
    .option('--zone <zone>', 'every server of our groups in this availability zone')
}

function addWrites(program: Command, desk: Desk, reached: Reached): void {
  writing(ofMany(program.command('drain')))
    .description('holds servers: they get no new calls, on any edge; each target is a command of its own')
    .requiredOption(...why('why; kept with the hold'))
    .option('--deadline <span>', 'after that it is reported as overdue; it ends no call')
    .option('--from <time>', 'when its window begins: a time, or a span from now')
    .option('--until <time>', 'when its hold is lifted by itself: a time, or a span from now')
    .option('--force <why>', 'begins whatever the floors, the limit or a freeze ask for')
    .addOption(
      new Option(
        '--wait [what]',
        'until every edge shows it disabled, or until no call is left; all are sent before the first is waited for',
      )
        .choices(['confirmed', 'drained'])
        .preset('drained'),
    )
    .action((targets: string[], options: DrainOptions) => reached(drain(desk, targets, options)))
  writing(ofMany(program.command('activate')))
    .description(
      "lifts one's own holds of servers, or others that are named; each target is a command of its own",
    )
    .option(...why('why'))
    .addOption(
      new Option('--source <source>', 'lifts every hold of this source')
        .choices(['operator', 'alarm', 'retired'])
        .conflicts('hold'),
    )
    .option('--hold <id>', 'lifts the hold with this id')
    .option('-y, --yes', "lifts somebody else's hold without asking")
    .action((targets: string[], options: ActivateOptions) => reached(activate(desk, targets, options)))
}

function addFleetWrites(program: Command, desk: Desk, reached: Reached): void {
  writing(program.command('reload').argument('[edge]', 'left out: every edge, one alone first'))
    .description('has edges read their dispatcher list again')
    .action((edge: string | undefined, options: WriteOptions) => reached(reload(desk, edge, options)))
  writing(program.command('release').argument('<removed-edge>', 'the id of one that is no longer configured'))
    .description('lets drains go on without an edge that is gone for good')
    .requiredOption(...why('why; calls that are up there all the same are cut'))
    .option('-y, --yes', 'without asking')
    .action((edge: string, options: ReleaseOptions) => reached(release(desk, edge, options)))
  program
    .command('may-restart')
    .argument('<edge>', 'its id')
    .description('whether its Kamailio may be restarted now, and what that would forget')
    .addOption(output())
    .option('--timeout <span>', 'how long it waits for the answer; left out: 60s')
    .action((edge: string, options: WriteOptions) => reached(mayRestart(desk, edge, options)))
  writing(program.command('freeze'))
    .description('keeps alarms and operators from beginning drains')
    .requiredOption(...why('why'))
    .option('--until <time>', 'when it ends by itself: a time, or a span from now')
    .option('-y, --yes', "ends somebody else's freeze that would last longer without asking")
    .action((options: FreezeOptions) => reached(freeze(desk, options)))
  writing(program.command('unfreeze'))
    .description('ends that')
    .option(...why('why'))
    .option('-y, --yes', "ends somebody else's freeze without asking")
    .action((options: UnfreezeOptions) => reached(unfreeze(desk, options)))
}
