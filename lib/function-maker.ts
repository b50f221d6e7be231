import type { RemovalPolicy } from 'aws-cdk-lib'
import type { EventSourceMapping, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'
import { environment } from '../functions/contracts/names.ts'
import { ControlFunction, type ControlFunctionProps, type TimeBudgets } from './control-function.ts'
import { type Handler, type HandlerName, handlers } from './handlers.ts'
import type { ConsumerProps, MessageQueue } from './message-queue.ts'
import type { Permission } from './permission.ts'
import type { Need } from './port-permissions.ts'

type Permissions = { readonly [need in Need]?: readonly Permission[] }

export interface FunctionMakerProps {
  /** the folder that `npm run build` writes */
  readonly functionsPath: string
  readonly budgets: TimeBudgets
  /** which deployment they belong to, in metrics and logs */
  readonly service: string
  /** what every function has of the environment */
  readonly environment: Readonly<Record<string, string>>
  /** read anew for each function that is made */
  readonly permissions: Permissions
  readonly removalPolicy: RemovalPolicy
}

/**
 * Makes the functions of one control plane: each with its handler's time budget, and what its handler needs
 * is allowed.
 */
export class FunctionMaker {
  readonly made = new Map<HandlerName, ControlFunction>()
  /** what hands each queue's messages to its function */
  readonly mappings: EventSourceMapping[] = []
  private readonly scope: Construct
  private readonly props: FunctionMakerProps

  constructor(scope: Construct, props: FunctionMakerProps) {
    this.scope = scope
    this.props = props
  }

  /** @param own what this function alone has of the environment */
  make(
    constructId: string,
    handler: HandlerName,
    own: Readonly<Record<string, string>>,
    access: Pick<ControlFunctionProps, 'edgeAccess' | 'memoryMegabytes'> = {},
  ): ControlFunction {
    const { functionsPath, budgets, service, permissions, removalPolicy } = this.props
    const added = new ControlFunction(this.scope, constructId, {
      ...{ handler, functionsPath, service },
      timeout: budgets[handlers[handler].budget],
      environment: { ...this.props.environment, ...own },
      ...access,
      removalPolicy,
    })
    allowNeeded(added, handler, permissions)
    this.made.set(handler, added)
    return added
  }

  /** @returns a function that is called with what comes into a queue */
  consume(
    constructId: string,
    handler: HandlerName,
    from: MessageQueue,
    how: ConsumerProps,
    own: Readonly<Record<string, string>>,
  ): LambdaFunction {
    const consumer = this.make(constructId, handler, {
      ...own,
      [environment.queue]: from.queue.queueUrl,
      [environment.deadLetterQueue]: from.deadLetters.queueUrl,
    })
    this.mappings.push(from.consumedBy(consumer, how))
    return consumer.function
  }

  /** Allows each function that there is those of more permissions that its handler needs. */
  allow(more: Permissions): void {
    for (const [handler, made] of this.made) allowNeeded(made, handler, more)
  }
}

function allowNeeded(made: ControlFunction, handler: HandlerName, permissions: Permissions): void {
  const { needs }: Handler = handlers[handler]
  for (const permission of needs.flatMap((need) => permissions[need] ?? [])) made.allow(permission)
}
