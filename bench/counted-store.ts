import { gzipSync } from 'node:zlib'
import type { Store } from '../functions/use-cases/ports.ts'

export interface Units {
  reads: number
  writes: number
  readings: number
}

/** What a row has besides its data: keys, names, numbers' own form. A guess on the safe side. */
const rowBytes = 100
const bytes = (data: unknown) => rowBytes + Buffer.byteLength(JSON.stringify(data) ?? '')
const packed = (data: unknown) => rowBytes + gzipSync(JSON.stringify(data) ?? '').length
/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html, strongly consistent */
const readUnits = (size: number) => Math.max(1, Math.ceil(size / 4096))
const writeUnits = (size: number) => Math.max(1, Math.ceil(size / 1024))

/**
 * The same store; every call is counted as the requests that `functions/aws/dynamo-store.ts` makes of it.
 */
export function countedStore(store: Store, units: Units): Store {
  const read = (size: number) => {
    units.reads += readUnits(size)
  }
  const write = (size: number, transactional = false) => {
    units.writes += writeUnits(size) * (transactional ? 2 : 1)
  }
  const sum = (rows: readonly unknown[]) => rows.reduce((total: number, row) => total + bytes(row), 0)
  return {
    async holds() {
      const found = await store.holds()
      read(sum(found))
      return found
    },
    async hold(...key) {
      const found = await store.hold(...key)
      read(bytes(found))
      return found
    },
    putHold(hold) {
      // the row and its copy
      for (let row = 0; row < 2; row++) write(bytes(hold), true)
      return store.putHold(hold)
    },
    retire(hold, mark) {
      for (const row of [hold, hold, mark, mark]) write(bytes(row), true)
      return store.retire(hold, mark)
    },
    async drain(id) {
      const found = await store.drain(id)
      read(bytes(found))
      return found
    },
    putDrain(record) {
      write(bytes(record))
      return store.putDrain(record)
    },
    raiseWanted() {
      // a put that is refused where the counter is there, and the addition
      for (let request = 0; request < 2; request++) write(rowBytes)
      return store.raiseWanted()
    },
    wanted() {
      read(rowBytes)
      return store.wanted()
    },
    takeEdge(...lease) {
      read(rowBytes)
      write(rowBytes)
      return store.takeEdge(...lease)
    },
    raiseGeneration(...lease) {
      read(rowBytes)
      write(rowBytes)
      return store.raiseGeneration(...lease)
    },
    giveUpEdge(...lease) {
      write(rowBytes)
      return store.giveUpEdge(...lease)
    },
    async edgeRecords(edge) {
      const found = await store.edgeRecords(edge)
      read(packed(found))
      return found
    },
    putEdgeRecords(edge, generation, records) {
      write(packed(records), true)
      // the check of the lease
      write(rowBytes, true)
      return store.putEdgeRecords(edge, generation, records)
    },
    async edgeHeads() {
      const found = await store.edgeHeads()
      read(sum(found))
      return found
    },
    addEdgeHead(head) {
      write(bytes(head))
      return store.addEdgeHead(head)
    },
    async reading(edge) {
      const found = await store.reading(edge)
      read(packed(found))
      return found
    },
    async listing(edge) {
      const found = await store.listing(edge)
      read(packed(found))
      return found
    },
    putReading(generation, found) {
      if (found.reading) units.readings += 1
      write(bytes(found.head), true)
      for (const part of [found.reading, found.listing]) if (part) write(packed(part), true)
      // the check of the lease
      write(rowBytes, true)
      return store.putReading(generation, found)
    },
    async machines() {
      const found = await store.machines()
      read(packed(found))
      return found
    },
    putMachines(reading) {
      write(packed(reading))
      return store.putMachines(reading)
    },
    seeAlarm(key, order) {
      write(rowBytes)
      return store.seeAlarm(key, order)
    },
    async commandOutcome(id) {
      const found = await store.commandOutcome(id)
      read(bytes(found))
      return found
    },
    putCommandOutcome(id, outcome) {
      write(bytes(outcome))
      return store.putCommandOutcome(id, outcome)
    },
    keepEvent(kept) {
      write(bytes(kept))
      return store.keepEvent(kept)
    },
    async keptEvents(most) {
      const found = await store.keptEvents(most)
      read(sum(found))
      return found
    },
    dropKeptEvent(kept) {
      write(bytes(kept))
      return store.dropKeptEvent(kept)
    },
    async releases() {
      const found = await store.releases()
      read(sum(found))
      return found
    },
    putRelease(release) {
      write(bytes(release))
      return store.putRelease(release)
    },
    async pendingAnswers() {
      const found = await store.pendingAnswers()
      read(sum(found))
      return found
    },
    putPendingAnswer(pending) {
      write(bytes(pending))
      return store.putPendingAnswer(pending)
    },
    dropPendingAnswer(id) {
      write(rowBytes)
      return store.dropPendingAnswer(id)
    },
  }
}
