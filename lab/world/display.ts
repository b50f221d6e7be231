import type { ControlEvent } from '../emulator/control-events.ts'
import type { ScenarioReport } from '../referee/referee.ts'
import type { FlagChange } from '../sip/flag-watch.ts'
import { renderTable, type TableRow } from './live-table.ts'
import type { Machine } from './machines.ts'
import type { World } from './world.ts'

/** What a run shows while it goes on: a table that is redrawn in a terminal, lines everywhere else. */
export interface Display {
  readonly log: (line: string) => void
  /** From now on the table shows this world. */
  readonly watch: (world: World) => void
  readonly judged: (report: ScenarioReport) => void
  readonly close: () => void
}

interface Terminal {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  readonly write: (text: string) => unknown
}

/** @returns undefined of a pipe, and of a terminal that has no size, such as one that a program has made */
export function sizeOf(size: number | undefined): number | undefined {
  return size === 0 ? undefined : size
}

const redrawMs = 500
const lineMs = 5000

/** Colour is left out without a terminal, and where NO_COLOR is set (https://no-color.org). */
export function openDisplay(
  out: Terminal,
  environment: Readonly<Record<string, string | undefined>>,
): Display {
  const live = out.isTTY === true
  const colour = live && !environment['NO_COLOR']
  const startedAt = Date.now()
  const verdicts: ScenarioReport[] = []
  let world: World | undefined
  let drawn = 0

  const erase = () => {
    if (drawn > 0) out.write(`\u001b[${drawn}A\u001b[J`)
    drawn = 0
  }
  const draw = () => {
    if (world === undefined) return
    const width = sizeOf(out.columns) ?? 80
    const lines = renderTable(rowsOf(world), {
      width,
      colour,
      title: `${Math.round((Date.now() - startedAt) / 1000)} s: ${titleOf(world, verdicts)}`,
      edges: world.edges.map(({ name }) => name),
    }).slice(0, Math.max(1, (sizeOf(out.rows) ?? 24) - 1))
    erase()
    out.write(`${lines.join('\n')}\n`)
    drawn = lines.length
  }
  const log = (line: string) => {
    erase()
    out.write(`${((Date.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${line}\n`)
    if (live) draw()
  }
  const timer = setInterval(
    () => {
      if (live) draw()
      else if (world !== undefined) log(titleOf(world, verdicts))
    },
    live ? redrawMs : lineMs,
  )
  return {
    log,
    watch: (shown) => {
      world = shown
    },
    judged: (report) => {
      verdicts.push(report)
      log(`${report.passed ? 'ok    ' : 'FAILED'} ${report.name} (${report.machine}): ${report.result}`)
      for (const { figure, text } of report.problems) log(`       ${figure}: ${text}`)
    },
    close: () => {
      clearInterval(timer)
      if (live) draw()
      drawn = 0
      world = undefined
    },
  }
}

function titleOf(world: World, verdicts: readonly ScenarioReport[]): string {
  const passed = verdicts.filter((verdict) => verdict.passed).length
  return `${callsOf(world)}; ${passed} of ${verdicts.length} verdicts good`
}

function callsOf({ ledger }: World): string {
  const { placed, up, failed, cut } = ledger.totals()
  return `${up} calls up, ${placed} placed, ${failed} failed, ${cut} cut`
}

/** The same table once, without colour. */
export function renderStatus(world: World, width: number): string[] {
  const edges = world.edges.map(({ name }) => name)
  return renderTable(rowsOf(world), { width, edges, colour: false, title: callsOf(world) })
}

function rowsOf(world: World): TableRow[] {
  return world.machines.all().map((machine) => ({
    name: machine.serverName,
    address: `${machine.plan.address}:${machine.server.port}`,
    calls: world.ledger.live(machine.serverName),
    flags: world.edges.map(({ name }) => flagText(world.flags.latest(machine.uri), name)),
    id: machine.instance?.id ?? '',
    instance: machine.instance?.lifecycleState ?? '',
    workflow: workflowText(world, machine),
  }))
}

function flagText(latest: readonly FlagChange[], edge: string): string {
  const flags = latest.find((change) => change.edge === edge)?.flags
  if (flags === undefined) return '?'
  return [...flags]
    .sort(([one], [other]) => one - other)
    .map(([, text]) => text)
    .join(' ')
}

function workflowText(world: World, machine: Machine): string {
  const event = world.controlEvents.lastAbout(machine.instance?.id ?? '', machine.uri)
  return event === undefined ? '' : eventText(event)
}

function eventText({ type, detail }: ControlEvent): string {
  if (detail.verdict === undefined) return type
  return [detail.verdict, callsText(detail)].filter((word) => word !== '').join(', ')
}

/** More may be left where something is unknown, and a zero tells nothing then. */
export function callsText({ callsLeft, unknown = [] }: ControlEvent['detail']): string {
  if (callsLeft === undefined) return ''
  if (unknown.length > 0) return callsLeft === 0 ? '' : `${callsLeft} or more calls left`
  return `${callsLeft} ${callsLeft === 1 ? 'call' : 'calls'} left`
}
