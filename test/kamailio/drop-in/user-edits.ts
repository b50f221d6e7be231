import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, type StockFeature } from './stock.ts'

export const secret = 'the-secret-of-this-edge'

/**
 * Sets values in the user's settings.cfg, whose lines are `#!trydef NAME value`. Undefined takes a setting out.
 * Adds lines at its end.
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

/**
 * What a user of Debian's stock kamailio.cfg writes into it: modules, the includes, dispatcher, and the calls of our
 * routes. The stock lines themselves stay.
 */
export function addToStock(
  stock: string,
  { dir, features }: { dir: string; features: readonly StockFeature[] },
): string {
  const hasXhttp = features.includes('WITH_JSONRPC')
  const modules = [...(hasXhttp ? [] : ['xhttp']), 'htable', 'ipops', 'dialog', 'dispatcher']
  const edits: readonly ((text: string) => string)[] = [
    (text) => after(text, /^import_file "kamailio-local\.cfg"/, 'include_file "settings.cfg"'),
    (text) =>
      after(text, /^loadmodule "counters\.so"/, modules.map((name) => `loadmodule "${name}.so"`).join('\n')),
    (text) => before(text, /^#+ Routing Logic #+/, includes(dir)),
    (text) => before(text, /^\troute\(AUTH\);/, '\troute(FROM_MEDIA_SERVERS);'),
    (text) => before(text, /^\troute\(LOCATION\);/, '\troute(TO_MEDIA_SERVERS);'),
    (text) =>
      hasXhttp
        ? after(text, /^event_route\[xhttp:request\] \{/, '\troute(DISPATCHER_CONTROL_RPC);')
        : `${text}\nevent_route[xhttp:request] {\n\troute(DISPATCHER_CONTROL_RPC);\n\txhttp_reply("404", "Not Found", "", "");\n}\n`,
    (text) => `${text}\n${routes}`,
  ]
  return edits.reduce((text, edit) => edit(text), stock)
}

const includes = (dir: string) => `
modparam("dispatcher", "list_file", "${dir}/dispatcher.list")
modparam("dispatcher", "flags", 2)
include_file "rpc.cfg"
include_file "call-profiles.cfg"
include_file "drain-guard.cfg"
`

const routes = `
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
