import type { Flags } from '../../functions/control/destination.ts'
import type { Settled, SettledEntry } from '../../functions/control/settled.ts'
import { machine } from './samples.ts'

/** The server as a settle left it; it found it open. */
export const entry = (after: Flags, changes: Partial<SettledEntry> = {}): SettledEntry => ({
  set: 1,
  uri: machine.uri,
  before: 'AP',
  after,
  ...changes,
})

export const settled = (entries: readonly SettledEntry[], changes: Partial<Settled> = {}): Settled => ({
  edge: 'edge-a',
  wanted: 1,
  askedAt: 1,
  answeredAt: 2,
  boot: 'b',
  entries,
  guarded: [machine.uri],
  ...changes,
})
