import { whatCouldBeRead } from '../../functions/contracts/rejected-message.ts'
import type { DeadLetter } from '../desk/dead-letters.ts'
import { quotable, type Shown } from '../desk/format.ts'
import { table } from '../desk/table.ts'
import { isoTime, span } from '../desk/times.ts'

/** A dead letter, as `-o json` prints it. */
export interface LetterView {
  readonly id: string
  readonly queue: string
  /** `failed`: in all of its tries; the log says why */
  readonly was: 'refused' | 'failed'
  readonly error?: string
  readonly reason?: string
  readonly at: string
  readonly sender: string
  /** what it names, as far as it could be read */
  readonly read: Readonly<Record<string, string>>
  readonly body: string
}

export function letterView({ id, queue, at, senderId, body, refused }: DeadLetter): LetterView {
  return {
    ...{ id, queue, was: refused ? 'refused' : 'failed', ...refused },
    ...{ at: isoTime(at), sender: senderId, read: whatCouldBeRead(body), body },
  }
}

export function showLetters(letters: readonly LetterView[], now: number): Shown {
  return {
    data: letters,
    lines: letters,
    text: (screen) =>
      letters.length === 0
        ? 'no dead letter is there'
        : table(
            [
              // So much of it is told apart; -o wide has all.
              { title: 'ID', cell: ({ id }) => (screen.columns === undefined ? id : id.slice(0, 8)) },
              { title: 'QUEUE', cell: ({ queue }) => queue },
              { title: 'AGE', cell: ({ at }) => span(now - Date.parse(at)) },
              {
                title: 'WAS',
                cell: ({ was }) => ({ text: was, style: was === 'failed' ? 'red' : 'yellow' }),
              },
              { title: 'WHAT', cell: whatIt, least: 12 },
              { title: 'REASON', cell: ({ reason = 'in the log' }) => reason, least: 12 },
            ],
            letters,
            screen,
          ),
  }
}

function whatIt({ read }: LetterView): string {
  const { command, requestedBy: _, id: __, 'detail-type': type, ...names } = read
  const on = Object.values(names)[0]
  return [command ?? type, on].filter((part) => part !== undefined).join(' ') || '-'
}

export function showLetter(letter: DeadLetter): Shown {
  const view = letterView(letter)
  const { id, queue, was, error, reason, at, sender } = quotable(view)
  return {
    data: view,
    text: () =>
      [
        `id      ${id}`,
        `queue   ${queue}`,
        `was     ${was}${error === undefined ? ': look into the log of its function' : `: ${error}: ${reason}`}`,
        `at      ${at}`,
        `sender  ${sender}`,
        '',
        pretty(view.body),
      ].join('\n'),
  }
}

/** As JSON nothing in it is taken for a command by a terminal. */
function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), undefined, 2)
  } catch {
    // Shown as it is, between quotes: that it is no JSON is why it is here.
    return JSON.stringify(body)
  }
}
