import { RemovalPolicy } from 'aws-cdk-lib'
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb'
import { Construct } from 'constructs'
import type { Permission } from './permission.ts'

/**
 * Rows of changes that are on file, by their partition:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 */
const leadingFiled = { 'dynamodb:LeadingKeys': ['CHANGES#*'] }

/** The one table: holds, drain records, what is on record of edges and was read of them, leases. */
export class Store extends Construct {
  readonly table: Table

  constructor(scope: Construct, id: string, props: { readonly removalPolicy: RemovalPolicy }) {
    super(scope, id)
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'expiresAt',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy: props.removalPolicy,
      // Losing the holds would let the next reload bring every drained server back.
      deletionProtection: props.removalPolicy !== RemovalPolicy.DESTROY,
    })
  }

  /** @returns what the `Store` port needs, but for filing: what is on file nobody else may rewrite. */
  get permissions(): Permission[] {
    const resources = [this.table.tableArn]
    return [
      { actions: ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:ConditionCheckItem'], resources },
      {
        actions: ['dynamodb:PutItem', 'dynamodb:DeleteItem', 'dynamodb:UpdateItem'],
        resources,
        conditions: { 'ForAllValues:StringNotLike': leadingFiled },
      },
    ]
  }

  /** @returns what the `Store` port needs to file changes. */
  get filing(): Permission {
    return {
      actions: ['dynamodb:PutItem'],
      resources: [this.table.tableArn],
      conditions: { 'ForAllValues:StringLike': leadingFiled },
    }
  }
}
