import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import * as z from 'zod'
import { requireNode24 } from '../../lib/node-version.ts'
import { readSettings } from '../../lib/settings.ts'
import { exampleTemplate } from './synthesized.ts'

const folder = mkdtempSync(join(tmpdir(), 'dispatcher-control-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const file = join(folder, 'settings.json')
const example = z
  .record(z.string(), z.unknown())
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, '../../dispatcher-control.json'), 'utf8')))

function problems(text: string): string {
  writeFileSync(file, text)
  try {
    readSettings(file)
  } catch (error) {
    return String(error)
  }
  return 'none'
}

test('every problem of a settings file is named with its place', () => {
  const named = problems(
    JSON.stringify({
      ...example,
      stackName: 'no_underscore',
      edgesPath: '/edges/',
      edgePath: '/a',
      edgeAccess: { kind: 'carrier-pigeon' },
      control: {
        groups: [{ name: 'a', terminateHook: 'b', heartbeatTimeoutSeconds: 60, drainDeadlineSeconds: 7200 }],
        timers: {},
      },
    }),
  )
  expect(named).toContain(file)
  for (const place of [
    'stackName',
    'must be like /a/b, without a slash at its end\n  → at edgesPath',
    'Unrecognized key: "edgePath"',
    'edgeAccess.kind',
    'control.groups[0].deadlinePolicy',
    'control.timers.failoverWindowSeconds',
  ])
    expect(named).toContain(place)
})

test('a settings file may name its schema, which an editor reads and nobody else', () => {
  expect(problems(JSON.stringify({ $schema: './settings.schema.json', ...example }))).toBe('none')
})

test("a deadline that the hook's global maximum would cut off is refused", () => {
  const { control } = z
    .object({ control: z.looseObject({ groups: z.tuple([z.looseObject({})]) }) })
    .parse(example)
  const groups = [{ ...control.groups[0], heartbeatTimeoutSeconds: 60, drainDeadlineSeconds: 6000 }]
  expect(problems(JSON.stringify({ ...example, control: { ...control, groups } }))).toContain(
    "must be at most 5980: the hook's global maximum, min(48 h, 100 × heartbeat timeout) = 6000 s, less one wait\n  → at control.groups[0].drainDeadlineSeconds",
  )
})

test('our side of TLS is a CA, or a CA with certificate and key', () => {
  const all = { caParameter: '/tls/ca', certificateParameter: '/tls/client', keyParameter: '/tls/key' }
  const { keyParameter: _key, ...alone } = all
  for (const edgeTls of [all, { caParameter: '/tls/ca' }])
    expect(problems(JSON.stringify({ ...example, edgeTls }))).toBe('none')
  expect(problems(JSON.stringify({ ...example, edgeTls: alone }))).toContain(
    'needs certificateParameter and keyParameter together, or neither\n  → at edgeTls',
  )
})

test('a settings file that is not there or not JSON is named, with how to choose another', () => {
  expect(problems('{')).toContain(`can't read the settings file ${file}`)
  expect(() => readSettings(join(folder, 'none.json'))).toThrow(/-c config=.*ENOENT/)
})

test('an older Node is told what to do', () => {
  expect(() => requireNode24('v22.18.0')).toThrow(/Node v22.18.0 is too old: Node 24 .*npm ci/)
  expect(() => requireNode24('v24.0.0')).not.toThrow()
})

const ending = { callsLeft: 'end-calls', unknown: 'terminate' }

test.each([
  ['a name that would cover other groups', { name: 'media-*' }, 'must not hold a colon'],
  ['a group without a name', { name: '' }, 'control.groups[0].name'],
  [
    'a deadline policy of one word, as it once was,',
    { deadlinePolicy: 'retain' },
    'must state both: { "callsLeft": "retain", "end-calls" or "terminate", "unknown": "retain" or "terminate" }\n  → at control.groups[0].deadlinePolicy',
  ],
  [
    'a deadline policy that says nothing of what is unknown',
    { deadlinePolicy: { callsLeft: 'retain' } },
    'control.groups[0].deadlinePolicy.unknown',
  ],
  [
    'endCalls without the policy that uses it',
    { endCalls: { perStep: 5 } },
    "has no meaning unless deadlinePolicy.callsLeft is 'end-calls'",
  ],
  [
    'less time to end calls than to see that they are over',
    { deadlinePolicy: ending, endCalls: { withinSeconds: 7 } },
    'longer than the fail-over window of 7 s: that calls are over',
  ],
  [
    "a deadline that leaves no time to end calls before the hook's global maximum",
    { deadlinePolicy: ending, heartbeatTimeoutSeconds: 60, drainDeadlineSeconds: 5700 },
    "must be at most 5660: the hook's global maximum, min(48 h, 100 × heartbeat timeout) = 6000 s, less two waits and endCalls.withinSeconds = 300 s",
  ],
  ['a deadline within the fail-over window', { drainDeadlineSeconds: 7 }, 'longer than the fail-over window'],
])('%s is refused', (_, change, message) => {
  const { control } = z
    .object({ control: z.looseObject({ groups: z.tuple([z.looseObject({})]) }) })
    .parse(example)
  const groups = [{ ...control.groups[0], ...change }]
  expect(problems(JSON.stringify({ ...example, control: { ...control, groups } }))).toContain(message)
})

const withClearance = (clearance: object) => {
  const { control } = z.object({ control: z.looseObject({}) }).parse(example)
  return JSON.stringify({ ...example, control: { ...control, clearance } })
}

test.each<[string, object, string]>([
  [
    'a floor of more than all',
    { floors: [{ percent: 101 }] },
    'must be at most 100\n  → at control.clearance.floors[0].percent',
  ],
  [
    'a floor of none',
    { floors: [{ count: 0 }] },
    'must leave 1 server at least: without a floor leave it out',
  ],
  ['a limit of none', { atOnce: 0 }, 'must let 1 begin at least: to stop all, freeze'],
  [
    'a floor of an unknown group',
    { floors: [{ count: 1 }, { group: 'strangers', count: 1 }] },
    '"strangers" is no group of ours\n  → at control.clearance.floors[1].group',
  ],
  [
    'a floor of two kinds',
    { floors: [{ count: 1, percent: 50 }] },
    'must have exactly one of count, percent and callsPerServer\n  → at control.clearance.floors[0]',
  ],
  [
    'a floor of no kind',
    { floors: [{ set: 1 }] },
    'must have exactly one of count, percent and callsPerServer',
  ],
  ['a floor with a key that is not known', { floors: [{ count: 1, sett: 1 }] }, 'Unrecognized key: "sett"'],
  ['clearance with a key that is not known', { limit: 1 }, 'Unrecognized key: "limit"'],
])('%s is refused', (_, clearance, message) => {
  expect(problems(withClearance(clearance))).toContain(message)
})

test('the functions are given floors and limit as they are set', () => {
  const clearance = {
    floors: [{ set: 1, count: 2 }, { group: 'media-servers', percent: 50 }, { callsPerServer: 100 }],
    atOnce: 4,
  }
  writeFileSync(file, withClearance(clearance))
  const template = exampleTemplate(readSettings(file))
  const told = Object.values(template.findResources('AWS::Lambda::Function')).map((each) =>
    JSON.stringify(each).replaceAll('\\', ''),
  )
  expect(told.filter((each) => each.includes(`"clearance":${JSON.stringify(clearance)}`))).not.toEqual([])
})

test('a shortest wait above the longest is refused', () => {
  const { control } = z.object({ control: z.looseObject({ timers: z.looseObject({}) }) }).parse(example)
  const timers = { ...control.timers, minWaitSeconds: 60, maxWaitSeconds: 30 }
  expect(problems(JSON.stringify({ ...example, control: { ...control, timers } }))).toContain(
    'must not be above maxWaitSeconds = 30 s',
  )
})

const role = { id: 'AROAJQABLZS4A3QDU576Q', name: 'deploy pipeline' }

test.each([
  [
    'what a sender may do besides that needs no plans',
    { senders: [{ ...role, mayAlso: ['reload'] }] },
    'is only for a sender with "needsPlan": true; any other may do it anyway\n  → at control.senders[0].mayAlso',
  ],
  ...[role.id, `${role.id}:human`].map((id): [string, object, string] => [
    `a session that needs plans beside ${id}, which its role may choose and which needs none,`,
    {
      senders: [
        { ...role, id: `${role.id}:agent`, needsPlan: true },
        { ...role, id },
      ],
    },
    'whoever assumes a role chooses the session: give the agent a role of its own, or all entries of this role "needsPlan": true\n  → at control.senders[0].needsPlan',
  ]),
  ...[role.id, `${role.id}:human`].map((id): [string, object, string] => [
    `a session that needs plans and may do more besides than ${id}`,
    {
      senders: [
        { ...role, id, needsPlan: true, mayAlso: ['reload'] },
        { ...role, id: `${role.id}:agent`, needsPlan: true, mayAlso: ['reload', 'freeze'] },
      ],
    },
    'whoever assumes a role chooses the session: give all entries of this role the same "mayAlso", or the agent a role of its own\n  → at control.senders[1].mayAlso',
  ]),
  [
    'a role that may do more besides than a session of it',
    {
      senders: [
        { ...role, needsPlan: true, mayAlso: ['freeze'] },
        { ...role, id: `${role.id}:agent`, needsPlan: true },
      ],
    },
    'has more than another entry of its role, and whoever assumes a role chooses the session: give all entries of this role the same "mayAlso", or the agent a role of its own\n  → at control.senders[0].mayAlso',
  ],
  ['a sender without an id', { senders: [{ ...role, id: '' }] }, "must be IAM's unique id, not an ARN"],
  [
    'a sender by its ARN, which SQS names nobody by,',
    { senders: [{ ...role, id: 'arn:aws:iam::123456789012:role/deploy' }] },
    "must be IAM's unique id, not an ARN: AIDA… of a user, AROA… of a role or AROA…:session\n  → at control.senders[0].id",
  ],
  ['a sender without a name', { senders: [{ ...role, name: ' ' }] }, 'control.senders[0].name'],
  [
    'a sender that is named twice',
    { senders: [role, { ...role, name: 'operators' }] },
    '"AROAJQABLZS4A3QDU576Q" is named twice\n  → at control.senders[1].id',
  ],
  [
    'a list of senders that names nobody',
    { senders: [] },
    'left out, whomever IAM lets send may command\n  → at control.senders',
  ],
  [
    'a limit of no holds',
    { maxHoldsPerSender: 0 },
    'must be 1 or more: with less no command could place a hold\n  → at control.maxHoldsPerSender',
  ],
])('%s is refused', (_, change, message) => {
  const { control } = z.object({ control: z.looseObject({}) }).parse(example)
  expect(problems(JSON.stringify({ ...example, control: { ...control, ...change } }))).toContain(message)
})

test('a role is a sender in all its sessions, and one of them may have a name of its own', () => {
  const { control } = z.object({ control: z.looseObject({}) }).parse(example)
  const senders = [role, { id: `${role.id}:alice`, name: 'Alice' }]
  expect(problems(JSON.stringify({ ...example, control: { ...control, senders } }))).toBe('none')
})

test('a role and a session of it that need plans may do the same besides', () => {
  const { control } = z.object({ control: z.looseObject({}) }).parse(example)
  const senders = [
    { ...role, needsPlan: true, mayAlso: ['reload', 'freeze'] },
    { id: `${role.id}:night`, name: 'night', needsPlan: true, mayAlso: ['freeze', 'reload'] },
    { id: 'AROAJQABLZS4A3QDU576R', name: 'another role', needsPlan: true },
  ]
  expect(problems(JSON.stringify({ ...example, control: { ...control, senders } }))).toBe('none')
})

test('without settings nothing is synthesized: the sample is not deployed by mistake', () => {
  const app = join(import.meta.dirname, '../../lib/app.ts')
  const { status, stderr } = spawnSync(process.execPath, [app], { encoding: 'utf8' })
  expect(status).not.toBe(0)
  expect(stderr).toContain('no settings are named: copy dispatcher-control.json')
  expect(stderr).toContain('-c config=my-settings.json')
})
