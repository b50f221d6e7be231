import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Edge } from '../../lab/sip/edge.ts'
import { type Lab, openLab } from './lab.ts'
import { inviteStatus, type SipStub, startStub } from './raw-sip.ts'
import { askEdge, requestLine } from './rpc-requests.ts'

const mode1 = (text: string) => text.replace('dns=no', 'dns=no\nreturn_mode=1')

// 5.6 does not have this core parameter.
describe.each(['6.1', '6.0'] as const)('with `return_mode=1` of the core, on Kamailio %s', (release) => {
  let lab: Lab
  let media: SipStub
  let edge: Edge

  beforeAll(async () => {
    lab = await openLab(release)
    media = await startStub('127.0.2.18')
    edge = await lab.edge({
      destinations: [{ set: 1, uri: media.uri }],
      pingSeconds: 60,
      dialogDb: false,
    })
  })
  afterAll(async () => {
    await media.stop()
    await lab.close()
  })

  test('the RPC answers 500 to everybody, also without a key, executes nothing and logs the line', async () => {
    const child = await lab.restartEdited(edge, mode1)
    for (const key of [edge.secret, 'wrong', ''])
      for (const body of [requestLine('core.kill'), requestLine('core.uptime'), ''])
        expect((await askEdge(edge, { body, headers: { 'x-rpc-key': key } })).status).toBe(500)
    expect(child.alive()).toBe(true)
    expect(readFileSync(child.logFile, 'utf8')).toMatch(/ERROR: .*dispatcher-control: return_mode is not 0/)
    await child.stop()
  })

  test.each([
    ['FROM_MEDIA_SERVER', 0],
    ['SELECT', 0],
    ['COUNT_TO', 0],
    ['FAILOVER', 1],
  ])(
    'DISPATCHER_CONTROL_%s refuses the call with 500, whatever the script makes of it',
    async (name, times) => {
      const fresh = await lab.edge({
        destinations: [{ set: 1, uri: media.uri }],
        pingSeconds: 60,
        dialogDb: false,
      })
      const child = await lab.restartEdited(fresh, (text) =>
        mode1(text).replace(/^request_route[\s\S]*/m, script(name)),
      )
      const before = media.invites.length
      expect(await inviteStatus(fresh)).toBe(500)
      expect(media.invites.length - before).toBe(times)
      expect(readFileSync(child.logFile, 'utf8')).toMatch(
        new RegExp(`ERROR: .*DISPATCHER_CONTROL_${name}: return_mode is not 0`),
      )
      await child.stop()
    },
  )
})

/** A script for that mode: it compares what functions return, and trusts the one route that it calls. */
function script(name: string): string {
  const call = `route(DISPATCHER_CONTROL_${name});`
  const failed = name === 'FAILOVER'
  return [
    'request_route {',
    '\tif (is_method("ACK") > 0) exit;',
    '\tds_select_dst("1", "4");',
    failed ? '\tt_on_failure("FAILED");' : `\t${call}`,
    '\tt_relay();',
    '\texit;',
    '}',
    `failure_route[FAILED] {\n\t${failed ? call : 'exit;'}\n\tt_relay();\n}\n`,
  ].join('\n')
}
