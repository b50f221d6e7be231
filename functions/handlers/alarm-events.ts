import { parseAlarmMessage } from '../contracts/alarm.ts'
import { handleAlarm } from '../intake/handle-alarm.ts'
import { queueHandler } from '../runtime/queue-handler.ts'

export const handler = queueHandler((ports, message) => handleAlarm(ports, parseAlarmMessage(message.body)))
