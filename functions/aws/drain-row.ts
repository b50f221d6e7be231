import * as z from 'zod'
import type { AtDeadline, DeadlineChoice, DeadlinePolicy, EndCalls } from '../control/deadline.ts'
import {
  type ActionDrain,
  type Because,
  type Completing,
  type Drain,
  type DrainHold,
  drainId,
  type EdgeMemory,
  type LifecycleTarget,
  type Memory,
} from '../control/drain.ts'
import {
  actionEnded,
  becauseOf,
  completed,
  ended,
  isCompleting,
  looking,
  stateOf,
} from '../control/phases.ts'
import { countsRow } from './counts-row.ts'
import { type Each, type Fields, many, sender, subject, uri } from './rows.ts'
import { drainEvent } from './saved-event-row.ts'

const unknown = z.enum({ retain: 'retain', terminate: 'terminate' } satisfies Each<DeadlinePolicy['unknown']>)
const callsStay = z.enum({ retain: 'retain', terminate: 'terminate' } satisfies Each<
  Exclude<DeadlineChoice, 'end-calls'>
>)
const anyTarget = {
  group: z.string(),
  hook: z.string(),
  token: z.string().exactOptional(),
  instanceId: z.string(),
  transition: z.literal('terminating'),
  heartbeatSeconds: z.number(),
  isRetained: z.literal(true).exactOptional(),
} satisfies Fields<Omit<LifecycleTarget, keyof AtDeadline>>

const lifecycleTarget: z.ZodType<LifecycleTarget> = z.union([
  z.object({
    ...anyTarget,
    policy: z.object({ callsLeft: z.literal('end-calls'), unknown } satisfies Fields<DeadlinePolicy>),
    endCalls: z.object({ perStep: z.number(), withinSeconds: z.number() } satisfies Fields<EndCalls>),
  }),
  z.object({
    ...anyTarget,
    policy: z.object({ callsLeft: callsStay, unknown } satisfies Fields<DeadlinePolicy>),
  }),
])

const edgeMemory: z.ZodType<EdgeMemory> = z.object({
  zero: z.object({ at: z.number(), bootTime: z.string(), begun: z.number().exactOptional() }).exactOptional(),
  reaped: z.object({ calls: z.number(), at: z.number() }).exactOptional(),
  everListed: z.boolean(),
} satisfies Fields<EdgeMemory>)

const because = z.enum({
  drained: 'drained',
  absent: 'absent',
  gone: 'gone',
  lifted: 'lifted',
  'terminated-at-deadline': 'terminated-at-deadline',
  retained: 'retained',
  'action-over': 'action-over',
} satisfies Each<Because>)

/**
 * A drain's row is flat, as a release before 0.2 wrote it and, after a rollback, reads it; what is new since
 * is optional.
 */
const flatRow = z.object({
  id: z.string(),
  attempt: z.number(),
  version: z.number(),
  source: z.enum({ lifecycle: 'lifecycle', alarm: 'alarm', operator: 'operator' } satisfies Each<
    DrainHold['source']
  >),
  holdId: z.string(),
  who: z.string(),
  sender: sender.exactOptional(),
  why: z.string(),
  force: z.string().exactOptional(),
  endsAt: z.number().exactOptional(),
  of: many.exactOptional(),
  order: z.string(),
  /** `retired` is a former release's: its action is over, and its mark left */
  state: z.enum(['claimed', 'draining', 'drained', 'completing', 'retired', 'ended']),
  requestedAt: z.number(),
  deadlineAt: z.number(),
  instanceId: z.string().exactOptional(),
  subject: subject.exactOptional(),
  uris: z.array(uri).readonly(),
  formerUris: z.array(uri).readonly().exactOptional(),
  addresses: z.array(z.string()).readonly(),
  wholeInstance: z.boolean(),
  group: z.string().exactOptional(),
  edges: z.record(z.string(), edgeMemory),
  lifecycle: lifecycleTarget.exactOptional(),
  lastHeartbeatAt: z.number().exactOptional(),
  lookedAt: z.number().exactOptional(),
  nextLookAt: z.number().exactOptional(),
  confirmedAt: z.number().exactOptional(),
  overdueSaid: z.boolean().exactOptional(),
  progress: z.string().exactOptional(),
  counts: countsRow.exactOptional(),
  endingSince: z.number().exactOptional(),
  endedCallsAt: z.number().exactOptional(),
  callsEnded: z.number().exactOptional(),
  completion: z
    .enum({ CONTINUE: 'CONTINUE', ABANDON: 'ABANDON', TERMINATE: 'TERMINATE' } satisfies Each<
      Completing['completion']
    >)
    .exactOptional(),
  retainedAt: z.number().exactOptional(),
  retainedTooLongSaid: z.boolean().exactOptional(),
  completionTries: z.number(),
  steps: z.number(),
  result: because.exactOptional(),
  events: z.array(drainEvent).readonly().default([]),
})
/** As it is stored. */
export type DrainRow = z.output<typeof flatRow>

export const drainRow = flatRow.transform((row, context) => {
  const drain = fromFlat(row)
  if (drain) return drain
  const message = `must be there with the source lifecycle, and with no other: it is ${row.source}`
  context.addIssue({ code: 'custom', path: ['lifecycle'], message })
  return z.NEVER
})

function fromFlat(row: DrainRow): Drain | undefined {
  const { attempt, version, steps, events, lookedAt, nextLookAt } = row
  const { source, lifecycle, completionTries, callsEnded, lastHeartbeatAt } = row
  const known = {
    ...{ attempt, version, steps, events },
    ...(lookedAt !== undefined && { lookedAt }),
    ...(nextLookAt !== undefined && { nextLookAt }),
  }
  const hold = holdIn(row)
  if (source !== 'lifecycle') {
    if (lifecycle) return undefined
    const drain: Drain = { ...known, hold: { ...hold, source }, phase: holdPhase(row) }
    return row.state === 'retired' ? ended(drain, 'lifted') : drain
  }
  if (!lifecycle) return undefined
  const drain: ActionDrain = {
    ...known,
    ...{ hold: { ...hold, source }, action: lifecycle, completionTries },
    ...(callsEnded !== undefined && { callsEnded }),
    ...(lastHeartbeatAt !== undefined && { lastHeartbeatAt }),
    phase: actionPhase(row),
  }
  if (row.state === 'retired') return actionEnded(drain, row.result ?? 'drained')
  // A former release's, too: were it wrong that the action is over, completing it would cut calls.
  return isCompleting(drain) && row.result === 'action-over' ? completed(drain, 'over') : drain
}

function holdIn(row: DrainRow): Omit<DrainHold, 'source'> {
  const { holdId, uris, formerUris, addresses, wholeInstance, group, who, why, order } = row
  return {
    id: holdId,
    subject: row.subject ?? { kind: 'instance', instanceId: row.instanceId ?? row.id, launchedAt: 0 },
    uris,
    ...(formerUris && { formerUris }),
    addresses,
    wholeInstance,
    ...(group !== undefined && { group }),
    who,
    ...(row.sender && { sender: row.sender }),
    why,
    ...(row.force !== undefined && { force: row.force }),
    placedAt: row.requestedAt,
    until: row.deadlineAt,
    ...(row.endsAt !== undefined && { endsAt: row.endsAt }),
    ...(row.of && { of: row.of }),
    order,
  }
}

type ActionPhase = Extract<Drain, { action: LifecycleTarget }>['phase']
type HoldPhase = Exclude<Drain, { action: LifecycleTarget }>['phase']

function actionPhase(row: DrainRow): ActionPhase {
  const { state, result } = row
  if (state === 'claimed') return { name: 'claimed' }
  if (state === 'ended') return { name: 'ended', because: result ?? 'lifted' }
  const from = lookingIn(row)
  const completing = state === 'completing' ? completingIn(row, from) : undefined
  return completing ?? from
}

/** @returns nothing where its fields contradict each other: its drain is looked at anew */
function completingIn({ completion, result }: DrainRow, from: Completing['from']): Completing | undefined {
  const name = 'completing'
  const noCalls = result === 'drained' || result === 'absent' || result === 'gone' ? result : undefined
  if (from.name === 'retained')
    return completion === 'TERMINATE' && noCalls ? { name, completion, because: noCalls, from } : undefined
  if (completion === 'ABANDON' && result === 'retained') return { name, completion, because: result, from }
  const decided = result === 'terminated-at-deadline' || result === 'action-over' ? result : noCalls
  return completion === 'CONTINUE' && decided ? { name, completion, because: decided, from } : undefined
}

function lookingIn(row: DrainRow): Completing['from'] {
  const { endingSince, endedCallsAt, retainedAt, retainedTooLongSaid } = row
  const memory = memoryIn(row)
  if (retainedAt !== undefined)
    return {
      ...{ name: 'retained', since: retainedAt, memory },
      ...(retainedTooLongSaid && { tooLongPublished: true }),
    }
  if (endingSince !== undefined)
    return {
      ...{ name: 'ending-calls', since: endingSince, memory },
      ...(endedCallsAt !== undefined && { lastStepAt: endedCallsAt }),
    }
  return { name: 'draining', memory }
}

function memoryIn({ edges, confirmedAt, overdueSaid, progress, counts }: DrainRow): Memory {
  return {
    edges,
    ...(confirmedAt !== undefined && { confirmedAt }),
    ...(overdueSaid && ({ overdue: true } as const)),
    ...(progress !== undefined && { progress }),
    ...(counts && { counts }),
  }
}

function holdPhase(row: DrainRow): HoldPhase {
  const { state, result } = row
  if (state === 'claimed') return { name: 'claimed' }
  if (state === 'ended') return { name: 'ended', because: result === 'gone' ? result : 'lifted' }
  if (state === 'drained')
    return { name: 'held', verdict: result === 'absent' ? 'absent' : 'drained', memory: memoryIn(row) }
  return { name: 'draining', memory: memoryIn(row) }
}

export function toDrainRow(drain: Drain): DrainRow {
  const { attempt, version, steps, completionTries = 0, callsEnded, events, hold, phase } = drain
  const { source, id, subject, uris, formerUris, addresses, wholeInstance, group, who, why, order } = hold
  const result = becauseOf(phase)
  return {
    ...{ id: drainId(drain), attempt, version, steps, completionTries, events },
    ...{ source, holdId: id, subject, uris, addresses, wholeInstance, who, why, order },
    ...{ requestedAt: hold.placedAt, deadlineAt: hold.until, state: stateOf(phase) },
    ...(subject.kind === 'instance' && { instanceId: subject.instanceId }),
    ...(formerUris && { formerUris }),
    ...(group !== undefined && { group }),
    ...(hold.force !== undefined && { force: hold.force }),
    ...(hold.endsAt !== undefined && { endsAt: hold.endsAt }),
    ...(hold.of && { of: hold.of }),
    ...(hold.sender && { sender: hold.sender }),
    ...(drain.action && { lifecycle: drain.action }),
    ...(drain.lastHeartbeatAt !== undefined && { lastHeartbeatAt: drain.lastHeartbeatAt }),
    ...(callsEnded !== undefined && { callsEnded }),
    ...(drain.lookedAt !== undefined && { lookedAt: drain.lookedAt }),
    ...(drain.nextLookAt !== undefined && { nextLookAt: drain.nextLookAt }),
    ...(result !== undefined && { result }),
    ...(phase.name === 'completing' && { completion: phase.completion }),
    ...memoryOf(drain),
  }
}

type RowMemory = Pick<
  DrainRow,
  | 'edges'
  | 'confirmedAt'
  | 'overdueSaid'
  | 'progress'
  | 'counts'
  | 'retainedAt'
  | 'retainedTooLongSaid'
  | 'endingSince'
  | 'endedCallsAt'
>

function memoryOf(drain: Drain): RowMemory {
  const phase = looking(drain)
  const { edges, confirmedAt, overdue, progress, counts } = phase.memory
  return {
    edges,
    ...(confirmedAt !== undefined && { confirmedAt }),
    ...(overdue && { overdueSaid: true }),
    ...(progress !== undefined && { progress }),
    ...(counts && { counts }),
    ...(phase.name === 'retained' && {
      retainedAt: phase.since,
      ...(phase.tooLongPublished && { retainedTooLongSaid: true }),
    }),
    ...(phase.name === 'ending-calls' && {
      endingSince: phase.since,
      ...(phase.lastStepAt !== undefined && { endedCallsAt: phase.lastStepAt }),
    }),
  }
}
