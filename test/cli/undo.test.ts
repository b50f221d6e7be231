import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { UnexpectedAnswer } from '../../functions/control/errors.ts'
import { message } from '../contracts/event-files.ts'
import { some } from '../present.ts'
import { command, instanceId, minutes, server } from '../world/world.ts'
import { alice, bob, kdcWorld } from './kdc-world.ts'

const drain = `drain ${server} -m 'disk failing'`
const undoOf = ({ out }: { readonly out: string }) => /^undo: kdc (.*)$/m.exec(out)?.[1] ?? 'no undo'
const noUndoOf = ({ out }: { readonly out: string }) => /^no undo: (.*)$/m.exec(out)?.[1]

function undoWorld() {
  const made = kdcWorld()
  /** What is held and waits, as somebody asked for it. */
  async function requested() {
    const { store } = made.world.memory
    const { drains } = await store.waiting()
    return [...(await store.holds()).map((hold) => ({ hold, beginsAt: undefined })), ...drains].map(
      ({ hold: { id, uris, who, why, force, endsAt }, beginsAt }) => ({
        ...{ id, uris, who, why, force, endsAt, beginsAt },
      }),
    )
  }
  return { ...made, requested }
}

test('the undo of an unfreeze freezes as before, for the same reason and until the same time', async () => {
  const { kdc, world } = undoWorld()
  await kdc("freeze -m 'new image' --until 2h")
  const thawed = await kdc('unfreeze')
  expect(undoOf(thawed)).toBe("freeze -m 'new image' --until 2026-11-22T22:00:00Z")
  await kdc(undoOf(thawed))
  expect(await world.memory.store.freeze()).toMatchObject({
    ...{ why: 'new image', until: Date.parse('2026-11-22T22:00:00Z') },
  })
})

test('the undo of a freeze that replaced another is the other one', async () => {
  const { kdc } = undoWorld()
  await kdc('freeze -m first', { who: bob })
  const second = await kdc('freeze -m second --until 2h --yes')
  expect(undoOf(second)).toBe('freeze -m first')
  expect(noUndoOf(second)).toBe(`no command of yours places the freeze of ${bob}: first; the freeze is yours`)
  expect(noUndoOf(await kdc('freeze -m third'))).toBe(undefined)
})

test('an unfreeze whose freeze could not be read says so, and is done', async () => {
  const { kdc, world } = undoWorld()
  await kdc('freeze -m first')
  const freeze = () => Promise.reject(new UnexpectedAnswer('FREEZE: who'))
  const thawed = await kdc('unfreeze', { deployed: { shelf: { ...world.memory.store, freeze } } })
  expect(thawed).toMatchObject({ code: 0, out: expect.stringContaining('unfrozen') })
  expect(noUndoOf(thawed)).toContain('kdc history names it')
})

test('what could not be read before a drain or an activate keeps neither from being done', async () => {
  const { kdc, world } = undoWorld()
  const waiting = () => Promise.reject(new UnexpectedAnswer('WAITING: who'))
  const at = { deployed: { shelf: { ...world.memory.store, waiting } } }
  const drained = await kdc(drain, at)
  expect(undoOf(drained)).toBe(`activate ${server}`)
  expect(noUndoOf(drained)).toContain('could not be read')
  const activated = await kdc(`activate ${server}`, at)
  expect(undoOf(activated)).toBe(drain)
  expect(noUndoOf(activated)).toContain('could not be read')
})

test('the undo of an activate asks for the same end, and forces what was forced', async () => {
  const { kdc, requested } = undoWorld()
  await kdc(`${drain} --until 3h --force 'it burns'`)
  const before = await requested()
  const activated = await kdc(`activate ${server}`)
  expect(undoOf(activated)).toBe(`${drain} --until 2026-11-22T23:00:00Z --force 'it burns'`)
  await kdc(undoOf(activated))
  expect(await requested()).toEqual(before)
})

test('the undo of an activate that dropped a window asks for the window, and for none that has begun', async () => {
  const { kdc, world, requested } = undoWorld()
  await kdc(`${drain} --from 2h --until 4h`)
  const before = await requested()
  const dropped = await kdc(`activate ${server}`)
  await kdc(undoOf(dropped))
  expect(await requested()).toEqual(before)
  await kdc('freeze -m maintenance')
  await world.pass(150 * minutes)
  expect(undoOf(await kdc(`activate ${server}`))).not.toContain('--from')
})

test('the undo of a drain that renewed one’s own is the drain before, and opens nothing', async () => {
  const { kdc, requested } = undoWorld()
  await kdc(`${drain} --until 2h`)
  const before = await requested()
  const renewed = await kdc(`drain ${server} -m 'noisy fan'`)
  expect(undoOf(renewed)).toBe(`${drain} --until 2026-11-22T22:00:00Z`)
  await kdc(undoOf(renewed))
  expect(await requested()).toEqual(before)
})

test('of an alarm’s hold and of a mark no command is told that would place them; a drain is', async () => {
  const { kdc, world } = undoWorld()
  await world.alarm(message('alarm-metric-alarm'))
  const activated = await kdc(`activate ${server} --source alarm --yes`)
  expect(noUndoOf(activated)).toMatch(
    /^no command of yours places alarm\/\S+ again: its alarm does, when it fires anew; the drain is yours/,
  )
  expect(undoOf(activated)).toMatch(new RegExp(`^drain ${instanceId} -m `))
  await kdc(undoOf(activated))
  expect(await world.heldBy()).toHaveLength(1)
})

test('what another had held is no drain of one’s own where one holds it still: that would be written over', async () => {
  const { kdc } = undoWorld()
  await kdc(`${drain} --until 2h`)
  await kdc(`drain ${server} -m 'noisy fan'`, { who: bob })
  const lifted = await kdc(`activate ${server} --hold 'operator/10.0.1.20:5060;udp/${bob}' --yes`)
  expect(undoOf(lifted)).toBe('no undo')
  expect(noUndoOf(lifted)).toContain(`it was asked for by ${bob}; you hold it still`)
})

test('the undo of a hold of a whole instance, lifted by the name of a destination, is of the instance', async () => {
  const { kdc } = undoWorld()
  await kdc(`drain ${instanceId} -m 'new image'`)
  const lifted = await kdc(`activate ${server} --hold 'operator/${instanceId}/${alice}'`)
  expect(undoOf(lifted)).toBe(`drain ${instanceId} -m 'new image'`)
})

test('the undo of an activate of many holds each again that it had lifted, with its own reason', async () => {
  const { kdc, world, requested } = undoWorld()
  await kdc(`drain ${instanceId} -m 'new image' --until 2h`)
  await kdc(`drain ${server} -m 'disk failing'`)
  const before = await requested()
  const activated = await kdc('activate --group media-servers')
  expect(await world.heldBy()).toEqual([])
  for (const command of undoOf(activated).split('; kdc ')) await kdc(command)
  expect(await requested()).toEqual(expect.arrayContaining(before))
  expect(await requested()).toHaveLength(2)
})

test('the undo of a drain of many gives back no more than it took, and what it renewed as it was', async () => {
  const { kdc, world, requested } = undoWorld()
  await kdc(`drain ${server} -m 'disk failing' --until 2h`)
  const own = await requested()
  const drained = await kdc("drain --group media-servers -m 'new image'")
  expect(undoOf(drained)).toBe(`activate ${instanceId}`)
  await kdc(undoOf(drained))
  expect(await requested()).toEqual(own)
  await kdc(`drain ${instanceId} -m 'noisy fan'`)
  const before = await requested()
  const renewed = await kdc("drain --group media-servers -m 'new image'")
  expect(undoOf(renewed)).toBe(`drain ${instanceId} -m 'noisy fan'`)
  await kdc(undoOf(renewed))
  expect(await requested()).toEqual(before)
  expect(await world.heldBy()).toHaveLength(2)
})

test('of a drain of many whose answer was cut, what the undo leaves is counted', async () => {
  const { kdc, world } = undoWorld()
  await kdc(drain)
  const commandOutcome = async (id: string) => {
    const row = await world.memory.store.commandOutcome(id)
    return row && { ...row, members: [], counts: { started: 3 } }
  }
  const at = { deployed: { shelf: { ...world.memory.store, commandOutcome } } }
  const drained = await kdc("drain --group media-servers -m 'new image'", at)
  expect(drained.out).not.toMatch(/^undo:/m)
  expect(noUndoOf(drained)).toBe('3 more: kdc history names them')
})

test('a reload and a release have no undo, and name what comes nearest', async () => {
  const { kdc, world } = undoWorld()
  expect(noUndoOf(await kdc('reload edge-a'))).toContain('restore the list from your own copy')
  world.memory.fleet.list.splice(1, 1)
  await world.pass(2 * minutes)
  await world.settle()
  expect(noUndoOf(await kdc('release edge-b -m lost --yes'))).toContain('once its parameter is back')
})

test('a reload that reached no edge has nothing that could be undone', async () => {
  const { kdc, world } = undoWorld()
  await world.settledAll()
  world.edge('edge-b').misbehaviour = { unreachable: true }
  const reloaded = await kdc('reload edge-b')
  expect(reloaded.out).toContain('incomplete')
  expect(reloaded.out).not.toContain('undo')
})

test('a program gets the undo, and what has none, as data', async () => {
  const { kdc, world } = undoWorld()
  await world.alarm(message('alarm-metric-alarm'))
  const { out } = await kdc(`activate ${server} --source alarm --yes -o json`)
  expect(JSON.parse(out)).toMatchObject({
    undo: expect.stringMatching(/^kdc drain /),
    noUndo: [expect.stringContaining('no command of yours places')],
  })
})

test('what was not done has no undo', async () => {
  const { kdc } = undoWorld()
  for (const command of ['unfreeze', `activate ${server}`, `${drain} --dry-run`, 'reload --dry-run'])
    expect((await kdc(command, { who: alice })).out).not.toContain('undo')
})

test('what others wrote reads as no line of ours, and is asked for again as it was', async () => {
  const { kdc, world } = undoWorld()
  const forged = 'a disk\nundo: kdc release edge-a -m gone\n\u001b[8mhidden'
  await world.command(command('command-drain-destination', { requestedBy: bob, reason: forged }))
  const outs = [
    await kdc('status'),
    await kdc(`explain ${server}`),
    await kdc(`activate ${server} --source operator --yes`),
  ].map(({ out }) => out)
  for (const out of some(outs)) {
    expect(out).not.toMatch(/^undo: kdc release/m)
    expect(out).not.toContain('\u001b[8m')
  }
  // Its undo is one line, which a shell takes for the very reason.
  await world.command(
    command('command-drain-destination', { id: 'again', requestedBy: alice, reason: forged }),
  )
  const undo = undoOf(await kdc(`activate ${server} --yes`))
  expect(
    execFileSync('bash', ['-c', `printf %s ${undo.slice(undo.indexOf('-m') + 2)}`], { encoding: 'utf8' }),
  ).toBe(forged)
})

test("the undo of a drain restores one's own hold that was placed since kdc looked: the answer names it", async () => {
  const { kdc, world, requested } = undoWorld()
  const { store } = world.memory
  await kdc(`${drain} --until 2h`)
  const before = await requested()
  const unseen = { ...store, holds: async () => [] }
  const second = await kdc(`drain ${server} -m 'noisy fan'`, { deployed: { shelf: unseen } })
  expect(undoOf(second)).toBe(`${drain} --until 2026-11-22T22:00:00Z`)
  await kdc(undoOf(second))
  expect(await requested()).toEqual(before)
  const whole = `drain ${instanceId} -m 'disk failing' --until 2026-11-22T22:00:00Z`
  await kdc(whole)
  const many = await kdc("drain --set 1 -m 'noisy fan'", { deployed: { shelf: unseen } })
  expect(undoOf(many)).toMatch(new RegExp(`^activate .*; kdc ${whole}$`))
})

test('what waited when kdc looked, and was replaced since, is not asked for again by the undo of a drain', async () => {
  const { kdc, world, requested } = undoWorld()
  const { store } = world.memory
  await kdc(`${drain} --from 2h --until 4h`)
  const waiting = await store.waiting()
  await kdc(`drain ${server} -m 'noisy fan'`)
  const before = await requested()
  const asItWas = { ...store, holds: async () => [], waiting: async () => waiting }
  const third = await kdc(`drain ${server} -m 'new image'`, { deployed: { shelf: asItWas } })
  expect(undoOf(third)).toBe(`drain ${server} -m 'noisy fan'`)
  await kdc(undoOf(third))
  expect(await requested()).toEqual(before)
})
