import * as z from 'zod'
import { CommandRefused, InvalidMessage } from '../control/errors.ts'
import type { Many } from '../control/hold.ts'
import { check, describe, instant, parseAs, parseJson } from './parse.ts'
import { keyPart, plainName, text } from './texts.ts'

const knownVersions = [1]

export const commandId = z
  .string()
  .regex(/^[A-Za-z0-9_.:-]{1,128}$/, 'must be 1 to 128 characters of A-Z a-z 0-9 _ . : -')
const edge = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,128}$/, 'must be an edge id: 1 to 128 characters of A-Z a-z 0-9 _ . -')
const instance = z
  .string()
  .regex(/^i-(?:[0-9a-f]{8}|[0-9a-f]{17})$/, 'must be an EC2 instance id such as i-1234567890abcdef0')
/**
 * DynamoDB takes 1,024 bytes as a sort key. The longest has the destination twice, in a hold's id and in its
 * subject, `requestedBy`, and 60 bytes besides.
 */
const destination = keyPart(text(345), 345).refine((value) => !/^\s*(all|\*)\s*$/i.test(value), {
  error: 'no command is for all destinations: name one destination, or one instance',
  params: { refused: true },
})

const source = z
  .string()
  .refine((value) => value !== 'lifecycle', {
    error: "a command never lifts a lifecycle hold: only the end of the instance's lifecycle action does",
    params: { refused: true },
  })
  .pipe(z.enum(['operator', 'alarm', 'retired']))

const shared = {
  version: z.literal(1),
  id: commandId,
  requestedBy: keyPart(plainName(256), 256),
  dryRun: z.boolean().default(false),
}

/** The id of a dry run of the very same command, which may be acted on once. */
const plan = commandId.optional()
const isNoPlan = ({ dryRun, plan: its }: { dryRun?: unknown; plan?: unknown }) =>
  dryRun !== true || its === undefined
const noPlanOfAPlan = { path: ['plan'], error: 'must not be given with "dryRun"', when: () => true }

/** The condition is checked even where other keys are wrong, so that one answer lists every problem. */
const exactlyOneTarget = {
  path: ['destination'],
  error: 'exactly one of destination, instance, group, set and zone must be given',
  when: () => true,
}
const target = {
  destination: destination.optional(),
  instance: instance.optional(),
  /** all running instances of an Auto Scaling group of ours */
  group: text(255).optional(),
  /** all that any edge lists in this dispatcher set */
  set: z.int().min(0).optional(),
  /** all running instances of our groups in this availability zone */
  zone: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'must be an availability zone such as eu-central-1a')
    .optional(),
}
const targetKeys = Object.keys(target)
const hasOneTarget = (command: { [Key in keyof typeof target]?: unknown }) =>
  targetKeys.filter((key) => command[key as keyof typeof target] !== undefined).length === 1
/** The same for whoever checks by JSON Schema. */
const oneTarget = { oneOf: targetKeys.map((key) => ({ required: [key] })) }

/** As long as Auto Scaling lets any instance wait. */
export const longestDeadlineSeconds = 172_800

const endsAfterItBegins = ({ from, until }: { from?: unknown; until?: unknown }) =>
  typeof from !== 'number' || typeof until !== 'number' || from < until

const drain = z
  .strictObject({
    ...shared,
    command: z.literal('drain'),
    ...target,
    plan,
    reason: text(1000),
    /** why it may begin whatever the floors, the limit or a freeze ask for */
    force: text(1000).optional(),
    deadlineSeconds: z.int().min(1).max(longestDeadlineSeconds).optional(),
    /** when its window begins; left out: at once */
    from: instant.optional(),
    /** when its hold is lifted by itself */
    until: instant.optional(),
  })
  .refine(hasOneTarget, exactlyOneTarget)
  .refine(isNoPlan, noPlanOfAPlan)
  .refine(endsAfterItBegins, { path: ['until'], error: 'must be after "from"', when: () => true })
  .meta(oneTarget)

const activate = z
  .strictObject({
    ...shared,
    command: z.literal('activate'),
    ...target,
    plan,
    reason: text(1000).optional(),
    source: source.optional(),
    holdId: text(1024).optional(),
  })
  .refine(hasOneTarget, exactlyOneTarget)
  .refine(isNoPlan, noPlanOfAPlan)
  .refine((command) => command.source === undefined || command.holdId === undefined, {
    path: ['holdId'],
    error: '"source" and "holdId" must not be given together',
    when: () => true,
  })
  .refine((command) => !manyOf(command) || (command.source ?? command.holdId) === undefined, {
    path: ['source'],
    error: `of a group, set or zone only one's own holds are lifted: "source" and "holdId" need a destination or instance`,
    when: () => true,
  })
  .meta(oneTarget)

export function manyOf(command: {
  readonly group?: string | undefined
  readonly set?: number | undefined
  readonly zone?: string | undefined
}): Many | undefined {
  const { group, set, zone } = command
  if (group !== undefined) return { group }
  if (set !== undefined) return { set }
  return zone === undefined ? undefined : { zone }
}

export const reloadCommand = z.strictObject({
  ...shared,
  command: z.literal('reload'),
  reason: text(1000).optional(),
  edge: edge.optional(),
})

export const releaseCommand = z.strictObject({
  ...shared,
  command: z.literal('release'),
  edge,
  reason: text(1000),
})

const freeze = z.strictObject({
  ...shared,
  command: z.literal('freeze'),
  reason: text(1000),
  /** when it ends by itself */
  until: instant.optional(),
})

const unfreeze = z.strictObject({
  ...shared,
  command: z.literal('unfreeze'),
  reason: text(1000).optional(),
})

const mayRestart = z.strictObject({
  ...shared,
  command: z.literal('may-restart'),
  edge,
  reason: text(1000).optional(),
  // It changes nothing: its dry run is the same.
  dryRun: shared.dryRun.transform(() => false),
})

/**
 * The body of one message of the commands queue, version 1; docs/commands.md explains each key. Unknown keys
 * are errors.
 * ```json
 * {"version":1,"id":"change-4711","command":"drain","destination":"sip:10.0.1.20:5060",
 *  "reason":"disk failing","requestedBy":"alice","deadlineSeconds":7200,"dryRun":false}
 * {"version":1,"id":"change-4711","command":"drain","instance":"i-1234567890abcdef0","reason":"kernel update",
 *  "from":"2026-11-28T02:00:00Z","until":"2026-11-28T06:00:00Z","requestedBy":"alice"}
 * {"version":1,"id":"change-4711","command":"drain","group":"media-servers","reason":"new image","requestedBy":"alice"}
 * {"version":1,"id":"change-4712","command":"activate","instance":"i-1234567890abcdef0","source":"operator","requestedBy":"alice"}
 * {"version":1,"id":"change-4713","command":"reload","edge":"edge-a","requestedBy":"alice"}
 * {"version":1,"id":"change-4714","command":"release","edge":"edge-b","reason":"its machine is lost","requestedBy":"alice"}
 * {"version":1,"id":"change-4715","command":"freeze","reason":"carrier maintenance","until":"2026-11-28T06:00:00Z","requestedBy":"alice"}
 * {"version":1,"id":"change-4716","command":"unfreeze","requestedBy":"alice"}
 * {"version":1,"id":"change-4717","command":"may-restart","edge":"edge-a","requestedBy":"alice"}
 * ```
 */
export const command = z.discriminatedUnion('command', [
  drain,
  activate,
  reloadCommand,
  releaseCommand,
  freeze,
  unfreeze,
  mayRestart,
])

/** What must be right before the rest can be judged: each version has a schema of its own. */
const header = z.looseObject({
  version: z.literal(knownVersions, { error: `is not a known version; known: ${knownVersions.join(', ')}` }),
  command: z.enum(['drain', 'activate', 'reload', 'release', 'freeze', 'unfreeze', 'may-restart'], {
    error: 'must be "drain", "activate", "reload", "release", "freeze", "unfreeze" or "may-restart"',
  }),
})

/** Defaults are filled in: `dryRun` false. */
export type Command = z.output<typeof command>
export type DrainCommand = Extract<Command, { command: 'drain' }>
export type ActivateCommand = Extract<Command, { command: 'activate' }>
export type ReloadCommand = Extract<Command, { command: 'reload' }>
export type FreezeCommand = Extract<Command, { command: 'freeze' }>
export type UnfreezeCommand = Extract<Command, { command: 'unfreeze' }>
export type MayRestartCommand = Extract<Command, { command: 'may-restart' }>
export type ReleaseCommand = Extract<Command, { command: 'release' }>
/** A command as it is sent, defaults left out. */
export type CommandInput = z.input<typeof command>

/**
 * Reads the body of one message of the commands queue.
 * @throws CommandRefused where it asks for what a command may never do: all destinations, lifting a lifecycle
 * hold.
 * @throws InvalidMessage for all else that is wrong. Both list every problem with its path.
 */
export function parseCommand(body: string): Command {
  const message = parseJson(body, 'command')
  parseAs(header, message, 'command')
  const checked = check(command, message)
  if (!('problems' in checked)) return checked.data
  const what = describe('command', checked.problems)
  throw checked.problems.some((problem) => problem.refused)
    ? new CommandRefused(what)
    : new InvalidMessage(what)
}

const nothing = {
  ...{ edge: undefined, destination: undefined, instance: undefined },
  ...{ group: undefined, set: undefined, zone: undefined },
}

/**
 * The FIFO message group under which a command is sent: what must stay in order stays in order, all else runs
 * side by side.
 * @returns 1 to 128 characters that SQS allows in a message group id.
 */
export function commandGroupId(sent: CommandInput | Command): string {
  const { edge: of, destination: at, instance: who, group, set, zone } = { ...nothing, ...sent }
  // What is sent for many stays in order with its activate. With commands for one of them it need not: each
  // hold is decided by the order in which its commands were sent, whichever is worked off first.
  const [many] = Object.entries({ group, set, zone }).flatMap(([kind, name]) =>
    name === undefined ? [] : [`${kind}/${name}`],
  )
  // A freeze and its end stay in order.
  const subject = of ?? at ?? who ?? many ?? (sent.command === 'reload' ? 'reload' : 'freeze')
  return subject.replace(/[^!-~]/g, '_').slice(0, 128) || sent.command
}
