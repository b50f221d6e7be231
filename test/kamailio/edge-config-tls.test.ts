import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePort } from '../../lab/programs/free-port.ts'
import { createAuthority } from '../rpc-client/tls-certificates.ts'
import { type Lab, openLab } from './lab.ts'
import { inviteStatus, type SipStub, startStub } from './raw-sip.ts'

const address = '127.0.1.1'
const mediaAddress = '127.0.2.20'

describe.each(['6.1', '5.6'] as const)(
  'SIP over TLS beside a TLS socket of the RPC, on Kamailio %s',
  (release) => {
    let lab: Lab
    let media: SipStub
    const dir = mkdtempSync(join(tmpdir(), 'edge-tls-'))
    const authority = createAuthority('a CA')

    beforeAll(async () => {
      lab = await openLab(release)
      const identity = authority.issue({ name: 'edge', host: address })
      writeFileSync(join(dir, 'edge.pem'), identity.certificate)
      writeFileSync(join(dir, 'edge.key'), identity.key)
      media = await startStub(mediaAddress, {
        identity: authority.issue({ name: 'media', host: mediaAddress }),
      })
    })
    afterAll(async () => {
      await media.stop()
      await lab.close()
      rmSync(dir, { recursive: true })
    })

    /** The plain RPC socket is the lab's own; `rpcPort` is one by TLS, opened where rpc.cfg would open it. */
    const withTls = (rpcPort: number) => (example: string) =>
      example
        .replace('loadmodule "xhttp.so"', 'loadmodule "tls.so"\nloadmodule "xhttp.so"')
        .replace('dns=no', 'dns=no\nenable_tls=yes')
        .replace(
          'include_file "rpc.cfg"',
          [
            'include_file "rpc.cfg"',
            `listen=tls:${address}:${rpcPort} name "dispatcher_control_rpc"`,
            'modparam("tls", "tls_method", "TLSv1.2+")',
            `modparam("tls", "certificate", "${dir}/edge.pem")`,
            `modparam("tls", "private_key", "${dir}/edge.key")`,
          ].join('\n'),
        )

    test('with DC_SIP_TLS_LISTEN Via and Record-Route towards a TLS destination name that socket, not the RPC one', async () => {
      const [rpcPort, sipPort] = [await freePort(address), await freePort(address)]
      const edge = await lab.edge({
        destinations: [{ set: 1, uri: media.uri }],
        pingSeconds: 60,
        dialogDb: false,
        settings: { DC_SIP_TLS_LISTEN: `${address}:${sipPort}` },
        edit: withTls(rpcPort),
      })
      expect(await inviteStatus(edge)).toBe(486)
      const [invite = ''] = media.invites.slice(-1)
      expect(invite).toContain(`Via: SIP/2.0/TLS ${address}:${sipPort};`)
      expect(invite).toContain(`Record-Route: <sip:${address}:${sipPort};transport=tls`)
      expect(invite).not.toContain(`:${rpcPort}`)
    })
  },
)
