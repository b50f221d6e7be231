import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type CallLedger, openLedger } from '../../lab/sip/call-ledger.ts'

describe('the referee’s ledger', () => {
  let dir: string
  let ledger: CallLedger
  let callerGone: () => void
  let serverGone: () => void
  const write = (who: 'caller' | 'server', ...lines: string[]) =>
    appendFileSync(
      join(dir, who),
      lines.map((line) => `2026-11-23\t08:34:04.199144\t1795422844.199144 ${line}\n`).join(''),
    )
  const outcome = () => {
    ledger.sync()
    return ledger.calls().map((call) => call.outcome)
  }

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'ledger-'))
    ledger = openLedger()
    callerGone = ledger.follow({ name: 'caller', side: 'caller', file: join(dir, 'caller') })
    serverGone = ledger.follow({ name: 'server', side: 'server', file: join(dir, 'server') })
    write('caller', 'placed 1')
    write('server', 'invite 1')
  })
  afterEach(() => {
    ledger.close()
    rmSync(dir, { recursive: true })
  })

  test('a call that got a BYE of somebody else is cut, and it is known which of its ends did', () => {
    write('caller', 'answered 1')
    appendFileSync(
      join(dir, 'caller'),
      '2026-11-23\t11:42:43.986980\t1795434163.986980: Aborting call on an unexpected BYE for call: 1\n',
    )
    expect(outcome()).toEqual(['cut'])
    expect(ledger.calls()[0]).toMatchObject({
      hungUpAt: 1_795_434_163_986,
      why: expect.stringContaining('the caller alone'),
    })
    write('server', 'bye 1')
    ledger.sync()
    expect(ledger.calls()[0]).toMatchObject({
      outcome: 'cut',
      why: expect.stringContaining('both of its ends'),
    })
  })

  test('ringing, up, ended: a call that ends by its BYE at both ends is not cut', () => {
    expect(outcome()).toEqual(['ringing'])
    write('caller', 'answered 1')
    expect(outcome()).toEqual(['up'])
    expect(ledger.live('server')).toBe(1)
    write('server', 'bye 1')
    write('caller', 'ended 1')
    expect(outcome()).toEqual(['ended'])
    expect(ledger.calls()[0]?.placedAt).toBe(1795422844199)
  })

  test('a call whose media server is killed is cut at once', () => {
    write('caller', 'answered 1')
    serverGone()
    expect(outcome()).toEqual(['cut'])
  })

  test('a call whose caller is killed is cut', () => {
    write('caller', 'answered 1')
    callerGone()
    expect(outcome()).toEqual(['cut'])
  })

  test('a call whose BYE the caller saw answered but the media server never saw is cut', () => {
    write('caller', 'answered 1', 'ended 1')
    expect(outcome()).toEqual(['cut'])
  })

  test('a refused BYE or re-INVITE is a cut, with the reason', () => {
    write('caller', 'answered 1', 'broken 1 bye 481')
    expect(outcome()).toEqual(['cut'])
    expect(ledger.calls()[0]?.why).toBe('bye 481')
  })

  test('a call that was never answered has failed, not been cut', () => {
    write('caller', 'failed 1 503')
    expect(outcome()).toEqual(['failed'])
    expect(ledger.totals()).toEqual({ placed: 1, answered: 0, ended: 0, failed: 1, cut: 0, up: 0 })
  })

  test('calls that a media server placed itself end with their program, not with the media server’s own calls', () => {
    const dialler = ledger.follow({ name: 'server', side: 'caller', file: join(dir, 'dialler') })
    write('caller', 'answered 1')
    dialler()
    expect(outcome()).toEqual(['up'])
  })

  test('a line is taken when it is whole', () => {
    appendFileSync(join(dir, 'caller'), '1795422844.3 answ')
    expect(outcome()).toEqual(['ringing'])
    appendFileSync(join(dir, 'caller'), 'ered 1\n')
    expect(outcome()).toEqual(['up'])
  })

  test('every server that got the INVITE is on record, the last has the call', () => {
    ledger.follow({ name: 'next', side: 'server', file: join(dir, 'next') })
    appendFileSync(join(dir, 'next'), '1795422845.0 invite 1\n')
    ledger.sync()
    expect(ledger.calls()[0]?.invites.map(({ server }) => server)).toEqual(['server', 'next'])
    expect(ledger.calls()[0]?.server).toBe('next')
    expect(ledger.invitesAt('next', 1795422845001)).toEqual([])
    expect(ledger.invitesAt('next', 1795422845000)).toHaveLength(1)
  })
})
