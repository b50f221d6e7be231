import { execFile } from 'node:child_process'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { KamailioProgram } from '../../lab/programs/program.ts'
import { provision } from '../../lab/programs/provision.ts'

const product = resolve(import.meta.dirname, '../../kamailio')
/** Every setting without which the example does not start on this machine. */
const needed = {
  DC_SIP_LISTEN: '127.0.1.1:25060',
  DC_RPC_LISTEN: 'tcp:127.0.1.1:28080',
}
const needs = {
  'rpc.cfg': ['pv', 'xlog', 'textops', 'ipops', 'htable', 'sl', 'xhttp', 'jsonrpcs'],
  'drain-guard.cfg': ['tm', 'dispatcher'],
  'call-profiles.cfg': ['tm', 'dialog', 'dispatcher'],
}

describe.each(['6.1', '5.6'] as const)('`kamailio -c` of %s', (release) => {
  let kamailio: KamailioProgram
  const dir = mkdtempSync(join(tmpdir(), 'edge-check-'))

  beforeAll(async () => {
    const tools = await provision({ kamailio: [release], log: (line) => console.log(line) })
    const found = tools.kamailio.get(release)
    if (found === undefined) throw new Error(`no Kamailio ${release}`)
    kamailio = found
    for (const file of readdirSync(product).filter((name) => name.endsWith('.cfg')))
      copyFileSync(join(product, file), join(dir, file))
  })
  afterAll(() => rmSync(dir, { recursive: true }))

  const check = (
    files: Readonly<Record<string, string>> = {},
    settings: Readonly<Record<string, string>> = needed,
  ) => {
    for (const [file, text] of Object.entries(files)) writeFileSync(join(dir, file), text)
    const [program = '', ...argv] = kamailio.argv
    const defines = Object.entries(settings).flatMap(([name, value]) => [
      '-A',
      value === '' ? name : `${name}=${value}`,
    ])
    const { promise, resolve: done } = Promise.withResolvers<string>()
    execFile(program, [...argv, '-c', '-f', join(dir, 'kamailio.cfg'), ...defines], (_error, out, err) =>
      done(out + err),
    )
    return promise.finally(() => {
      for (const file of Object.keys(files)) copyFileSync(join(product, file), join(dir, file))
    })
  }
  const shipped = (file: string) => readFileSync(join(product, file), 'utf8')
  /** The comment above the line of `file` that Kamailio blames. */
  const blamed = (output: string, file: string) => {
    const number = Number(new RegExp(`error at .*${file} line ([0-9]+)`).exec(output)?.[1])
    const lines = shipped(file).split('\n').slice(0, number)
    return lines.slice(lines.findLastIndex((line) => line.startsWith('#!'))).join('\n')
  }

  test('the example is right as it is delivered, but for its addresses', async () => {
    expect(await check()).toContain('config file ok')
  })

  test('nothing optional is on: no dialog database, no end of calls, no keepalives, no second key', () => {
    expect(shipped('settings.cfg')).not.toMatch(
      /^#!(try)?def(ine)? (DC_DIALOG_\w+|DC_RPC_END_CALLS|DC_KEEPALIVES|DC_RPC_NEXT_KEY_SHA256)/m,
    )
  })

  test.each(['DC_SIP_LISTEN', 'DC_RPC_LISTEN', 'DC_RPC_SUBNET', 'DC_RPC_KEY_SHA256'])(
    'without %s it fails at a line whose comment names what to add',
    async (name) => {
      const without = shipped('settings.cfg').replace(new RegExp(`^#!trydef ${name} .*$`, 'm'), '')
      const others = Object.fromEntries(Object.entries(needed).filter(([other]) => other !== name))
      const output = await check({ 'settings.cfg': without }, others)
      expect(output).not.toContain('config file ok')
      expect(output).toContain(`${name}-is-not-defined`)
      expect(blamed(output, 'rpc.cfg')).toContain(`#!trydef ${name} `)
    },
  )

  test.each(
    Object.entries(needs).flatMap(([file, modules]) => modules.map((module) => [module, file] as const)),
  )('without the module %s it fails at a line of %s that names it', async (module, file) => {
    const only = shipped('kamailio.cfg').replace(`loadmodule "${module}.so"`, '')
    // The example's own use of the module is not what is tested: only our file is included.
    const bare = only
      .split('\n')
      .filter((line) => /^(include_file|loadmodule|#!KAMAILIO)/.test(line))
      .filter((line) => !/(db_sqlite|sqlops|keepalives)/.test(line))
      .filter((line) => !/include_file/.test(line) || new RegExp(`settings|rpc|${file}`).test(line))
      .concat('request_route { exit; }\n')
      .join('\n')
    const output = await check({ 'kamailio.cfg': bare })
    expect(output).not.toContain('config file ok')
    expect(output).toContain(`the-module-${module}-is-not-loaded`)
    expect(output).toMatch(new RegExp(`error at .*${file} line`))
  })

  test('an own pre-routing route without its setting is refused, and not left without ours', async () => {
    const own = `${shipped('kamailio.cfg')}\nevent_route[core:pre-routing] {\n\troute(DISPATCHER_CONTROL_NO_SIP);\n}\n`
    expect(await check({ 'kamailio.cfg': own })).not.toContain('config file ok')
    const settings = { ...needed, DC_OWN_PRE_ROUTING: '' }
    expect(await check({ 'kamailio.cfg': own }, settings)).toContain('config file ok')
  })

  test('every setting can come from the command line, which wins over the file', async () => {
    const text = shipped('settings.cfg')
    const defined = [...text.matchAll(/^#?#!(\w+) (\w+)/gm)]
    expect(defined.length).toBeGreaterThan(15)
    expect(defined.filter(([, directive]) => directive !== 'trydef')).toEqual([])
    const output = await check(
      {
        'settings.cfg': text,
        'kamailio.cfg': shipped('kamailio.cfg').replace(
          'request_route {',
          'request_route {\n#!ifdef DC_RPC_END_CALLS\n\tSEEN_END_CALLS\n#!endif',
        ),
      },
      { ...needed, DC_RPC_END_CALLS: '' },
    )
    expect(output).toMatch(/kamailio\.cfg, (from )?line/)
    const advertised = await check(
      {},
      { ...needed, DC_SIP_LISTEN: '127.0.1.1:25060 advertise 203.0.113.7:5060' },
    )
    expect(advertised).toMatch(/udp: 127\.0\.1\.1.*:25060 advertise (udp:|tcp:)?203\.0\.113\.7:5060/)
    expect(advertised).toMatch(/tcp: 127\.0\.1\.1.*:25060 advertise (udp:|tcp:)?203\.0\.113\.7:5060/)
  })
})
