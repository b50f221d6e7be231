import type { Deployment } from '../../functions/contracts/deployment.ts'

const queue = (name: string) => `https://sqs.eu-central-1.amazonaws.com/123456789012/${name}`

/** What the stack's parameter has, in tests. */
export const deployment: Deployment = {
  ...{ version: 1, stack: 'dispatcher-control', region: 'eu-central-1', table: 'Table' },
  commandQueueUrl: queue('Commands.fifo'),
  deadLetterQueueUrls: {
    commands: queue('CommandsDeadLetters.fifo'),
    lifecycleEvents: queue('LifecycleDeadLetters'),
    alarmEvents: queue('AlarmDeadLetters'),
  },
  eventQueueUrls: { lifecycleEvents: queue('LifecycleEvents'), alarmEvents: queue('AlarmEvents') },
  eventBus: 'Events',
  stateMachineArn: 'arn:aws:states:eu-central-1:123456789012:stateMachine:dispatcher-control-drain',
  edgesPath: '/dispatcher-control/edges',
  timers: { failoverWindowSeconds: 10, longestCallSeconds: 7200 },
  made: { stack: 'dispatcher-control', prefix: 'Control', settleFunction: 'Settle' },
}
