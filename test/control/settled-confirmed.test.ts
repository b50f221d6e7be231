import { describe, expect, it } from 'vitest'
import type { Flags } from '../../functions/control/destination.ts'
import { isConfirmed, type Settled, type SettledEntry, sinceWhen } from '../../functions/control/settled.ts'
import { hold, machine, uri } from './samples.ts'
import { entry, settled } from './settled-samples.ts'

interface Read {
  /** epoch ms: asked then, answered 100 ms later */
  readonly at: number
  readonly entries: readonly SettledEntry[]
  readonly boot?: string
}

/** One reading after another, as they are stored. */
function history(...reads: readonly Read[]): Settled | undefined {
  return reads.reduce<Settled | undefined>((before, { at, entries, boot = 'monday' }) => {
    const now = { askedAt: at, answeredAt: at + 100, boot }
    return settled(sinceWhen(entries, now, before), now)
  }, undefined)
}
const confirmed = (...reads: readonly Read[]) => {
  const last = history(...reads)
  return last !== undefined && isConfirmed(last, hold())
}
const entriesAt = (...reads: readonly Read[]) => history(...reads)?.entries ?? []

/** Read at `at`: disabled already, in one life of the entry. */
const still = (at: number, iuid?: string, more: Partial<SettledEntry> = {}): Read => ({
  at,
  entries: [entry('DX', { before: 'DX', ...(iuid !== undefined && { iuid }), ...more })],
})
/** Read at `at`: found open, left disabled. */
const disabled = (at: number, iuid?: string): Read => still(at, iuid, { before: 'AP' })

describe('confirmed is what two readings show disabled under the same identities', () => {
  it('the second asked 2 s after the first was answered', () => {
    expect(confirmed(disabled(0))).toBe(false)
    expect(confirmed(disabled(0), still(2_099))).toBe(false)
    expect(confirmed(disabled(0), still(2_100))).toBe(true)
  })

  it('a reading in between, too early, begins nothing anew', () => {
    expect(confirmed(disabled(0), still(1_000), still(2_100))).toBe(true)
  })

  it('the first one may have found it disabled by somebody else', () => {
    expect(confirmed(still(0))).toBe(false)
    expect(confirmed(still(0), still(60_000))).toBe(true)
  })

  it('of 6.1 with the same IUID; of 5.6, which has none, the flags decide', () => {
    expect(confirmed(disabled(0, 'x'), still(5_000, 'x'))).toBe(true)
    expect(confirmed(disabled(0), still(5_000))).toBe(true)
  })

  it('a reload, another IUID, begins anew', () => {
    const reloaded = [disabled(0, 'x'), still(5_000, 'z')]
    expect(confirmed(...reloaded)).toBe(false)
    expect(confirmed(...reloaded, still(7_099, 'z'))).toBe(false)
    expect(confirmed(...reloaded, still(7_100, 'z'))).toBe(true)
    expect(confirmed(disabled(0, 'x'), still(5_000))).toBe(false)
  })

  it('a restart begins anew, also where the IUID is the same or there is none', () => {
    for (const iuid of ['x', undefined]) {
      const restarted = { ...still(5_000, iuid), boot: 'tuesday' }
      expect(confirmed(disabled(0, iuid), restarted)).toBe(false)
      expect(confirmed(disabled(0, iuid), restarted, { ...still(8_000, iuid), boot: 'tuesday' })).toBe(true)
    }
  })

  it('one that was found open in between, and disabled again, begins anew', () => {
    expect(confirmed(disabled(0), disabled(5_000))).toBe(false)
    expect(confirmed(disabled(0), disabled(5_000), still(7_100))).toBe(true)
  })

  it('one that came into the list since begins by itself, and the others wait for it', () => {
    const { before: _, ...late } = entry('DX', { set: 2 })
    const came = { at: 5_000, entries: [entry('DX', { before: 'DX' }), late] }
    const both = { at: 8_000, entries: [1, 2].map((set) => entry('DX', { before: 'DX', set })) }
    expect(confirmed(disabled(0), came)).toBe(false)
    expect(confirmed(disabled(0), came, both)).toBe(true)
  })

  it('one that was away in between begins anew', () => {
    expect(confirmed(disabled(0), { at: 5_000, entries: [] }, still(9_000))).toBe(false)
  })

  it('one that no reading lists is no reason against it', () => {
    expect(confirmed({ at: 0, entries: [] })).toBe(true)
  })

  it.each(['AX', 'AP', 'IP', 'TX'] as const)('%s in any set confirms nothing', (open: Flags) => {
    const second = (after: Flags) => [entry('DX', { before: 'DX' }), entry(after, { set: 2, before: after })]
    expect(confirmed({ at: 0, entries: second('DX') }, { at: 5_000, entries: second(open) })).toBe(false)
    expect(confirmed({ at: 0, entries: second(open) }, { at: 5_000, entries: second('DX') })).toBe(false)
  })

  it('what was left open confirms nothing, whatever it says of when it was disabled', () => {
    const late = { askedAt: 60_000, answeredAt: 60_100 }
    expect(isConfirmed(settled([entry('DX', { since: 100 })], late), hold())).toBe(true)
    expect(isConfirmed(settled([entry('AX', { since: 100 })], late), hold())).toBe(false)
    expect(isConfirmed(settled([entry('DX')], late), hold())).toBe(false)
  })

  it('refused is never confirmed, however long it shows disabled', () => {
    const refused = (at: number) => still(at, 'x', { refused: 'listed more than once' })
    expect(confirmed(refused(0), refused(60_000))).toBe(false)
  })

  it('what is open, or refused, and of another hold is no reason against it', () => {
    const neighbour = entry('AP', { uri: uri('sip:10.0.1.99'), refused: 'State Update Failed' })
    const read = (at: number) => ({ at, entries: [entry('DX', { before: 'DX' }), neighbour] })
    expect(confirmed(read(0), read(5_000))).toBe(true)
  })

  it('twins, told apart by nothing but their IUIDs, in whatever order they are listed', () => {
    const twins = (at: number, ...iuids: readonly string[]) => ({
      at,
      entries: iuids.map((iuid) => entry('DX', { before: 'DX', iuid })),
    })
    expect(confirmed(twins(0, 'x', 'y'), twins(5_000, 'y', 'x'))).toBe(true)
    expect(confirmed(twins(0, 'x', 'y'), twins(5_000, 'x', 'z'))).toBe(false)
  })
})

describe('since when an entry is disabled', () => {
  it('is when the first reading that left it so was answered, and stays so', () => {
    expect(entriesAt(disabled(0), still(5_000), still(9_000))).toMatchObject([{ since: 100 }])
  })

  it('is not said of what is open', () => {
    expect(entriesAt({ at: 0, entries: [entry('AP')] })[0]).not.toHaveProperty('since')
    expect(entriesAt(disabled(0), { at: 5_000, entries: [entry('AP')] })[0]).not.toHaveProperty('since')
  })

  it('is told apart by set and duid', () => {
    const first = { at: 0, entries: [entry('DX', { duid: 'a' }), entry('AP', { duid: 'b' })] }
    const shown = (['a', 'b'] as const).map((duid) => entry('DX', { duid, before: 'DX' }))
    const other = entry('DX', { set: 2, duid: 'a', before: 'DX' })
    expect(entriesAt(first, { at: 5_000, entries: [...shown, other] })).toMatchObject([
      { uri: machine.uri, duid: 'a', since: 100 },
      { uri: machine.uri, duid: 'b', since: 5_100 },
      { set: 2, since: 5_100 },
    ])
  })
})
