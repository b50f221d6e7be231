import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Lab, openLab } from './lab.ts'
import { type SipStub, startStub } from './raw-sip.ts'
import { askEdge, requestLine } from './rpc-requests.ts'

const read = requestLine('core.uptime')
const ownPreRouting = (first: string) => (text: string) =>
  text
    .replace('include_file "settings.cfg"', '#!define DC_OWN_PRE_ROUTING\ninclude_file "settings.cfg"')
    .concat(`event_route[core:pre-routing] {\n\t${first}\n\txlog("L_DBG", "mine\\n");\n}\n`)

describe.each(['6.1', '5.6'] as const)(
  'an edge whose RPC socket would speak SIP, on Kamailio %s',
  (release) => {
    let lab: Lab
    let media: SipStub

    beforeAll(async () => {
      lab = await openLab(release)
      media = await startStub('127.0.2.19')
    })
    afterAll(async () => {
      await media.stop()
      await lab.close()
    })

    const newEdge = () =>
      lab.edge({ destinations: [{ set: 1, uri: media.uri }], pingSeconds: 60, dialogDb: false })

    test('an own pre-routing without our line: 500 to every request, and the log has the line', async () => {
      const edge = await newEdge()
      const child = await lab.restartEdited(edge, ownPreRouting(''))
      for (let request = 0; request < 6; request++)
        expect((await askEdge(edge, { body: read })).status).toBe(500)
      expect(readFileSync(child.logFile, 'utf8')).toMatch(
        /ERROR: .*event_route\[core:pre-routing\] with route\(DISPATCHER_CONTROL_NO_SIP\);/,
      )
      await child.stop()
      const right = await newEdge()
      await lab.restartEdited(right, ownPreRouting('route(DISPATCHER_CONTROL_NO_SIP);'))
      for (let request = 0; request < 6; request++)
        expect((await askEdge(right, { body: read })).status).toBe(200)
    })

    test('an own `listen` that equals ours: the RPC is not there, and the log explains why', async () => {
      const edge = await newEdge()
      const child = await lab.restartEdited(edge, (text) =>
        text.replace('dns=no', 'dns=no\nlisten=DC_RPC_LISTEN'),
      )
      expect((await askEdge(edge, { body: read })).status).toBe(404)
      expect(readFileSync(child.logFile, 'utf8')).toMatch(
        new RegExp(`ERROR: .*came in on ${edge.address}:${edge.rpcPort}, .*a listen of your own that equals`),
      )
    })
  },
)
