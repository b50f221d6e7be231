import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { whyNoLocalStack } from './lab/programs/localstack-program.ts'

const noLocalStack = whyNoLocalStack()
if (noLocalStack !== undefined)
  console.warn(`The tests on LocalStack are skipped, because this machine can't have it: ${noLocalStack}`)

/** What runs on LocalStack too in each `npm test`; `npm run test:localstack` runs everything there. */
const onLocalStack = ['emulator/store', 'e2e/lifecycle-drain', 'emulator/workflow-timeouts'].map(
  (name) => `test/${name}.test.ts`,
)

const noEmptyEach = 'test/no-empty-each.ts'

const localstack = {
  test: {
    name: 'localstack',
    include: onLocalStack,
    setupFiles: [noEmptyEach],
    env: { LAB_EMULATOR: 'localstack' },
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
    sequence: { groupOrder: 4 },
  },
}

/**
 * A clean clone knows no times of an earlier run, and begins with the largest files. Of these, which take
 * minutes, the last would then run alone, while the other cores have nothing to do.
 */
const takesMinutes =
  /\/test\/(simulation\/(simulation|put-back)|kamailio\/(keepalives|client|edge-config-calls))\.test\.ts$/

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isShort = ({ moduleId }: TestSpecification) => Number(!takesMinutes.test(moduleId))
    return (await super.sort(files)).toSorted((one, other) => isShort(one) - isShort(other))
  }
}

/** One `groupOrder` after the other: live calls share the cores with no other work. */
export default defineConfig({
  test: {
    maxWorkers: '100%',
    sequence: { sequencer: LongestFirst },
    // A test whose expectations were all skipped fails: a loop over nothing, a callback that nobody called.
    expect: { requireAssertions: true },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['kamailio', 'e2e', 'emulator', 'package', 'lib'].map((name) => `test/${name}/**`),
          setupFiles: [noEmptyEach, 'test/fixed-seed.ts'],
          // A guard against a test that hangs, not a measure: some take a third of it on a quiet machine.
          testTimeout: 180_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'stack',
          include: ['test/lib/**/*.test.ts'],
          setupFiles: [noEmptyEach],
          // The CDK's own assertions of a template throw, and count as none.
          expect: { requireAssertions: false },
          testTimeout: 180_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'package',
          include: ['test/package/**/*.test.ts'],
          setupFiles: [noEmptyEach],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'kamailio',
          include: ['test/kamailio/**/*.test.ts'],
          globalSetup: 'test/kamailio/provisioned.ts',
          setupFiles: [noEmptyEach],
          testTimeout: 60_000,
          hookTimeout: 300_000,
          // They wait more than they work: for calls that end, and for Kamailio's keepalives.
          maxWorkers: 2 * availableParallelism(),
          // Live SIP in real time on shared cores: once more before it counts as broken. The report shows it.
          retry: 1,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          setupFiles: [noEmptyEach],
          exclude: ['test/e2e/lifecycle-drain.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: 'emulator',
          include: ['test/emulator/**/*.test.ts'],
          globalSetup: 'test/emulator/provisioned.ts',
          setupFiles: [noEmptyEach],
          exclude: [
            'test/emulator/workflow-timeouts.test.ts',
            ...(process.env['LAB_EMULATOR'] === 'localstack' ? onLocalStack : []),
          ],
          testTimeout: 300_000,
          hookTimeout: 600_000,
          sequence: { groupOrder: 1 },
        },
      },
      ...(noLocalStack === undefined ? [localstack] : []),
    ],
  },
})
