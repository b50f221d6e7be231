import { writeFileSync } from 'node:fs'
import type { Reporter, TestModule } from 'vitest/node'

interface Span {
  /** epoch ms: when its first file was handed on, and when the last one was done, hooks and all */
  readonly began: number
  readonly ended: number
  readonly files: number
}

/**
 * The reporter of `.ci/run`: the minutes of each suite, then the counts, in the file that SUITE_MINUTES
 * names. A file that fails outside its tests, as in a hook, counts as one that failed.
 */
export default class SuiteMinutes implements Reporter {
  private readonly spans = new Map<string, Span>()

  onTestModuleQueued({ project }: TestModule): void {
    const { began = Date.now(), ended = 0, files = 0 } = this.spans.get(project.name) ?? {}
    this.spans.set(project.name, { began, ended, files: files + 1 })
  }

  onTestModuleEnd({ project }: TestModule): void {
    const { began = Date.now(), files = 1 } = this.spans.get(project.name) ?? {}
    this.spans.set(project.name, { began, ended: Date.now(), files })
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const { SUITE_MINUTES } = process.env
    if (SUITE_MINUTES !== undefined) writeFileSync(SUITE_MINUTES, this.textOf(modules))
  }

  private textOf(modules: readonly TestModule[]): string {
    const states = modules.flatMap((module) => {
      const tests = [...module.children.allTests()].map((test) => test.result().state)
      return module.state() === 'failed' && !tests.includes('failed') ? [...tests, 'failed'] : tests
    })
    const count = (state: string) => states.filter((each) => each === state).length
    const [passed, failed, skipped] = [count('passed'), count('failed'), count('skipped')]
    return [
      ...[...this.spans].map(([suite, { began, ended, files }]) => {
        const minutes = ((ended - began) / 60_000).toFixed(1)
        return `${suite.padEnd(11)}${minutes.padStart(5)} min ${String(files).padStart(4)} files`
      }),
      `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`,
    ].join('\n')
  }
}
