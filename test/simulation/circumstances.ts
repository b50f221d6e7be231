import type { Plan } from './plan.ts'

/** What a history is made of, in a few words, to tell what its violations may come from. */
export type Circumstance =
  | 'address recycled'
  | 'EC2 is late'
  | 'launch told late'
  | 'machine dies'
  | 'relisted'
  | 'respelled'
  | 'DNS name'
  | 'odd port'
  | 'disabled by the list'
  | 'hand'
  | 'reload or restart'
  | 'alarm'
  | 'operator'
  | 'fleet changes'
  | 'edge trouble'
  | 'slow edge'
  | 'function fails'
  | 'events refused'
  | 'AWS refuses'
  | 'row lost'
  | 'group deleted'
  | 'newer payload'
  | 'counts nothing'
  | 'call moves'
  | 'execution stopped'
  | 'alarm ends'
  | 'floors or limit'
  | 'freeze'
  | 'senders'
  | 'many'
  | 'window'

export function circumstancesOf(plan: Plan): readonly Circumstance[] {
  const { happenings, faults, servers, edges } = plan
  const has = (...kinds: string[]) => happenings.some(({ kind }) => kinds.includes(kind))
  const launches = happenings.filter((happening) => happening.kind === 'launch')
  const lines = happenings.filter((happening) => happening.kind === 'line')
  const ports = faults.flatMap((fault) => (fault.kind === 'port' ? [fault.port] : []))
  const all: Readonly<Record<Circumstance, boolean>> = {
    'address recycled': launches.length > 0,
    'EC2 is late':
      faults.some(({ kind }) => kind === 'ec2-lags') ||
      launches.some(({ notFoundFor, addressAfter }) => notFoundFor + addressAfter > 0),
    'launch told late': launches.some(({ delivery, successful }) =>
      [delivery, successful].some(([first]) => first === undefined || first > 5000),
    ),
    'machine dies': has('machine-dies'),
    relisted:
      lines.some(({ listed }) => !listed) ||
      servers.some((server) => server.lines.some(({ listed }) => !listed)),
    respelled: lines.some(({ port }) => port !== undefined),
    'DNS name': servers.some(({ name }) => name !== undefined),
    'odd port': servers.some(({ port }) => port !== undefined && port !== 5060),
    'disabled by the list':
      lines.some(({ flags }) => flags === 'DX') ||
      servers.some((server) => server.lines.some(({ flags }) => flags === 'DX')),
    hand: has('hand'),
    'reload or restart': has('stranger-reloads', 'restart', 'reload-command'),
    alarm: has('alarm'),
    operator: has('operator', 'many'),
    many: has('many'),
    window: happenings.some((one) => 'beginsAfter' in one || 'endsAfter' in one),
    'fleet changes': has('edge-removed', 'edge-added') || edges.some(({ configured }) => !configured),
    'edge trouble': faults.some(({ kind }) => kind === 'edge'),
    'slow edge': edges.some(({ latencyMs }) => latencyMs >= 200),
    'function fails': faults.some(({ kind }) => kind === 'call'),
    'events refused': ports.includes('events'),
    'AWS refuses': ports.some((port) => port !== 'events'),
    'row lost': has('row-lost'),
    'group deleted': has('group-deleted'),
    'newer payload': faults.some(({ kind }) => kind === 'newer-payload'),
    'execution stopped': has('executions-end'),
    'alarm ends': has('alarm-ends'),
    'floors or limit': plan.clearance !== undefined,
    freeze: has('freeze'),
    senders: plan.senders !== undefined,
    'counts nothing': edges.some(({ counts }) => !counts),
    'call moves': happenings.some((happening) => happening.kind === 'call' && happening.moves !== undefined),
  }
  return (Object.entries(all) as [Circumstance, boolean][]).flatMap(([name, is]) => (is ? [name] : []))
}
