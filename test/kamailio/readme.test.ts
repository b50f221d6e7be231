import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type KamailioProgram, kamailioReleases } from '../../lab/programs/program.ts'
import { provision } from '../../lab/programs/provision.ts'
import { onTheEdge } from '../e2e/documented-spans.ts'
import { some } from '../present.ts'
import { whyNoNamespace } from './drop-in/namespace.ts'
import { installStock, whyNoStock } from './drop-in/stock.ts'
import { blocksOf, type Commands, isAsShown, tableOf } from './readme-blocks.ts'
import { addOwnDispatcher, paste } from './readme-paste.ts'
import { CommandFailed, installPrograms, openShell, type Shell } from './readme-shell.ts'

const files = resolve(import.meta.dirname, '../../kamailio')
const readme = readFileSync(join(files, 'README.md'), 'utf8')
const blocks = blocksOf(readme)
const tools = await provision({ kamailio: kamailioReleases, log: (line) => console.log(line) })

/** Runs the commands of a block and compares what they print with what the document shows. */
async function follow(shell: Shell, { text, line, output }: Commands): Promise<void> {
  const where = `kamailio/README.md, line ${line}`
  const printed = await shell.run(text).catch((error: Error) => {
    throw new Error(`${where}: ${error.message}`, { cause: error })
  })
  if (output !== undefined && !isAsShown(output, printed))
    throw new Error(`${where}: it should print\n${output}\nand prints\n${printed}`)
}

/** The last commands take all of it out again. */
const goingBack = blocks.findLast(({ language }) => language === 'sh')

/** From here on the RPC answers by TLS alone. */
const overTls = blocks.find(({ text }) => text.includes('DC_RPC_LISTEN tls:'))

/** By the command line, as the table of settings has it. */
async function tryEachSetting(shell: Shell): Promise<void> {
  const settings = tableOf(readme, 'setting')
  expect(settings.length).toBeGreaterThan(10)
  for (const [setting = '', , option = ''] of some(settings)) {
    expect(option).toContain(setting.replaceAll('`', ''))
    await shell.run(`kamailio -c -f "$CFG/kamailio.cfg" -A ${option.replaceAll('`', '')}`)
  }
}

/** What the runbook's sentences have somebody run on an edge. */
async function tryEachSentence(shell: Shell): Promise<void> {
  for (const { where, text } of some(onTheEdge())) {
    const printed = await shell.run(text.replaceAll('10.0.0.5', '10.0.0.10'))
    // What curl is refused would be no result, and no failure of curl.
    expect(printed, `${where}: ${text}`).toMatch(/^Ok\. |^\{\n|"result"/)
  }
}

/**
 * An edge with Debian's stock configuration and a dispatcher, as it is before the first step; and a terminal
 * on it.
 */
async function openEdge(home: string, kamailio: KamailioProgram) {
  const dir = mkdtempSync(join(home, 'edge-'))
  const [config, run, bin] = ['etc', 'run', 'bin'].map((name) => join(dir, name)) as [string, string, string]
  for (const folder of [config, run, bin, join(config, 'db')]) mkdirSync(folder)
  installStock(kamailio, config, [])
  addOwnDispatcher(config, ['sip:10.0.1.20:5060', 'sip:10.0.1.21:5060'])
  installPrograms(bin, kamailio, run, config)
  const shell = await openShell(dir, bin, {
    CFG: config,
    RUN: run,
    FILES: files,
    SECRET: 'the-secret-of-this-walk',
    DB: join(config, 'db/dialog.sqlite'),
    SQL: join(kamailio.stockConfigDir ?? '', '../../usr/share/kamailio/db_sqlite'),
  })
  await shell.run('systemctl restart kamailio')
  return { config, shell }
}

describe.each([...tools.kamailio])(
  'kamailio/README.md, followed from its first line on %s',
  (_release, kamailio) => {
    const why = whyNoNamespace() ?? whyNoStock(kamailio)
    if (why !== undefined) console.warn(`kamailio/README.md is not followed: ${why}`)
    const home = mkdtempSync(join(tmpdir(), 'edge-readme-'))
    afterAll(() => rmSync(home, { recursive: true }))

    test.skipIf(why)(
      'every command works as it is written, every line fits where it is to be pasted',
      { timeout: 120_000 },
      async () => {
        const { config, shell } = await openEdge(home, kamailio)
        try {
          for (const block of blocks) {
            if (block === overTls) await tryEachSentence(shell)
            if (block === goingBack) await tryEachSetting(shell)
            if (block.language === 'cfg') paste(config, block)
            if (block.language === 'sh') await follow(shell, block)
          }
        } finally {
          shell.close()
        }
      },
    )

    test.skipIf(why)(
      'a command that stops working, and another answer than is shown, are noticed',
      async () => {
        const { shell } = await openEdge(home, kamailio)
        const block = { language: 'sh', name: '', line: 1 }
        try {
          await follow(shell, { ...block, text: 'kamcmd core.uptime', output: '{\n…\n}' })
          await expect(follow(shell, { ...block, text: 'echo 401', output: '200' })).rejects.toThrow(
            'should print',
          )
          await expect(shell.run('kamcmd no.such_command')).rejects.toThrow(CommandFailed)
        } finally {
          shell.close()
        }
      },
    )
  },
)

test('every fenced block is one that is run, pasted or only shown', () => {
  expect([...new Set(blocks.map(({ language }) => language))].sort()).toEqual(['cfg', 'lua', 'sh'])
})
