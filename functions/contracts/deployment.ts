import * as z from 'zod'
import { parseAs, parseJson } from './parse.ts'

const text = z.string().min(1)

/**
 * What a person's tool has to know of one deployment: the value of the one SSM parameter that the stack
 * writes.
 * ```json
 * {"version":1,"stack":"dispatcher-control","region":"eu-central-1","table":"dispatcher-control-Table",
 *  "commandQueueUrl":"https://sqs.eu-central-1.amazonaws.com/123456789012/Commands.fifo",
 *  "deadLetterQueueUrls":{"commands":"https://…","lifecycleEvents":"https://…","alarmEvents":"https://…"},
 *  "eventQueueUrls":{"lifecycleEvents":"https://…","alarmEvents":"https://…"},
 *  "eventBus":"Events","stateMachineArn":"arn:aws:states:…:stateMachine:dispatcher-control-drain",
 *  "edgesPath":"/dispatcher-control/edges","timers":{"failoverWindowSeconds":7,"longestCallSeconds":43200},
 *  "made":{"stack":"dispatcher-control","prefix":"Control","settleFunction":"dispatcher-control-Settle"}}
 * ```
 * Keys that a later release adds are let pass: a tool of before goes on working.
 */
const deployment = z.object({
  version: z.literal(1, { error: 'is not a known version; known: 1' }),
  stack: text,
  region: text,
  table: text,
  commandQueueUrl: text,
  deadLetterQueueUrls: z.object({ commands: text, lifecycleEvents: text, alarmEvents: text }),
  eventQueueUrls: z.object({ lifecycleEvents: text, alarmEvents: text }),
  eventBus: text,
  stateMachineArn: text,
  edgesPath: text,
  /** by which the verdict on a drain is made */
  timers: z.object({ failoverWindowSeconds: z.number(), longestCallSeconds: z.number() }),
  /**
   * by which `kdc doctor` finds all that the stack is made of: CloudFormation's name for the stack, how the
   * logical ids of our construct's resources begin, and the function that has all settings; absent where the
   * deployment is older
   */
  made: z.object({ stack: text, prefix: text, settleFunction: text }).exactOptional(),
})
export type Deployment = z.output<typeof deployment>

/** @throws InvalidMessage that names every problem */
export function parseDeployment(value: string): Deployment {
  return parseAs(deployment, parseJson(value, 'deployment'), 'deployment')
}

/** The name of the parameter. @param deployment the stack's name, unless the construct was given another */
export function deploymentParameter(deployment: string): string {
  return `/kdc/${deployment}`
}
