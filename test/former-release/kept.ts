import * as z from 'zod'

/**
 * What CloudFormation replaces a resource for, by its type: those that hold something, or whose name or ARN
 * somebody else has.
 */
const replacedFor: Readonly<Record<string, readonly string[]>> = {
  'AWS::DynamoDB::Table': ['TableName', 'KeySchema'],
  'AWS::Events::EventBus': ['Name'],
  'AWS::Lambda::Function': ['FunctionName'],
  'AWS::Logs::LogGroup': ['LogGroupName'],
  'AWS::SQS::Queue': ['QueueName', 'FifoQueue'],
  'AWS::StepFunctions::StateMachine': ['StateMachineName', 'StateMachineType'],
}
const template = z.object({
  Resources: z.record(
    z.string(),
    z.object({
      Type: z.string(),
      DeletionPolicy: z.string().optional(),
      Properties: z.record(z.string(), z.unknown()).default({}),
    }),
  ),
})

/** A template in short: by logical id what an upgrade must leave in its place. */
export function kept(text: unknown): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  const resources = Object.entries(template.parse(text).Resources)
  return Object.fromEntries(
    resources.flatMap(([id, { Type, DeletionPolicy, Properties }]) => {
      const names = replacedFor[Type]
      if (!names) return []
      const known = Object.entries(Properties).filter(([name]) => names.includes(name))
      return [[id, { Type, ...(DeletionPolicy && { DeletionPolicy }), ...Object.fromEntries(known) }]]
    }),
  )
}
