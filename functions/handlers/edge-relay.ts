import { relayHandler } from '../runtime/relay-handler.ts'

export const handler = relayHandler()
