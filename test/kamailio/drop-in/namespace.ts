import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runToEnd } from '../../../lab/programs/leash.ts'
import { type Observation, observationSchema, type Plan } from './steps.ts'

const unshare = ['unshare', '--user', '--map-root-user', '--net']

/**
 * Why this machine gives no network namespace of one's own; undefined when it does.
 * A Kamailio without any `listen` binds every address that it finds, so it is started in one.
 */
export function whyNoNamespace(): string | undefined {
  const [command = '', ...args] = [...unshare, 'ip', 'link', 'set', 'lo', 'up']
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8', timeout: 10_000 })
  if (status === 0) return undefined
  return `this machine gives no network namespace of one's own (unshare, ip): ${error?.message ?? stderr.trim()}`
}

/** Goes through the plan with a Kamailio that has a network of its own. @throws ChildExited with its words */
export async function observe(plan: Plan): Promise<Observation> {
  const file = join(plan.dir, 'plan.json')
  const observation = join(plan.dir, 'observation.json')
  writeFileSync(file, JSON.stringify(plan))
  const inside = join(import.meta.dirname, 'inside.ts')
  const argv = [...unshare, process.execPath, inside, file, observation]
  await runToEnd({ name: 'inside', argv, runDir: plan.dir }, 60_000)
  return observationSchema.parse(JSON.parse(readFileSync(observation, 'utf8')))
}
