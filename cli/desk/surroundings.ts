import type { RoutesDiffer } from '../../functions/aws/fleet.ts'
import type { ControlConfig } from '../../functions/contracts/config.ts'

/** What AWS shows of a deployment and of the groups that it drains. Each method asks for one action. */
export interface Surroundings {
  /** sts:GetCallerIdentity, which nobody is refused: AWS's own time (epoch ms), cut to its second */
  time(): Promise<number | undefined>
  /** cloudformation:ListStackResources: what our construct has made, and each alarm of its stack */
  resources(): Promise<readonly Resource[]>
  /** lambda:GetFunctionConfiguration: what is deployed, as the settle function has it */
  settings(): Promise<DeployedSettings>
  /** lambda:GetFunctionConcurrency: what is reserved for a function; undefined: nothing is */
  reserved(name: string): Promise<number | Gone | undefined>
  /** ssm:GetParametersByPath; a list that is wrong in any part is of no use */
  edgeList(settings: DeployedSettings): Promise<EdgeListShown>
  /** events:DescribeRule */
  rule(name: string): Promise<State>
  /** lambda:GetEventSourceMapping */
  mapping(id: string): Promise<State>
  /** sqs:GetQueueAttributes: how many messages can be received */
  messages(queueUrl: string): Promise<number | Gone>
  /** cloudwatch:DescribeAlarms; one that is not there is left out */
  alarms(names: readonly string[]): Promise<readonly ShownAlarm[]>
  /** autoscaling:DescribeAutoScalingGroups; one that is not there is left out */
  groups(names: readonly string[]): Promise<readonly ShownGroup[]>
  /** autoscaling:DescribeLifecycleHooks */
  hooks(group: string): Promise<readonly Hook[]>
  /** autoscaling:PutLifecycleHook */
  putHook(group: string, hook: Hook): Promise<void>
  /** autoscaling:UpdateAutoScalingGroup: an abandoned instance is kept */
  retain(group: string): Promise<void>
}

/** It was made, and somebody has deleted it. */
type Gone = 'gone'
export type State = 'enabled' | 'disabled' | Gone

export interface Resource {
  /** of CloudFormation, such as `AWS::SQS::Queue` */
  readonly type: string
  readonly logicalId: string
  /** its name; a queue's URL */
  readonly name: string
}

export interface DeployedSettings {
  readonly control: ControlConfig
  /** the edges that the API has a route to; absent without an API */
  readonly routes?: readonly string[]
}

export interface EdgeListShown extends RoutesDiffer {
  readonly edges: readonly string[]
  /** those whose Kamailio speaks TLS to us itself */
  readonly overTls: readonly string[]
  /** why none of it is used */
  readonly refused?: string
}

export interface ShownAlarm {
  readonly name: string
  readonly description: string
  readonly state: string
  /** epoch ms: it is in this state since */
  readonly since?: number
  readonly actionsEnabled: boolean
}

export interface ShownGroup {
  readonly name: string
  /** an abandoned instance is kept (`TerminateHookAbandon`) */
  readonly retains: boolean
  /** its processes that somebody has suspended */
  readonly suspended: readonly string[]
}

export interface Hook {
  readonly name: string
  readonly transition: 'launching' | 'terminating'
  readonly heartbeatSeconds: number
  readonly defaultResult: 'CONTINUE' | 'ABANDON'
}
