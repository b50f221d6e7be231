import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KamailioProgram } from '../../../lab/programs/program.ts'
import { after, before, installProductFiles, installStock, type StockFeature } from './stock.ts'

export const secret = 'the-secret-of-this-edge'

/**
 * Sets values in the user's settings.cfg, whose lines are `#!trydef NAME value`. Undefined takes a setting
 * out. Adds lines at its end.
 */
export function editSettings(
  dir: string,
  settings: Readonly<Record<string, string | undefined>>,
  added: readonly string[] = [],
): void {
  const file = join(dir, 'settings.cfg')
  const text = Object.entries(settings).reduce(
    (all, [name, value]) => setTo(all, name, value),
    readFileSync(file, 'utf8'),
  )
  writeFileSync(file, [text, ...added, ''].join('\n'))
}

/** A line that is commented out (`##!trydef`) counts too: it is the place where the setting is described. */
function setTo(text: string, name: string, value: string | undefined): string {
  const line = new RegExp(`^#+!(trydef|define) ${name}\\b.*$`, 'm')
  if (!line.test(text)) throw new Error(`settings.cfg has no line for ${name}`)
  return text.replace(line, () => (value === undefined ? '' : `#!trydef ${name} ${value}`))
}

export function secretHash(): string {
  return `"${createHash('sha256').update(secret).digest('hex')}"`
}

/** Debian's stock configuration as a user has edited it for the control plane. */
export function installStockWithOurs(
  kamailio: KamailioProgram,
  dir: string,
  {
    features,
    listens,
    mediaServers,
  }: {
    features: readonly StockFeature[]
    /** `listen` lines of the user's own. */
    listens: readonly string[]
    mediaServers: readonly string[]
  },
): void {
  const stock = installStock(kamailio, dir, features)
  installProductFiles(dir)
  // Stock has indented replies, and our files leave them so when they are told.
  editSettings(dir, { DC_RPC_KEY_SHA256: secretHash(), DC_JSONRPC_PRETTY_FORMAT: '1' }, listens)
  writeFileSync(join(dir, 'kamailio.cfg'), addToStock(stock, dir))
  writeFileSync(join(dir, 'dispatcher.list'), mediaServers.map((uri) => `1 ${uri}\n`).join(''))
}

/**
 * What a user of Debian's stock kamailio.cfg writes into it: modules, the includes, dispatcher, and the calls
 * of our routes. The stock lines themselves stay.
 */
function addToStock(stock: string, dir: string): string {
  const ownHttp = /^event_route\[xhttp:request\] \{/m
  const edits: readonly ((text: string) => string)[] = [
    (text) => after(text, /^import_file "kamailio-local\.cfg"/, 'include_file "settings.cfg"'),
    (text) => after(text, /^# -+ setting module-specific parameters -+/, modules),
    (text) => before(text, /^#+ Routing Logic #+/, includes(dir)),
    (text) => before(text, /^\troute\(AUTH\);/, '\troute(FROM_MEDIA_SERVERS);'),
    (text) => before(text, /^\troute\(LOCATION\);/, '\troute(TO_MEDIA_SERVERS);'),
    (text) => after(text, ownHttp, '\troute(DISPATCHER_CONTROL_RPC);'),
    (text) => `${text}\n${routes}`,
  ]
  return edits.reduce((text, edit) => edit(text), stock)
}

/** A module that is loaded twice stops Kamailio, and stock loads some of these when a feature is on. */
const modules = ['xhttp', 'htable', 'ipops', 'dialog', 'dispatcher']
  .map((name) => `#!ifndef MOD_${name}\nloadmodule "${name}.so"\n#!endif`)
  .join('\n')

const includes = (dir: string) => `
modparam("dispatcher", "list_file", "${dir}/dispatcher.list")
modparam("dispatcher", "flags", 2)
include_file "rpc.cfg"
include_file "call-profiles.cfg"
include_file "drain-guard.cfg"
`

const routes = `
#!ifndef WITH_JSONRPC
event_route[xhttp:request] {
	route(DISPATCHER_CONTROL_RPC);
	set_reply_close();
	xhttp_reply("404", "Not Found", "", "");
}
#!endif

route[FROM_MEDIA_SERVERS] {
	if (!is_method("INVITE") || !route(DISPATCHER_CONTROL_FROM_MEDIA_SERVER)) return;
	record_route();
	route(DISPATCHER_CONTROL_COUNT_FROM);
	route(RELAY);
	exit;
}

route[TO_MEDIA_SERVERS] {
	if (!is_method("INVITE") || !($rU =~ "^svc")) return;
	if (!ds_select_dst("1", "4")) {
		send_reply("503", "No destination");
		exit;
	}
	if (!route(DISPATCHER_CONTROL_SELECT) || !route(DISPATCHER_CONTROL_COUNT_TO)) {
		send_reply("503", "No destination");
		exit;
	}
	t_on_failure("MEDIA_SERVER_FAILED");
	route(RELAY);
	exit;
}

failure_route[MEDIA_SERVER_FAILED] {
	if (t_is_canceled()) exit;
	if (!t_check_status("500|503") && !(t_branch_timeout() && !t_branch_replied())) exit;
	route(DISPATCHER_CONTROL_MARK_DOWN);
	if (!route(DISPATCHER_CONTROL_FAILOVER) || !route(DISPATCHER_CONTROL_COUNT_TO)) {
		t_reply("503", "No destination");
		exit;
	}
	t_on_failure("MEDIA_SERVER_FAILED");
	route(RELAY);
	exit;
}
`
