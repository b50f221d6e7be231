import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs'
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions'
import { Construct } from 'constructs'
import { drainWorkflow } from '../functions/control/workflow.ts'
import type { ControlFunction } from './control-function.ts'
import { allow, type Permission } from './permission.ts'

export interface DrainWorkflowProps {
  readonly name: string
  readonly look: ControlFunction
  readonly complete: ControlFunction
  readonly retire: ControlFunction
}

/** The state machine around the definition in functions/control/workflow.ts, which it leaves as it is. */
export class DrainWorkflow extends Construct {
  readonly stateMachine: StateMachine

  constructor(scope: Construct, id: string, props: DrainWorkflowProps) {
    super(scope, id)
    const steps = {
      Look: props.look,
      CompleteDrain: props.complete,
      RetireDrain: props.retire,
    }
    const arns = Object.entries(steps).map(([name, step]) => [name, step.function.functionArn] as const)
    const stack = Stack.of(this)
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('states.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': stack.account },
          ArnEquals: { 'aws:SourceArn': stateMachineArn(this, props.name) },
        },
      }),
    })
    allow(role, { actions: ['lambda:InvokeFunction'], resources: arns.map(([, arn]) => arn) })
    this.stateMachine = new StateMachine(this, 'StateMachine', {
      stateMachineName: props.name,
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromString(JSON.stringify(drainWorkflow)),
      definitionSubstitutions: Object.fromEntries(arns),
      role,
      tracingEnabled: false,
      logs: {
        level: LogLevel.ERROR,
        includeExecutionData: false,
        destination: new LogGroup(this, 'Logs', {
          // Only this prefix keeps the account's policy for delivered logs below its size limit.
          logGroupName: `/aws/vendedlogs/states/${props.name}`,
          retention: RetentionDays.ONE_MONTH,
          // A group that stays behind under a fixed name would stop the next deployment.
          removalPolicy: RemovalPolicy.DESTROY,
        }),
      },
    })
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'CloudWatch Logs deliveries, which Step Functions sets up with this role, take no resource',
    })
    Validations.of(this.stateMachine).acknowledge(
      {
        id: 'AwsSolutions-SF1',
        reason:
          'errors are logged; every event of a 48 h drain is up to 20,000 lines, and the history keeps them for 90 days',
      },
      {
        id: 'AwsSolutions-SF2',
        reason: 'the drain record and our own events trace a drain; X-Ray would add only cost',
      },
    )
  }
}

/** The ARN by name, for functions that the state machine itself refers to. */
export function stateMachineArn(scope: Construct, name: string): string {
  return `arn:${Stack.of(scope).partition}:states:${Stack.of(scope).region}:${Stack.of(scope).account}:stateMachine:${name}`
}

/** @returns what is needed to find out which executions run. */
export function listPermissions(scope: Construct, name: string): Permission[] {
  return [{ actions: ['states:ListExecutions'], resources: [stateMachineArn(scope, name)] }]
}

/** @returns what is needed to start an execution, once. */
export function startPermissions(scope: Construct, name: string): Permission[] {
  const arn = stateMachineArn(scope, name)
  return [
    { actions: ['states:StartExecution'], resources: [arn] },
    {
      actions: ['states:DescribeExecution'],
      resources: [`${arn.replace(':stateMachine:', ':execution:')}:*`],
      wildcardReason: 'the executions of our own state machine, whose names carry the drain and its attempt',
    },
  ]
}
