import { join } from 'node:path'
import { Duration, type RemovalPolicy } from 'aws-cdk-lib'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Architecture, Code, Function as LambdaFunction, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import type { ControlConfig } from '../functions/contracts/config.ts'
import { environment, metricNamespace } from '../functions/contracts/names.ts'
import type { EdgeAccess } from './edge-access.ts'
import { allow, type Permission } from './permission.ts'

export interface ControlFunctionProps {
  /** the handler's file in functions/handlers, without its ending */
  readonly handler: string
  /** the folder that `npm run build` writes */
  readonly functionsPath: string
  readonly timeout: Duration
  /** which deployment it belongs to, in metrics and logs */
  readonly service: string
  readonly environment: Readonly<Record<string, string>>
  /** only for the function that talks to edges */
  readonly edgeAccess?: EdgeAccess
  /** @default 512 */
  readonly memoryMegabytes?: number
  readonly removalPolicy: RemovalPolicy
}

/**
 * A Lambda function with a role and a log group of its own. Its role may do what {@link allow} names and no
 * more.
 */
export class ControlFunction extends Construct {
  readonly function: LambdaFunction
  private readonly role: Role

  constructor(scope: Construct, id: string, props: ControlFunctionProps) {
    super(scope, id)
    this.role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
    const logGroup = new LogGroup(this, 'Logs', {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: props.removalPolicy,
    })
    this.allow({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] })
    for (const permission of props.edgeAccess?.permissions ?? []) this.allow(permission)
    this.function = new LambdaFunction(this, 'Function', {
      ...props.edgeAccess?.functionProps,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: Code.fromAsset(join(props.functionsPath, props.handler)),
      role: this.role,
      logGroup,
      timeout: props.timeout,
      memorySize: props.memoryMegabytes ?? 512,
      tracing: Tracing.DISABLED,
      environment: {
        ...props.environment,
        ...props.edgeAccess?.environment,
        NODE_OPTIONS: '--enable-source-maps',
        [environment.service]: props.service,
        POWERTOOLS_METRICS_NAMESPACE: metricNamespace,
        POWERTOOLS_LOG_LEVEL: 'INFO',
      },
    })
  }

  allow(permission: Permission): void {
    allow(this.role, permission)
  }
}

/** How long a function of each kind may take. */
export interface TimeBudgets {
  /** the one that reaches edges */
  readonly settle: Duration
  /** of one that works off a queue */
  readonly message: Duration
  /** of a step of a drain, of the reconciler and the sweep */
  readonly step: Duration
}

/**
 * 20 s for a cold start and the AWS calls, and then: for who reaches edges, the longest chain of RPCs to one
 * of them (all are asked at once) that answers at the last moment; for who does not, how often it waits for
 * readings: two RPC timeouts and 2 s at most, ten in a look.
 */
export function timeBudgets({ rpcTimeoutSeconds }: ControlConfig['timers']): TimeBudgets {
  const budget = (seconds: number) => Duration.seconds(Math.ceil(20 + seconds))
  const reading = 2 * rpcTimeoutSeconds + 2
  return {
    // a reload, twice: one edge first and then the others, each reloaded in a settle and settled again (36
    // RPCs)
    settle: budget(2 * 36 * rpcTimeoutSeconds),
    // resolve, then read back
    message: budget(2 * reading),
    step: budget(10 * rpcTimeoutSeconds + 2),
  }
}
