import { message } from '../contracts/event-files.ts'

/** The bodies of the messages that the world sends, made of the samples in events/. */
export const groupName = 'media-servers'
export const hooks = { terminate: 'drain-calls', launch: 'admit-calls' } as const

/** Every other place is in another availability zone. */
export const zoneOf = (server: number) => (server % 2 === 0 ? 'eu-central-1a' : 'eu-central-1b')

/**
 * Who sends commands, as SQS names them: a user, two sessions of one role, and one that no settings name.
 */
export const senderIds = [
  'AIDAJQABLZS4A3QDU576Q',
  'AROAJQABLZS4A3QDU576R:day',
  'AROAJQABLZS4A3QDU576R:night',
  'AIDAJQABLZS4A3QDU576X',
] as const
export const unknownSender = senderIds.length - 1

const iso = (at: number) => new Date(at).toISOString()
/** As EventBridge writes it. */
const second = (at: number) => iso(Math.floor(at / 1000) * 1000)

export function actionMessage(
  kind: 'terminate' | 'launch',
  instanceId: string,
  token: string,
  at: number,
): string {
  const name = kind === 'terminate' ? 'lifecycle-terminate-scale-in' : 'lifecycle-launch-scale-out'
  return message(name, {
    id: `event-${token}`,
    time: second(at),
    AutoScalingGroupName: groupName,
    LifecycleHookName: hooks[kind],
    LifecycleActionToken: token,
    EC2InstanceId: instanceId,
  })
}

/** @param began when what succeeded now had begun */
export function resultMessage(
  kind: 'terminated' | 'launched',
  instanceId: string,
  at: number,
  began = at,
): string {
  return message(kind === 'terminated' ? 'terminate-successful' : 'launch-successful', {
    id: `event-${kind}-${instanceId}`,
    time: second(at),
    StartTime: second(began),
    AutoScalingGroupName: groupName,
    EC2InstanceId: instanceId,
  })
}

export function alarmMessage(
  alarmName: string,
  state: 'ALARM' | 'OK',
  instanceId: string,
  at: number,
): string {
  const text = message(state === 'ALARM' ? 'alarm-metric-alarm' : 'alarm-metric-ok', {
    alarmName,
    InstanceId: instanceId,
  })
  const event = JSON.parse(text)
  event.resources = [`arn:aws:cloudwatch:us-east-1:123456789012:alarm:${alarmName}`]
  event.detail.state.timestamp = iso(at).replace('Z', '+0000')
  return JSON.stringify(event)
}

export function edgesChangedMessage(edge: string, operation: 'Create' | 'Delete', at: number): string {
  return message('edge-list-update', { time: iso(at), operation, name: `/dispatcher-control/edges/${edge}` })
}

export function commandMessage(command: Readonly<Record<string, unknown>> & { readonly id: string }): string {
  return JSON.stringify({ version: 1, reason: 'it is simulated', requestedBy: 'alice', ...command })
}
