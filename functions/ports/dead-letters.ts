/** Where a message goes that can never be done, as it came and with the reason. */
export interface DeadLetters {
  reject(
    message: { readonly body: string; readonly attributes?: Readonly<Record<string, string>> },
    reason: Error,
  ): Promise<void>
}
