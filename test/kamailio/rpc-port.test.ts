import { afterAll, beforeAll, describe } from 'vitest'
import { createHttpTransport } from '../../functions/kamailio/http-transport.ts'
import { kamailioReleases } from '../../lab/programs/program.ts'
import { rpcPortContract, uris } from '../port-contracts/rpc-port.ts'
import { type Lab, openLab } from './lab.ts'

for (const release of kamailioReleases)
  describe(`bad input to a real Kamailio ${release}`, () => {
    let lab: Lab
    beforeAll(async () => {
      lab = await openLab(release)
    })
    afterAll(() => lab.close())

    rpcPortContract(`a real Kamailio ${release}`, async () => {
      const destinations = uris.map((uri) => ({ set: 1, uri }))
      const edge = await lab.edge({ destinations, dialogDb: false, pingSeconds: 600 })
      const transport = createHttpTransport({ url: edge.rpcUrl, timeoutMs: 5000 })
      return {
        transport,
        secret: edge.secret,
        close: async () => {
          await transport.close()
          await edge.kill()
        },
      }
    })
  })
