import { afterEach, describe, expect, test } from 'vitest'
import {
  type DestinationUri,
  destinationUri,
  type Flags,
  type WritableState,
} from '../../functions/control/destination.ts'
import type { Edge } from '../../functions/ports/edge.ts'
import type { KamailioRelease } from '../../lab/programs/program.ts'
import { callsContract } from './edge-calls.ts'
import { filesContract } from './edge-files.ts'

/**
 * One line of an edge's dispatcher file. `P` and `N` as second letter are the file's flags 8 and 32 (6.1
 * shows P only with pings on).
 */
export interface FileLine {
  readonly set: number
  readonly uri: string
  readonly flags?: Flags
  readonly duid?: string
}

export interface EdgeRequest {
  readonly file: readonly FileLine[]
  /** each server answers a ping each second, with `ds_probing_mode` 1; otherwise nothing is pinged */
  readonly pings?: boolean
  readonly guard?: boolean
  readonly profiles?: boolean
  /** whether its policy lets calls be ended; default true */
  readonly endsCalls?: boolean
  readonly restoresDialogs?: boolean
  /** the edge of somebody who has none of our files; default false */
  readonly plain?: boolean
}

/** An edge, and hands to do to it what happens to edges. */
export interface EdgeWorld {
  readonly edge: Edge
  writeFile(file: readonly FileLine[]): void
  restart(): Promise<void>
  /** Lets time pass until the condition holds. @throws when it does not within 15 s */
  until(condition: () => Promise<boolean>): Promise<void>
  /** Places that many calls, round robin over set 1, and waits until they are up. */
  callSet(calls: number): Promise<LiveCalls>
  /** The media server at {@link EdgePlaces.second} places that many calls through the edge. */
  callFromSecond(calls: number): Promise<LiveCalls>
  close(): Promise<void>
}

export interface LiveCalls {
  hangUp(): Promise<void>
}

/** What every world has: two media servers that answer calls and pings. */
export interface EdgePlaces {
  readonly release: KamailioRelease
  readonly first: DestinationUri
  readonly second: DestinationUri
  /** of the second one */
  readonly secondAddress: string
  /** a DNS name that every edge resolves to `secondAddress` */
  readonly secondName: string
  open(request: EdgeRequest): Promise<EdgeWorld>
}

const shownAs: Readonly<Record<WritableState, Flags>> = {
  a: 'AX',
  ap: 'AP',
  i: 'IX',
  ip: 'IP',
  d: 'DX',
  dp: 'DX',
  t: 'TX',
  tp: 'TP',
}

/**
 * What every edge does behind the port `Edge`: the same for memory and for a real Kamailio of each release.
 * @param calls whether calls are placed; a release that is tested without them is said so in
 * kamailio/README.md
 */
export function edgeContract(
  name: string,
  makeWorld: () => EdgePlaces,
  { calls = true }: { readonly calls?: boolean } = {},
): void {
  describe(`the port Edge over ${name}`, () => {
    const opened: EdgeWorld[] = []
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((world) => world.close()))
    })

    const places = () => makeWorld()
    async function open(request: Partial<EdgeRequest> = {}): Promise<EdgeWorld> {
      const { first, second } = places()
      const file = [
        { set: 1, uri: first, duid: 'ms-1' },
        { set: 1, uri: second },
        { set: 2, uri: first },
      ]
      const world = await places().open({ file, ...request })
      opened.push(world)
      return world
    }
    /** `1 sip:… AX`, sorted: the order of a list is not stable. */
    async function shown(edge: Edge): Promise<string[]> {
      const { first } = places()
      const label = (uri: string) => (uri === first ? 'first' : 'second')
      return (await edge.list()).destinations.map((e) => `${e.set} ${label(e.uri)} ${e.flags}`).sort()
    }
    async function setState(
      edge: Edge,
      state: WritableState,
      set: number,
      uri: DestinationUri,
      duid?: string,
    ) {
      const write = { state, set, uri, ...(duid !== undefined && { duid }) }
      expect(await edge.write([write])).toEqual(['done'])
    }
    const busy = (edge: Edge) =>
      edge.reload().then(
        () => false,
        (error: { fault?: string }) => error.fault === 'busy',
      )

    test('a list names every destination of every set verbatim, with flags and duid, and with IUID on 6.1', async () => {
      const { first, release } = places()
      const { edge } = await open()
      expect(await shown(edge)).toEqual(['1 first AX', '1 second AX', '2 first AX'])
      const { destinations: listed } = await edge.list()
      const duids = listed.map((e) => `${e.set} ${e.uri === first ? 'first' : 'second'} ${e.duid}`)
      expect(duids.sort()).toEqual(['1 first ms-1', '1 second undefined', '2 first undefined'])
      const iuids = new Set(listed.flatMap((e) => e.iuid ?? []))
      expect(iuids.size).toBe(release === '6.1' ? 3 : 0)
    })

    test('a state is set in one set and no other', async () => {
      const { edge } = await open()
      await setState(edge, 'd', 1, places().first)
      expect(await shown(edge)).toEqual(['1 first DX', '1 second AX', '2 first AX'])
      await setState(edge, 'd', 2, places().first)
      expect(await shown(edge)).toEqual(['1 first DX', '1 second AX', '2 first DX'])
    })

    test.each(Object.entries(shownAs))('state %s reads back as %s', async (state, flags) => {
      const { edge } = await open()
      const writable = Object.keys(shownAs).find((known): known is WritableState => known === state) ?? 'd'
      await setState(edge, writable, 1, places().second)
      expect(await shown(edge)).toEqual(['1 first AX', `1 second ${flags}`, '2 first AX'])
    })

    test('of duplicates in a set an address reaches one, and a duid reaches the other', async () => {
      const { first, second } = places()
      const twice = (duid: string) => ({ set: 1, uri: first, duid })
      const { edge } = await open({ file: [twice('ms-1'), twice('ms-2'), { set: 2, uri: second }] })
      await setState(edge, 'd', 1, first)
      const left = (await edge.list()).destinations.find((e) => e.set === 1 && e.flags === 'AX')
      expect(await shown(edge)).toEqual(['1 first AX', '1 first DX', '2 second AX'])
      await setState(edge, 'd', 1, first, left?.duid ?? 'none was left')
      expect(await shown(edge)).toEqual(['1 first DX', '1 first DX', '2 second AX'])
    })

    test('what is not listed is refused: another address, set or duid', async () => {
      const { edge } = await open()
      const elsewhere = destinationUri('sip:127.99.99.99:5060') ?? places().first
      const { first } = places()
      const outcomes = await edge.write([
        { state: 'd', set: 1, uri: elsewhere },
        { state: 'd', set: 99, uri: first },
        { state: 'd', set: 1, uri: first, duid: 'nobody' },
      ])
      expect(outcomes).toMatchObject([{ fault: 'refused' }, { fault: 'refused' }, { fault: 'refused' }])
      expect(await shown(edge)).toEqual(['1 first AX', '1 second AX', '2 first AX'])
    })

    test('set_state clears the no-ping bit, which 5.6 does not know, and a reload brings it back', async () => {
      const { first, second, release } = places()
      const file = [
        { set: 1, uri: first, flags: 'AN' as const },
        { set: 1, uri: second },
      ]
      const { edge } = await open({ file })
      const asFiled = release === '5.6' ? 'AX' : 'AN'
      expect(await shown(edge)).toEqual([`1 first ${asFiled}`, '1 second AX'])
      await setState(edge, 'd', 1, first)
      await setState(edge, 'a', 1, first)
      expect(await shown(edge)).toEqual(['1 first AX', '1 second AX'])
      await edge.reload()
      expect(await shown(edge)).toEqual([`1 first ${asFiled}`, '1 second AX'])
    })

    test('a reload goes back to the file and changes each IUID; the next is refused as busy and changes nothing', async () => {
      const { edge } = await open()
      const iuids = async () => (await edge.list()).destinations.flatMap((e) => e.iuid ?? [])
      await setState(edge, 'd', 1, places().first)
      const before = await iuids()
      await edge.reload()
      expect(await shown(edge)).toEqual(['1 first AX', '1 second AX', '2 first AX'])
      const after = await iuids()
      expect(after.filter((iuid) => before.includes(iuid))).toEqual([])
      await setState(edge, 'd', 1, places().first)
      await expect(edge.reload()).rejects.toMatchObject({ fault: 'busy' })
      expect(await iuids()).toEqual(after)
      expect(await shown(edge)).toEqual(['1 first DX', '1 second AX', '2 first AX'])
    })

    test('an emptied file is reloaded without complaint, and the empty list is a fault, not a list', async () => {
      const world = await open()
      world.writeFile([])
      await world.edge.reload()
      await expect(world.edge.list()).rejects.toMatchObject({ fault: 'empty-list' })
      world.writeFile([{ set: 7, uri: places().second }])
      await world.until(async () => !(await busy(world.edge)))
      expect(await shown(world.edge)).toEqual(['7 second AX'])
    })

    test('the guard holds a URI over a reload, lets it go, and forgets it at a restart', async () => {
      const { first } = places()
      const world = await open()
      const { edge } = world
      expect(await edge.readGuards([first])).toEqual([false])
      expect(await edge.write([{ uri: first, held: true }])).toEqual(['done'])
      await edge.reload()
      expect(await edge.readGuards([first])).toEqual([true])
      expect(await edge.readGuards([places().second])).toEqual([false])
      expect(await edge.write([{ uri: first, held: false }])).toEqual(['done'])
      expect(await edge.write([{ uri: first, held: false }])).toEqual(['done'])
      expect(await edge.readGuards([first])).toEqual([false])
      await edge.write([{ uri: first, held: true }])
      await world.restart()
      expect(await edge.readGuards([first])).toEqual([false])
    })

    test('an edge without the guard says so', async () => {
      const { edge } = await open({ guard: false })
      expect(await edge.write([{ uri: places().first, held: true }])).toEqual(['no-guard'])
      expect(await edge.write([{ uri: places().first, held: false }])).toEqual(['no-guard'])
      expect(await edge.readGuards([places().first])).toEqual(['no-guard'])
    })

    test('an edge says which Kamailio it is', async () => {
      const { edge } = await open()
      expect((await edge.facts()).version).toMatch(/^kamailio \S/)
    })

    test('the boot time stays over a reload and changes at a restart, which forgets every state', async () => {
      const world = await open()
      const { edge } = world
      const { bootTime } = await edge.boot()
      await edge.reload()
      await setState(edge, 'd', 1, places().first)
      expect((await edge.boot()).bootTime).toBe(bootTime)
      // boot times are whole seconds
      await world.until(async () => (await edge.boot()).uptimeSeconds >= 2)
      await world.restart()
      expect((await edge.boot()).bootTime).not.toBe(bootTime)
      expect(await shown(edge)).toEqual(['1 first AX', '1 second AX', '2 first AX'])
    })

    test('answered pings undo inactive in probing mode 1, and never disabled', async () => {
      const { first, second } = places()
      const world = await open({ pings: true })
      await setState(world.edge, 'd', 1, first)
      await setState(world.edge, 'i', 1, second)
      await world.until(async () => (await shown(world.edge)).includes('1 second AP'))
      expect(await shown(world.edge)).toContain('1 first DX')
    })

    if (calls) callsContract(open, places)
    filesContract(open, places)
  })
}
