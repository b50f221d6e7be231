/** What must be stopped when the world ends, in the reverse order of its start. */
export class Closing {
  readonly #steps: (() => Promise<void> | void)[] = []

  defer(step: () => Promise<void> | void): void {
    this.#steps.push(step)
  }

  /** Does every step, also after one that fails. @throws AggregateError of what failed */
  async all(): Promise<void> {
    const failures: unknown[] = []
    for (const step of this.#steps.reverse()) {
      try {
        await step()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'the lab could not stop cleanly')
  }
}

/**
 * Waits for all of it even when one part fails, so that nothing starts behind the back of who stops the rest.
 */
export async function together<T extends readonly unknown[]>(
  parts: readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T>
export async function together(parts: readonly Promise<unknown>[]): Promise<unknown> {
  await Promise.allSettled(parts)
  return Promise.all(parts)
}
