/** A row as it is stored. It is read without a copy: whoever changes what was read fails. */
export function frozen<T>(row: T): T {
  const copy = structuredClone(row)
  freezeWhole(copy)
  return copy
}

function freezeWhole(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const part of Object.values(value)) freezeWhole(part)
  Object.freeze(value)
}
