import { styleText } from 'node:util'
import type { Screen } from '../desk/desk.ts'
import { quotable, type Shown } from '../desk/format.ts'
import type { Finding } from './finding.ts'

export interface Diagnosis {
  readonly stack: string
  readonly at: string
  /** errors first */
  readonly findings: readonly Finding[]
}

/** Whole lines, also on a narrow screen: what mends something is there to be copied. */
export function showFindings(diagnosis: Diagnosis): Shown {
  const { findings } = diagnosis
  return { data: diagnosis, lines: findings, text: (screen) => textOf(quotable(diagnosis), screen) }
}

function textOf({ stack, at, findings }: Diagnosis, screen: Screen): string {
  const count = (of: Finding['severity']) => findings.filter(({ severity }) => severity === of).length
  const sum =
    findings.length === 0
      ? 'healthy: nothing was found'
      : `errors: ${count('error')}, warnings: ${count('warning')}`
  return [
    `${stack}  ${at}  ${sum}`,
    ...findings.flatMap(({ severity, check, on, what, mend }) => [
      '',
      `${styled(severity, screen)}  ${on}  (${check})`,
      `  ${what}`,
      `  mend: ${mend}`,
    ]),
  ].join('\n')
}

function styled(severity: Finding['severity'], { hasColour }: Screen): string {
  if (!hasColour) return severity
  return styleText(severity === 'error' ? 'red' : 'yellow', severity, { validateStream: false })
}
