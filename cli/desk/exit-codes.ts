/** What a script learns without reading: docs/commands.md tells what each means. */
export const exitCodes = {
  done: 0,
  error: 1,
  usage: 2,
  /** or not done everywhere */
  refused: 3,
  /** it was waited for long enough; the drain, or what an edge has not shown yet, goes on */
  timedOut: 4,
  /** the drain's deadline has passed with calls left; it goes on */
  overdue: 5,
  /** it was waited for long enough, and how many calls are left can't be told; the drain goes on */
  unknown: 6,
  /** doctor has found something, or hooks are not as the settings want them */
  findings: 7,
  /** somebody stopped it; what is under way goes on */
  interrupted: 130,
} as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

const { interrupted, error, usage, refused, overdue, unknown, timedOut, findings } = exitCodes
const worstFirst = [interrupted, error, usage, refused, overdue, unknown, timedOut, findings]

/** What one exit code has to tell of two. */
export function worse(one: ExitCode, other: ExitCode): ExitCode {
  return worstFirst.find((code) => code === one || code === other) ?? exitCodes.done
}

/** Ends the program with one line that names what to do, and its exit code. */
export class Stop extends Error {
  override readonly name = 'Stop'
  readonly exitCode: ExitCode
  constructor(message: string, exitCode: ExitCode = exitCodes.error, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}
