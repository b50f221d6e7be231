import { Template } from 'aws-cdk-lib/assertions'
import { expect, test } from 'vitest'
import { world } from './managed-world.ts'

test('a construct that is not told otherwise keeps its table and logs when it is taken out', () => {
  const template = Template.fromStack(world().stack)
  template.hasResource('AWS::DynamoDB::Table', {
    DeletionPolicy: 'Retain',
    Properties: { DeletionProtectionEnabled: true },
  })
  const logs = Object.values(template.findResources('AWS::Logs::LogGroup'))
  expect(logs.filter(({ DeletionPolicy }) => DeletionPolicy === 'Retain').length).toBeGreaterThan(0)
})
