/** A message that can never be done, as it came. */
export interface RejectedMessage {
  readonly body: string
  /** SQS's `SenderId`: in the dead-letter queue that is our own function's */
  readonly senderId: string
  /** when its sender sent it, epoch ms */
  readonly sentAt: number
}

/** Where a message goes that can never be done, as it came and with the reason. */
export interface DeadLetters {
  reject(message: RejectedMessage, reason: Error): Promise<void>
}
