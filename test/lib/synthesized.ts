import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { afterAll } from 'vitest'
import * as z from 'zod'
import type { Settings } from '../../functions/contracts/settings.ts'
import { DispatcherControlStack } from '../../lib/dispatcher-control-stack.ts'
import { handlers } from '../../lib/handlers.ts'
import { readSettings } from '../../lib/settings.ts'

export const exampleSettings = readSettings(join(import.meta.dirname, '../../dispatcher-control.json'))

const [group] = exampleSettings.control.groups
if (group === undefined) throw new Error('the example settings name no group')
export const exampleGroup = group

const folder = mkdtempSync(join(tmpdir(), 'dispatcher-control-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Bundles that only exist: a template does not depend on what is in them. */
export const functionsPath = join(folder, 'functions')
for (const name of [...Object.keys(handlers), 'edge-relay']) {
  mkdirSync(join(functionsPath, name), { recursive: true })
  writeFileSync(join(functionsPath, name, 'index.mjs'), `export const handler = '${name}'\n`)
}

/** Where an app of a test writes its assembly: gone when the tests are done. */
export function assemblyFolder(): string {
  return mkdtempSync(join(folder, 'cdk-'))
}

export function exampleStack(
  settings: Settings = exampleSettings,
  context: Readonly<Record<string, string>> = {},
): { app: App; stack: DispatcherControlStack } {
  const app = new App({
    context,
    outdir: assemblyFolder(),
    // It takes five seconds, and `npm run synth` runs it.
    builtinCloudFormationValidation: false,
  })
  return { app, stack: new DispatcherControlStack(app, settings, functionsPath) }
}

export function exampleTemplate(settings?: Settings): Template {
  return Template.fromStack(exampleStack(settings).stack)
}

/** The example with other groups, alarms or timers. */
export function withControl(control: Partial<Settings['control']>): Settings {
  return { ...exampleSettings, control: { ...exampleSettings.control, ...control } }
}

/**
 * A template's value as text: `<AWS::Region>` for a Ref, `<ControlStoreTable.Arn>` for an attribute, hashes
 * left out.
 */
export function readable(value: unknown): string {
  if (typeof value === 'string') return value
  const join = z.object({ 'Fn::Join': z.tuple([z.literal(''), z.array(z.unknown())]) }).safeParse(value)
  if (join.success) return join.data['Fn::Join'][1].map(readable).join('')
  const attribute = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }).safeParse(value)
  if (attribute.success)
    return `<${bare(attribute.data['Fn::GetAtt'][0])}.${attribute.data['Fn::GetAtt'][1]}>`
  return `<${bare(z.object({ Ref: z.string() }).parse(value).Ref)}>`
}

function bare(logicalId: string): string {
  return logicalId.replace(/[0-9A-F]{8}$/, '')
}
