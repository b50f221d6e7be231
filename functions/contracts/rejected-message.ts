import { withoutMark } from './parse.ts'

/** Who sent a message for what, by the keys of each kind of message that a queue of ours gets. */
const names = [
  ...['id', 'command', 'requestedBy', 'destination', 'instance', 'edge', 'group', 'set', 'zone'],
  ...['alarmName', 'LifecycleHookName', 'EC2InstanceId', 'AutoScalingGroupName', 'detail-type'],
] as const
type Name = (typeof names)[number]

/**
 * What a message that is rejected names, whatever is wrong with it: keys of a command, of EventBridge's
 * events with their `detail`, and of a notification within SNS's envelope. Of a body that is no JSON, such as
 * one with a comma too many, what looks like such a key.
 */
export function whatCouldBeRead(body: string): Readonly<Partial<Record<Name, string>>> {
  const message = objectOf(withoutMark(body))
  const parts = [message, message?.['detail'], objectOf(message?.['Message'])].filter(isObject)
  const read = names.flatMap((name) => {
    const value = message ? parts.map((part) => part[name]).find(isPlain) : written(body, name)
    return value === undefined ? [] : [[name, String(value)]]
  })
  return Object.fromEntries(read)
}

function written(body: string, name: Name): string | undefined {
  return new RegExp(`"${name}"\\s*:\\s*"([^"\\\\]{1,1024})"`).exec(body)?.[1]
}

function objectOf(text: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof text !== 'string') return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    // That it is no JSON is its reason already.
    return undefined
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isPlain(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number'
}
