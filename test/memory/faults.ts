/** A port whose methods can be told to fail. Faults queue up per method; each is used once. */
export type Faulty<P> = P & {
  /**
   * The next call of `method` rejects with `error`: `before` anything happened (the default), or `after` the
   * work was done, as when an answer is lost or a function is killed.
   */
  failNext(method: keyof P & string, error: Error, when?: 'before' | 'after'): void
}

/** Wraps a port made of asynchronous methods. Properties that are not functions pass through. */
export function faulty<P extends object>(port: P): Faulty<P> {
  const planned: { method: string; error: Error; when: 'before' | 'after' }[] = []
  const failNext = (method: string, error: Error, when: 'before' | 'after' = 'before') => {
    planned.push({ method, error, when })
  }
  const take = (method: string, when: 'before' | 'after') => {
    const index = planned.findIndex((fault) => fault.method === method)
    return planned[index]?.when === when ? planned.splice(index, 1)[0] : undefined
  }
  const wrap = (method: string, original: (...args: unknown[]) => unknown) => {
    return (...args: unknown[]) => {
      const before = take(method, 'before')
      if (before) return Promise.reject(before.error)
      const after = take(method, 'after')
      if (!after) return original.apply(port, args)
      return Promise.resolve(original.apply(port, args)).then(() => {
        throw after.error
      })
    }
  }
  return new Proxy(port, {
    get(target, key) {
      if (key === 'failNext') return failNext
      const value: unknown = Reflect.get(target, key)
      const known = typeof key === 'string' && planned.some((fault) => fault.method === key)
      return typeof value === 'function' && known ? wrap(key, (...args) => value.apply(target, args)) : value
    },
  }) as Faulty<P>
}
