import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before } from './drop-in/stock.ts'
import { editSettings } from './drop-in/user-edits.ts'
import type { Block } from './readme-blocks.ts'

/** Where each cfg block of kamailio/README.md goes in Debian's stock configuration, as its text asks for. */

type Paste = (dir: string, text: string) => void

const inKamailioCfg =
  (edit: (config: string, text: string) => string): Paste =>
  (dir, text) => {
    const file = join(dir, 'kamailio.cfg')
    writeFileSync(file, edit(readFileSync(file, 'utf8'), text))
  }
const behind = (anchor: RegExp) => inKamailioCfg((config, text) => after(config, anchor, text))
const ahead = (anchor: RegExp) => inKamailioCfg((config, text) => before(config, anchor, text))
const atTheEnd = inKamailioCfg((config, text) => `${config}\n${text}\n`)
const routingLogic = /^#+ Routing Logic #+/

const places: Readonly<Record<string, Paste>> = {
  settings: (dir, text) =>
    editSettings(dir, Object.fromEntries(text.split('\n').map((line) => settingOf(line)))),
  listens: (dir, text) => appendFileSync(join(dir, 'settings.cfg'), `${text}\n`),
  'include-settings': behind(/^import_file "kamailio-local\.cfg"/),
  modules: ahead(/^# -+ setting module-specific parameters -+/),
  includes: ahead(routingLogic),
  'request-from': ahead(/^\troute\(AUTH\);/),
  'request-to': ahead(/^\troute\(LOCATION\);/),
  'xhttp-more': behind(/^\troute\(DISPATCHER_CONTROL_RPC\);/),
  tls: ahead(/^loadmodule "jsonrpcs\.so"/),
  'tls-profile': (dir, text) => appendFileSync(join(dir, 'tls.cfg'), `${text}\n`),
  prometheus: ahead(routingLogic),
  xhttp: atTheEnd,
  'route-from': atTheEnd,
  'route-to': atTheEnd,
  'route-failure': atTheEnd,
  'route-long': atTheEnd,
  'reply-route': atTheEnd,
  'dialog-end': atTheEnd,
  'pre-routing': atTheEnd,
}

/**
 * Pastes a cfg block. The folders of an installed Kamailio are those of the test.
 * @throws when no place is known
 */
export function paste(dir: string, { name, text, line }: Block): void {
  const put = places[name]
  if (put === undefined) throw new Error(`line ${line}: the test knows no place for a cfg block "${name}"`)
  put(dir, text.replaceAll('/etc/kamailio/', `${dir}/`).replaceAll('/var/lib/kamailio', `${dir}/db`))
}

function settingOf(line: string): readonly [name: string, value: string] {
  const [, name, value] = /^#!trydef (\w+) ?(.*)$/.exec(line) ?? []
  if (name === undefined || value === undefined) throw new Error(`no line of settings.cfg: ${line}`)
  return [name, value]
}

/** The dispatcher that the edge has of its own, before anybody thought of a control plane. */
export function addOwnDispatcher(dir: string, servers: readonly string[]): void {
  const module = `loadmodule "dispatcher.so"\nmodparam("dispatcher", "list_file", "${dir}/dispatcher.list")`
  ahead(/^# -+ setting module-specific parameters -+/)(dir, module)
  writeFileSync(join(dir, 'dispatcher.list'), servers.map((uri) => `1 ${uri}\n`).join(''))
}
