import { filedUnder } from '../../functions/aws/dynamo-changes.ts'
import type { Change } from '../../functions/control/change.ts'
import type { ChangesOf, FiledChange } from '../../functions/control/filed-change.ts'
import type { Changes } from '../../functions/ports/changes.ts'

const nameOf = (of: ChangesOf) => JSON.stringify(of)

/** @returns also what opens a change within a write of the store */
export function memoryChanges() {
  const open = new Map<string, Change>()
  const files = new Map<string, Map<string, FiledChange>>()
  const opens = (change: Change) => {
    if (!open.has(change.id)) open.set(change.id, structuredClone(change))
  }
  const port = {
    putChange: async (change) => opens(change),
    openChanges: async () => {
      const changes = [...open.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1))
      return structuredClone({ changes, unread: [] })
    },
    async putShown(id, shown, filedAt) {
      const known = open.get(id)
      const since = filedAt !== undefined && { filedAt }
      if (known) open.set(id, structuredClone({ ...known, shown, ...since }))
    },
    async fileChange(filed) {
      for (const of of filedUnder(filed)) {
        const file = files.get(nameOf(of)) ?? new Map<string, FiledChange>()
        files.set(nameOf(of), file)
        if (!file.get(filed.id)?.complete) file.set(filed.id, structuredClone(filed))
      }
      if (filed.complete) open.delete(filed.id)
    },
    async dropChange(id) {
      open.delete(id)
    },
    async changes(of, { most, before }) {
      const found = [...(files.get(nameOf(of))?.values() ?? [])]
        .filter(({ id }) => before === undefined || id < before)
        .toSorted((a, b) => (a.id < b.id ? 1 : -1))
      const changes = structuredClone(found.slice(0, most))
      const last = changes.at(-1)
      return { changes, unread: [], ...(last && found.length > most && { next: last.id }) }
    },
  } satisfies Changes
  return { port, opens }
}
