import { Lazy, Stack } from 'aws-cdk-lib'
import type { Construct } from 'constructs'
import * as z from 'zod'
import { type ControlConfig, type ControlConfigInput, controlConfig } from '../functions/contracts/config.ts'

/** Lambda allows 4 KB for all of a function's environment; the other variables are kept within the rest. */
const longestConfig = 3072

/**
 * What one deployment controls. Groups and alarms can be added until synth, and each is checked when it is.
 */
export class GrowingControl {
  private config: ControlConfig

  /** @throws Error that names every problem. */
  constructor(input: ControlConfigInput) {
    this.config = parse(input)
  }

  /** What is known so far. */
  get current(): ControlConfig {
    return this.config
  }

  /** @throws Error that names every problem, also with what was there before. */
  add(more: Partial<Pick<ControlConfigInput, 'groups' | 'alarms'>>): void {
    this.config = parse({
      ...this.config,
      groups: [...this.config.groups, ...(more.groups ?? [])],
      alarms: [...this.config.alarms, ...(more.alarms ?? [])],
    })
  }

  /**
   * @returns the functions' environment variable, with everything that was added until synth; names that only
   * CloudFormation knows are filled in by it. The scope's validation refuses one that is too long.
   * @param beside what the functions are told by their edge access, which needs room too
   */
  json(scope: Construct, beside: Readonly<Record<string, string>>): string {
    const stack = Stack.of(scope)
    const text = () => stack.toJsonString(this.config)
    scope.node.addValidation({
      validate: () => {
        const bytesOf = (value: string) => Buffer.byteLength(literalText(stack.resolve(value)))
        const bytes = bytesOf(text())
        const room = longestConfig - Object.values(beside).reduce((sum, value) => sum + bytesOf(value), 0)
        if (bytes <= room) return []
        return [
          `the control configuration has ${bytes} bytes as JSON, a function's environment has room for ${room} beside the edges' ids: name fewer groups, alarms and senders, and deploy the others in a second stack`,
        ]
      },
    })
    return Lazy.string({ produce: text })
  }
}

const joined = z.object({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) })

/** The part of a resolved value that is known at synth: what CloudFormation fills in counts as nothing. */
function literalText(resolved: unknown): string {
  if (typeof resolved === 'string') return resolved
  const parts = joined.safeParse(resolved).data?.['Fn::Join'][1] ?? []
  return parts.filter((part) => typeof part === 'string').join('')
}

function parse(input: ControlConfigInput): ControlConfig {
  const parsed = controlConfig.safeParse(input)
  if (parsed.success) return parsed.data
  throw new Error(`the control configuration is wrong:\n${z.prettifyError(parsed.error)}`)
}
