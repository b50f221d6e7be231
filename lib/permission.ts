import { Stack, Validations } from 'aws-cdk-lib'
import { Effect, PolicyStatement, type PolicyStatementProps, type Role } from 'aws-cdk-lib/aws-iam'

/** What a role may do. A resource with a wildcard needs a reason, which is also what cdk-nag is told. */
export interface Permission {
  readonly actions: readonly string[]
  readonly resources: readonly string[]
  readonly conditions?: PolicyStatementProps['conditions']
  readonly wildcardReason?: string
  /** What Lambda does with a function's role before its code runs: the code itself is denied it. */
  readonly onlyForLambda?: boolean
}

/** Adds the permission to the role, unless it covers no resource at all. */
export function allow(role: Role, permission: Permission): void {
  const { actions, resources, conditions, wildcardReason } = permission
  if (resources.length === 0) return
  role.addToPolicy(
    new PolicyStatement({
      actions: [...actions],
      resources: [...resources],
      ...(conditions && { conditions }),
    }),
  )
  if (permission.onlyForLambda) denyCode(role, actions)
  for (const resource of resources.filter((candidate) => candidate.includes('*'))) {
    if (wildcardReason === undefined)
      throw new Error(`${role.node.path}: ${actions.join(', ')} on ${resource}: a wildcard needs its reason`)
    // Only then has a name of another stack become the import that cdk-nag will read.
    role.node.addValidation({
      validate: () => {
        Validations.of(role).acknowledge({
          id: `AwsSolutions-IAM5[Resource::${nagName(role, resource)}]`,
          reason: wildcardReason,
        })
        return []
      },
    })
  }
}

/**
 * Only requests from a function's code carry its ARN:
 * https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html Any function's, since to
 * name the one of this role would be a circle; no other has it.
 */
function denyCode(role: Role, actions: readonly string[]): void {
  const { partition, region, account } = Stack.of(role)
  role.addToPolicy(
    new PolicyStatement({
      effect: Effect.DENY,
      actions: [...actions],
      resources: ['*'],
      conditions: {
        ArnLike: { 'lambda:SourceFunctionArn': `arn:${partition}:lambda:${region}:${account}:function:*` },
      },
    }),
  )
}

/** cdk-nag's way to write an ARN with tokens: `<AWS::Region>` for a Ref. */
function nagName(role: Role, resource: string): string {
  const resolved: unknown = Stack.of(role).resolve(resource)
  return typeof resolved === 'string' ? resolved : flatten(resolved)
}

function flatten(value: unknown): string {
  if (Array.isArray(value)) return value.map(flatten).join('')
  if (typeof value !== 'object' || value === null) return String(value)
  const [key, inner] = Object.entries(value)[0] ?? []
  if (key === 'Fn::ImportValue') return flatten(inner)
  if (key === 'Ref') return `<${String(inner)}>`
  if (key === 'Fn::Join' && Array.isArray(inner)) return flatten(inner[1])
  if (key === 'Fn::GetAtt' && Array.isArray(inner)) return `<${inner.join('.')}>`
  return JSON.stringify(value)
}
