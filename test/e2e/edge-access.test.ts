import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
import { beforeAll, describe, expect, test } from 'vitest'
import type { CommandInput } from '../../functions/contracts/command.ts'
import { defaultEmulator } from '../../lab/emulator/emulators.ts'
import { rpcSecretParameter } from '../../lab/plan/fleet-plan.ts'
import { renderHtml } from '../../lab/referee/report-html.ts'
import { outcomeOf, sendCommands } from '../../lab/scenarios/operator.ts'
import { type Run, run } from '../../lab/scenarios/run.ts'
import type { Scenario } from '../../lab/scenarios/scenario.ts'
import {
  drainByLifecycle,
  untilBusy,
  untilGapCloses,
  untilProven,
  waitFor,
} from '../../lab/scenarios/stage.ts'
import { callsUp } from '../../lab/sip/call-record.ts'
import type { Machine } from '../../lab/world/machines.ts'
import type { World } from '../../lab/world/world.ts'
import { some } from '../present.ts'
import { everythingIn, leaksIn, type Readable } from './leak-search.ts'
import { sharedWorld } from './shared-world.ts'

// A named endpoint's functions sign with keys that nobody else knows.
const emulator = defaultEmulator() instanceof URL ? 'ministack' : defaultEmulator()
const world = sharedWorld({ apiGateway: true, emulator })
let shown: Run

beforeAll(async () => {
  shown = await run(world(), [troubled, rotated])
}, 240_000)

/**
 * API Gateway throttles as the drain begins; once it is confirmed it throttles again, and fails in its other
 * ways.
 */
const troubled: Scenario = {
  name: 'API Gateway in trouble',
  wave: 1,
  run: async (its, found) => {
    const machine = its.machines.named('ms-1')
    await untilBusy(its, machine)
    // More than one call to one edge says again: some are given up for now.
    its.gateway?.answerNext(12, 429, 'Too Many Requests')
    found(
      await drainByLifecycle(its, machine, {
        scenario: 'API Gateway in trouble',
        afterConfirmation: async () => {
          its.gateway?.answerNext(12, 429, 'Too Many Requests')
          its.gateway?.answerNext(1, 502, 'Bad Gateway')
          its.gateway?.answerNext(1, 503, 'Service Unavailable')
          its.gateway?.answerNext(1, 504, 'Endpoint request timed out')
          return {}
        },
      }),
    )
  },
}

/**
 * The new secret, which every edge accepts, is put in place; then an edge accepts the old one no more, which
 * takes a restart.
 */
const rotated: Scenario = {
  name: 'secret rotated mid-drain',
  wave: 2,
  run: async (its, found, enough) => {
    found(
      await drainByLifecycle(its, busiest(its), {
        scenario: 'secret rotated mid-drain',
        afterConfirmation: async (machine, confirmedAt) => {
          await untilProven(its, confirmedAt)
          await putSecret(its.secrets.nextRpc)
          const restart = { edge: 'edge-b', at: Date.now() }
          await edge('edge-b').restartWithSecret(its.secrets.nextRpc)
          await untilGapCloses(its, machine, restart)
          enough()
          return { restart }
        },
      }),
    )
  },
}

/**
 * With one server gone, callers at steady rates may fall in step with the round robin: some servers then get
 * brief calls only.
 */
function busiest(its: World): Machine {
  const up = ({ serverName }: Machine) => callsUp(its.ledger.calls(), serverName, Date.now())
  const others = its.machines.all().filter(({ plan }) => /^ms-[2-9]$/.test(plan.name))
  return others.reduce((most, machine) => (up(machine) > up(most) ? machine : most))
}

async function putSecret(Value: string): Promise<void> {
  const ssm = new SSMClient(world().emulator.client)
  await ssm.send(
    new PutParameterCommand({ Name: rpcSecretParameter, Value, Type: 'SecureString', Overwrite: true }),
  )
  ssm.destroy()
}

function edge(name: string) {
  const found = world().edges.find((its) => its.name === name)
  if (found === undefined) throw new Error(`the lab has no ${name}`)
  return found
}

describe('through API Gateway', () => {
  test('that throttles and fails in the middle of a drain, and over a rotation of the secret, no call is cut and none lost', () => {
    const { report } = shown
    expect([...report.problems, ...report.scenarios.flatMap(({ problems }) => problems)]).toEqual([])
    expect(report.passed).toBe(true)
    expect(report.calls).toMatchObject({ failed: 0, cut: 0 })
  })

  test('every request that reached an edge was signed, and came as API Gateway passes it on', () => {
    const { forwarded = [], accessLog = [] } = world().gateway ?? {}
    expect(accessLog.filter(({ status }) => status === 403)).toEqual([])
    const counted = (wanted: number) => accessLog.filter(({ status }) => status === wanted).length
    expect(counted(429)).toBe(24)
    for (const status of [502, 503, 504]) expect(counted(status), `${status}`).toBeGreaterThan(0)
    expect(new Set(forwarded.map(({ edge }) => edge))).toEqual(new Set(['edge-a', 'edge-b']))
    for (const { headers } of some(forwarded)) {
      expect(headers).toMatchObject({
        via: 'HTTP/1.1 AmazonAPIGateway',
        forwarded: expect.stringMatching(/^by=/),
      })
      expect(headers).not.toHaveProperty('authorization')
    }
  })
})

describe('the secret', () => {
  test('that an edge accepts no more is read again and the call said again: no step of a drain failed for it', () => {
    const { secrets, gateway, controlEvents } = world()
    const refused = gateway?.accessLog.filter(({ status }) => status === 401) ?? []
    expect(refused.map(({ route }) => route)).toContain('POST /edges/edge-b/rpc')
    const used = gateway?.forwarded.map(({ headers }) => headers['x-rpc-key']) ?? []
    expect(new Set(used)).toEqual(new Set([secrets.rpc, secrets.nextRpc]))
    expect(used.at(-1)).toBe(secrets.nextRpc)
    expect(controlEvents.all().filter((event) => JSON.stringify(event).includes('unauthorized'))).toEqual([])
  })

  test('is nowhere but where it must be, also after commands that fail', async () => {
    await commandsThatFail()
    const found: readonly Readable[] = [
      ...(await everythingIn(world())),
      { kind: 'file', name: 'report.json', text: JSON.stringify(shown.report) },
      { kind: 'file', name: 'report.html', text: renderHtml(shown.report, shown.plot) },
    ]
    // What was not there to be read proves nothing.
    const kinds = ['template', 'log', 'event', 'execution', 'row', 'message', 'function', 'parameter', 'file']
    expect(new Set(found.map(({ kind }) => kind))).toEqual(new Set(kinds))
    expect(found.some(({ kind, text }) => kind === 'log' && text.includes('"Step done"'))).toBe(true)
    expect(found.some(({ kind, name }) => kind === 'message' && /dead/i.test(name))).toBe(true)
    expect(found.some(({ text }) => text.includes('unauthorized'))).toBe(true)

    const { rpc, nextRpc, asterisk } = world().secrets
    expect([...leaksIn(found, { rpc, nextRpc, asterisk })].sort()).toEqual([
      // An Asterisk has its own users' passwords in its own configuration.
      'file asterisk/etc/ari.conf: asterisk, plain',
      // An edge's configuration knows the secret by its hash alone (kamailio/settings.cfg).
      'file edge-a/settings.cfg: nextRpc, sha256',
      'file edge-b/settings.cfg: nextRpc, sha256',
      // Read as who may decrypt.
      'parameter SecureString /dispatcher-control/asterisk-password: asterisk, plain',
      'parameter SecureString /dispatcher-control/rpc-secret: nextRpc, plain',
    ])
  })
})

/**
 * Without calls: an edge that refuses the secret, one that is away, a command that nobody can do, and a
 * reload.
 */
async function commandsThatFail(): Promise<void> {
  const { machines, secrets } = world()
  const destination = machines.named('ms-2').uri
  const requestedBy = 'the lab'
  const last = edge('edge-b')
  await edge('edge-a').restartWithSecret(secrets.nextRpc)

  await last.restartWithSecret('another')
  const unauthorized = await outcomeText({
    ...{
      version: 1,
      id: 'refused-1',
      command: 'drain',
      destination,
      requestedBy,
      reason: 'an edge says 401',
    },
  })
  expect(unauthorized).toMatch(/"edge":"edge-b","outcome":"refused","detail":"unauthorized/)

  await last.stop()
  const away = await outcomeText({ version: 1, id: 'away-1', command: 'activate', destination, requestedBy })
  expect(away).toMatch(/"edge":"edge-b","outcome":"unreachable"/)

  await last.restartWithSecret(secrets.nextRpc)
  await sendCommands(world(), [
    { id: 'bad-1', group: 'bad', body: '{"version":1,"id":"bad-1","comand":"drain"}' },
  ])
  const rejected = () =>
    world()
      .controlEvents.all()
      .some(({ type }) => type === 'Message Rejected')
  expect(await waitFor(60_000, rejected)).toBe(true)
  expect(await outcomeText({ version: 1, id: 'reload-1', command: 'reload', requestedBy })).toContain(
    '"result":"reloaded"',
  )

  // The password of the media server's own count is used by a round.
  const { uri } = machines.named('asterisk')
  await outcomeText({
    ...{ version: 1, id: 'asterisk-1', command: 'drain', destination: uri, requestedBy },
    reason: 'its own count is read',
  })
  const drained = () =>
    world()
      .controlEvents.all()
      .some(({ type, detail }) => type === 'Drain Drained' && detail.uris?.includes(uri))
  expect(await waitFor(60_000, drained)).toBe(true)
}

/** Sends a command. @returns its outcome, as text */
async function outcomeText(command: CommandInput): Promise<string> {
  return JSON.stringify(await outcomeOf(world(), command))
}
