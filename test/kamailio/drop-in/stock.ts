import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { KamailioProgram } from '../../../lab/programs/program.ts'
import { createAuthority } from '../../rpc-client/tls-certificates.ts'

const productFiles = resolve(import.meta.dirname, '../../../kamailio')

/** Debian's stock features, as one turns them on in `kamailio-local.cfg`. */
export type StockFeature = 'WITH_TLS' | 'WITH_JSONRPC' | 'WITH_HTABLE' | 'WITH_ANTIFLOOD'

/** Why Debian's stock configuration can't be had; undefined when it can. */
export const whyNoStock = ({ release, stockConfigDir }: KamailioProgram): string | undefined =>
  stockConfigDir === undefined
    ? `the machine's own Kamailio ${release} is used, and somebody may have edited its kamailio.cfg`
    : undefined

/**
 * Puts Debian's own configuration into a folder, which stands for /etc/kamailio. Only the paths are changed.
 * @returns the text of kamailio.cfg
 */
export function installStock(
  kamailio: KamailioProgram,
  dir: string,
  features: readonly StockFeature[],
): string {
  const { stockConfigDir } = kamailio
  if (stockConfigDir === undefined) throw new Error(whyNoStock(kamailio))
  for (const file of ['kamailio.cfg', 'tls.cfg']) {
    const text = readFileSync(join(stockConfigDir, file), 'utf8')
    writeFileSync(join(dir, file), text.replaceAll('/etc/kamailio/', `${dir}/`))
  }
  writeFileSync(join(dir, 'kamailio-local.cfg'), features.map((feature) => `#!define ${feature}\n`).join(''))
  installCertificate(dir, 'kamailio-selfsigned')
  return readFileSync(join(dir, 'kamailio.cfg'), 'utf8')
}

/** A certificate and its key, `<name>.pem` and `<name>.key`. */
export function installCertificate(dir: string, name: string): void {
  const { certificate, key } = createAuthority('drop-in test').issue({ name: 'edge', host: '10.0.0.10' })
  writeFileSync(join(dir, `${name}.pem`), certificate)
  writeFileSync(join(dir, `${name}.key`), key)
}

/** The files that a user copies next to kamailio.cfg. */
export function installProductFiles(dir: string): void {
  for (const file of readdirSync(productFiles).filter((name) => name.endsWith('.cfg')))
    if (file !== 'kamailio.cfg') copyFileSync(join(productFiles, file), join(dir, file))
}

/** Writes lines after the one line that matches. @throws when not exactly one does */
export function after(text: string, anchor: RegExp, added: string): string {
  return around(text, anchor, (line) => `${line}\n${added}`)
}

export function before(text: string, anchor: RegExp, added: string): string {
  return around(text, anchor, (line) => `${added}\n${line}`)
}

function around(text: string, anchor: RegExp, change: (line: string) => string): string {
  const lines = text.split('\n')
  const found = lines.filter((line) => anchor.test(line)).length
  if (found !== 1) throw new Error(`${anchor} matches ${found} lines of the stock kamailio.cfg, not one`)
  return lines.map((line) => (anchor.test(line) ? change(line) : line)).join('\n')
}
