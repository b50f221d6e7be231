import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, onTestFinished, test } from 'vitest'
import { circumstancesOf } from './circumstances.ts'
import { expectedBy, expectedViolations } from './expected.ts'
import { generate } from './generate.ts'
import { runHistory } from './history.ts'
import type { Plan } from './plan.ts'
import { judge } from './referee.ts'
import type { Report } from './report.ts'

const histories = 600

test('a history is the same each time it is run', async () => {
  const outcomes = await Promise.all(
    [1, 1].map(async (seed) => {
      const { endedAt, hits, last } = await runHistory(generate(seed))
      return JSON.stringify({ endedAt, hits: [...hits], last })
    }),
  )
  expect(outcomes[0]).toBe(outcomes[1])
})

test('nothing keeps a history that is over, also where functions were killed in it', async () => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const truths: WeakRef<object>[] = []
  for (let seed = 1; seed <= 40; seed += 1) truths.push(new WeakRef((await runHistory(generate(seed))).truth))
  // The first collection may leave some for the next one.
  const left = () => {
    collect()
    return truths.filter((truth) => truth.deref() !== undefined).length
  }
  await expect.poll(left, { timeout: 10_000 }).toBe(0)
}, 120_000)

/** The simulator's own program: within a test's runner a history takes twice as long. */
async function simulated(count: number): Promise<{ readonly report: Report; readonly told: string }> {
  const args = [join(import.meta.dirname, 'main.ts'), '--json', '--from=1', `--histories=${count}`]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill())
  const [stdout, told] = await Promise.all([text(child.stdout), text(child.stderr)])
  if (stdout === '') throw new Error(`the simulator has no report: ${told}`)
  return { report: JSON.parse(stdout), told }
}

test(`no rule is broken in ${histories} histories but those that are expected to be, and each becomes calm`, async () => {
  const { report, told } = await simulated(histories)
  expect(told).toContain(`seeds 1 to ${histories}\n`)
  const unexpected = Object.values(report.violations).filter(({ expected }) => expected === undefined)
  expect(unexpected).toEqual([])
  expect(report).toMatchObject({ histories, neverCalm: 0 })
  expect(report.firstUnexpected).toBeUndefined()
}, 1_800_000)

const kept = join(import.meta.dirname, 'kept')

test.each(readdirSync(kept))(
  'a history that once broke a rule breaks none that is not expected: %s',
  async (file) => {
    const plan: Plan = JSON.parse(readFileSync(join(kept, file), 'utf8'))
    const { violations } = judge(await runHistory(plan))
    const unexpected = violations.filter(
      (each) => !expectedBy(each, circumstancesOf(plan), expectedViolations),
    )
    expect(unexpected).toEqual([])
  },
)

test('the referee uses nothing of the product: it imports none of its files, nor does what it imports', () => {
  const seen = new Set<string>()
  const importsOf = (file: string) => {
    if (seen.has(file)) return
    seen.add(file)
    const text = readFileSync(join(import.meta.dirname, file), 'utf8')
    const imports = [...text.matchAll(/from '([^']+)'/g)].map(([, from = '']) => from)
    expect(
      imports.filter((from) => !/^\.\/[a-z-]+\.ts$/.test(from)),
      file,
    ).toEqual([])
    for (const from of imports) importsOf(from)
  }
  importsOf('referee.ts')
  expect([...seen]).toContain('./truth.ts')
})

test('of the product it knows the ports, the messages, the use cases and the workflow only', () => {
  const allowed =
    /^\.\.\/\.\.\/functions\/(aws\/lifecycle-actions|contracts\/[a-z-]+|ports\/[a-z-]+|stored\/keep-events|intake\/(intake|reconcile|sweep|handle-(alarm|command|lifecycle))|fleet\/handle-settle|drain\/look|control\/(drain|workflow|instance-life))\.ts$/
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.ts'))
  const imports = files.flatMap((file) => {
    const text = readFileSync(join(import.meta.dirname, file), 'utf8')
    return [...text.matchAll(/from '([^']*functions[^']+)'/g)].map(([, from = '']) => ({ file, from }))
  })
  expect(imports).not.toEqual([])
  expect(imports.filter(({ from }) => !allowed.test(from))).toEqual([])
})
