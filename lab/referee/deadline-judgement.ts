import type { CallRecord } from '../sip/call-record.ts'
import type { ActionEvidence, DeadlineEvidence, DrainEvidence, Problem } from './evidence.ts'

/**
 * Whether the group's policy answers for the end of a call that was cut: `terminate` for those that were
 * still up when the instance was let go, `end-calls` for those that got a BYE at both ends, `retain` for
 * none; and never before the deadline.
 */
export function isByPolicy({ deadline, action }: DrainEvidence, call: CallRecord): boolean {
  const { answeredAt, byeAtServerAt, hungUpAt } = call
  const endedAt = action?.endedAt
  if (deadline === undefined || endedAt === undefined || answeredAt === undefined) return false
  switch (deadline.choice) {
    case 'terminate':
      return endedAt >= deadline.at && answeredAt <= endedAt && byeAtServerAt === undefined
    case 'end-calls':
      return [hungUpAt, byeAtServerAt].every((at) => at !== undefined && at >= deadline.at && at <= endedAt)
    case 'retain':
      return false
    default:
      return deadline.choice satisfies never
  }
}

/**
 * What must hold of a drain whose calls outlast its deadline. `lastBye`: undefined when a call of the server
 * never got one.
 */
export function deadlineProblems(
  { at, choice, goneAt }: DeadlineEvidence,
  { endedAt, result, cause }: ActionEvidence,
  lastBye: number | undefined,
  cutByPolicy: number,
): readonly Problem[] {
  if (endedAt === undefined) return [{ figure: 'result', text: 'the lifecycle action was never completed' }]
  const expected = choice === 'retain' ? 'ABANDON' : 'CONTINUE'
  const problems: Problem[] = []
  const blame = (figure: string, text: string) => problems.push({ figure, text })
  if (endedAt < at) blame('result', `it was completed ${at - endedAt} ms before its deadline`)
  if (cause !== 'completed' || result !== expected)
    blame('result', `it ended as ${result} (${cause}), not by our ${expected}`)
  if (choice === 'retain') {
    if (goneAt === undefined) blame('result', 'the retained instance was never terminated')
    else if (lastBye === undefined || lastBye > goneAt)
      blame('lastByeToCompletedMs', 'the retained instance went before the last BYE')
    if (lastBye !== undefined && lastBye <= endedAt) blame('result', 'no call was left to be retained for')
    return problems
  }
  if (cutByPolicy === 0) blame('cutByPolicy', 'no call was left for the policy to decide on')
  if (choice === 'end-calls' && (lastBye === undefined || lastBye > endedAt))
    blame('lastByeToCompletedMs', 'CONTINUE came before the last BYE')
  return problems
}
