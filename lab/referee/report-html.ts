import { escaped, type PlotInput, renderLegend, renderPlot } from './plot.ts'
import type { ScenarioReport } from './referee.ts'
import { type Report, verdictOf } from './report.ts'

const style = `
:root { color-scheme: light dark; --paper: #fff; --ink: #1c2126; --soft: #5d6771; --line: #d9dee3; --curve: #2f6db3; --area: #2f6db330;
  --held: #f0b42933; --good: #1a7f4b; --bad: #b3261e; --edge: #7b3fb0; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181c; --ink: #e6eaee; --soft: #9aa5b0; --line: #333b43; --curve: #7fb2ea; --area: #7fb2ea33;
  --held: #f0b42926; --good: #5cc98f; --bad: #ff8a80; --edge: #c79bf0; } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 75rem; padding: 1.5rem; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
h1 { font-size: 1.5rem; margin: 0 0 .25rem } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
.verdict { font-weight: 600 } .good { color: var(--good) } .bad { color: var(--bad) } .soft, caption { color: var(--soft) }
dl { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: 1rem 0 } dt { color: var(--soft); font-size: .8rem } dd { margin: 0; font-size: 1.2rem; font-variant-numeric: tabular-nums }
svg text { fill: var(--soft); font: 10px system-ui, sans-serif } svg .name { fill: var(--ink); font-size: 12px } .curve { fill: var(--area); stroke: var(--curve); stroke-width: 1.2 }
.base, .tick line { stroke: var(--line) } .held { fill: var(--held) } .mark path, path.mark { fill: var(--ink) } .mark line { stroke: var(--ink); stroke-dasharray: 2 3; opacity: .6 }
.mark.ended path, path.mark.ended { fill: var(--bad) } .mark.back path, path.mark.back { fill: var(--good) } .edge-event line { stroke: var(--edge); stroke-width: 1.5 } .edge-event text { fill: var(--edge) }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; list-style: none; padding: 0; color: var(--soft); font-size: .85rem } .swatch { display: inline-block; width: 1.2em; height: .8em; background: var(--held); border: 1px solid var(--line) }
.scroll { overflow-x: auto } .scroll > svg { min-width: 44rem } table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; width: 100% } th, td { padding: .3rem .5rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top }
th { font-weight: 600; text-align: right } th:first-child, td:first-child, td:nth-child(2), th:nth-child(2), td:last-child, th:last-child { text-align: left }
@media print { body { padding: 0; max-width: none; font-size: 11px } .scroll { overflow: visible } svg, tr { break-inside: avoid } }
`

/** The report for people: one file, no script, nothing from elsewhere. */
export function renderHtml(report: Report, plot: PlotInput): string {
  const { calls } = report
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Drains under live calls: ${report.passed ? 'passed' : notPassed(report)}</title><style>${style}</style></head><body>
<h1>Drains under live calls</h1>
<p class="verdict ${report.passed ? 'good' : 'bad'}">${report.passed ? '✓' : '✗'} ${verdictOf(report)}${report.sabotage === null ? '' : ` Sabotaged on purpose: ${escaped(report.sabotage)}.`}</p>
<p class="soft">${escaped(report.startedAt)}, ${report.seconds} s, Kamailio ${escaped(report.kamailioVersions.join(', '))} on ${escaped(report.edges.join(' and '))}; fail-over window ${report.failoverWindowMs} ms</p>
<dl>${[
    ['calls placed', calls.placed],
    ['answered', calls.answered],
    ['failed', calls.failed],
    ['cut', calls.cut],
    [
      'verdicts',
      `${report.scenarios.filter(({ passed }) => passed).length} of ${report.scenarios.length} good`,
    ],
  ]
    .map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`)
    .join('')}</dl>
${problemList(report)}
<h2>Active calls per server</h2>
<div class="scroll">${renderPlot(plot)}</div>
${renderLegend()}
<h2>Scenarios</h2>
<div class="scroll"><table><thead><tr>${columns.map(({ title }) => `<th scope="col">${title}</th>`).join('')}</tr></thead>
<tbody>${report.scenarios.map((scenario) => `<tr>${columns.map(({ cell }) => `<td>${cell(scenario)}</td>`).join('')}</tr>`).join('\n')}</tbody></table></div>
<p class="soft">All times in ms. New calls are the INVITEs that the server itself got; a call is cut when both of its SIP ends did not see its scripted BYE; confirmed is the lab's own
reading of every edge and set.</p>
</body></html>
`
}

const number = (value: number | null | undefined) =>
  value === null || value === undefined ? '–' : `${value}`

const columns: readonly { title: string; cell: (scenario: ScenarioReport) => string }[] = [
  { title: 'scenario', cell: ({ name }) => escaped(name) },
  { title: 'server', cell: ({ machine }) => escaped(machine) },
  { title: 'calls at start', cell: ({ callsAtStart }) => number(callsAtStart) },
  { title: 'trigger to confirmed', cell: ({ triggerToConfirmedMs }) => number(triggerToConfirmedMs) },
  { title: 'new calls after', cell: ({ newCallsAfterConfirmation }) => number(newCallsAfterConfirmation) },
  { title: 'placed after', cell: ({ callsPlacedAfterConfirmation }) => number(callsPlacedAfterConfirmation) },
  { title: 'last BYE to CONTINUE', cell: ({ lastByeToCompletedMs }) => number(lastByeToCompletedMs) },
  {
    title: 'gap (calls)',
    cell: ({ gapMs, newCallsInGap }) => (gapMs === undefined ? '–' : `${number(gapMs)} (${newCallsInGap})`),
  },
  { title: 'back after', cell: ({ triggerToActiveMs }) => number(triggerToActiveMs) },
  { title: 'cut', cell: ({ cut }) => `${cut}` },
  {
    title: 'result',
    cell: ({ passed, result }) =>
      `<span class="${passed ? 'good' : 'bad'}">${passed ? '✓' : '✗'}</span> ${escaped(result)}`,
  },
]

function problemList(report: Report): string {
  const problems = [
    ...report.problems.map(({ figure, text }) => `${figure}: ${text}`),
    ...report.scenarios.flatMap(({ name, problems }) =>
      problems.map(({ figure, text }) => `${name}: ${figure}: ${text}`),
    ),
  ]
  if (problems.length === 0) return ''
  return `<h2>What did not hold</h2><ul class="bad">${problems.map((text) => `<li>${escaped(text)}</li>`).join('')}</ul>`
}

function notPassed({ tooSlow }: Report): string {
  return tooSlow ? 'not judged' : 'failed'
}
