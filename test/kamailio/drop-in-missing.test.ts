import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { kamailioReleases } from '../../lab/programs/program.ts'
import { provision } from '../../lab/programs/provision.ts'
import { check } from './drop-in/plan.ts'
import { whyNoStock } from './drop-in/stock.ts'
import { editSettings, installStockWithOurs } from './drop-in/user-edits.ts'

const tools = await provision({ kamailio: kamailioReleases, log: (line) => console.log(line) })

describe.each([...tools.kamailio])('what a configuration lacks, on Kamailio %s', (_release, kamailio) => {
  const why = whyNoStock(kamailio)
  if (why !== undefined) console.warn(`A configuration that lacks something is not tried: ${why}`)
  const home = mkdtempSync(join(tmpdir(), 'drop-in-missing-'))
  afterAll(() => rmSync(home, { recursive: true }))

  const install = () => {
    const dir = mkdtempSync(join(home, 'edge-'))
    installStockWithOurs(kamailio, dir, { features: [], listens: [], mediaServers: [] })
    return dir
  }

  test.skipIf(why).each(['xhttp', 'htable', 'ipops', 'dialog', 'dispatcher'])(
    'without the module %s `kamailio -c` fails and names it',
    (name) => {
      const dir = install()
      const file = join(dir, 'kamailio.cfg')
      const text = readFileSync(file, 'utf8')
      writeFileSync(file, text.replace(`#!ifndef MOD_${name}\nloadmodule "${name}.so"\n#!endif`, ''))
      const { ok, words } = check(kamailio, dir)
      expect(ok).toBe(false)
      expect(words).toContain(name)
    },
  )

  test.skipIf(why).each(['DC_SIP_LISTEN', 'DC_RPC_LISTEN', 'DC_RPC_SUBNET', 'DC_RPC_KEY_SHA256'])(
    'without %s `kamailio -c` fails and names it and its line',
    (name) => {
      const dir = install()
      expect(check(kamailio, dir)).toMatchObject({ ok: true })
      editSettings(dir, { [name]: undefined })
      const { ok, words } = check(kamailio, dir)
      const lines = readFileSync(join(dir, 'rpc.cfg'), 'utf8').split('\n')
      const line = lines.findIndex((text) => text.includes(`"${name}-is-not-defined`)) + 1
      expect(ok).toBe(false)
      expect(words).toContain(`${name}-is-not-defined`)
      expect(words).toContain(`${dir}/rpc.cfg line ${line}\n`)
    },
  )
})
