import { parseAlarmMessage } from '../contracts/alarm.ts'
import { queueHandler } from '../runtime/queue-handler.ts'
import { handleAlarm } from '../use-cases/handle-alarm.ts'

export const handler = queueHandler((ports, message) => handleAlarm(ports, parseAlarmMessage(message.body)))
