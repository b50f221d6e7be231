import { describe, expect, it } from 'vitest'
import { alarmIntent, alarmTarget } from '../../functions/control/alarm.ts'
import { AmbiguousDestination, InvalidMessage } from '../../functions/control/errors.ts'

describe('alarmIntent', () => {
  const plain = { muted: false, summary: false }
  const anyHow: [boolean, boolean][] = [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ]

  it('ALARM drains', () => {
    expect(alarmIntent({ value: 'ALARM', ...plain })).toBe('hold')
  })

  it('ALARM that is muted or suppressed is skipped', () => {
    expect(alarmIntent({ value: 'ALARM', ...plain, muted: true })).toBe('skip')
  })

  it('ALARM of an alarm over many series is left to its contributors', () => {
    expect(alarmIntent({ value: 'ALARM', ...plain, summary: true })).toBe('skip')
  })

  it.each(anyHow)('OK always lifts: muted %s, summary %s', (muted, summary) => {
    expect(alarmIntent({ value: 'OK', muted, summary })).toBe('lift')
  })

  it.each(anyHow)('INSUFFICIENT_DATA neither drains nor lifts: muted %s, summary %s', (muted, summary) => {
    expect(alarmIntent({ value: 'INSUFFICIENT_DATA', muted, summary })).toBe('skip')
  })
})

describe('alarmTarget', () => {
  const all = {
    alarmName: 'media-server-cpu',
    contributorAttributes: { InstanceId: 'i-contributor' },
    tagTarget: 'sip:10.0.1.20',
    dimensionInstanceIds: ['i-dimension'],
    configuredTarget: '10.0.1.21',
  }
  const { contributorAttributes: _, ...noContributor } = all
  const { tagTarget: __, ...noTag } = noContributor

  it('is the contributor first, then the tag, then the dimension, then the configuration', () => {
    expect(alarmTarget(all)).toBe('i-contributor')
    expect(alarmTarget(noContributor)).toBe('sip:10.0.1.20')
    expect(alarmTarget(noTag)).toBe('i-dimension')
    expect(alarmTarget({ ...noTag, dimensionInstanceIds: [] })).toBe('10.0.1.21')
  })

  it('passes over a contributor that is no instance', () => {
    expect(alarmTarget({ ...all, contributorAttributes: { AutoScalingGroupName: 'media-servers' } })).toBe(
      'sip:10.0.1.20',
    )
  })

  it('never picks one of several instances, even where a target is configured', () => {
    const several = { ...noTag, dimensionInstanceIds: ['i-1', 'i-2'] }
    expect(() => alarmTarget(several)).toThrow(AmbiguousDestination)
    expect(() => alarmTarget(several)).toThrow(/i-1, i-2/)
    expect(alarmTarget({ ...several, tagTarget: 'i-2' })).toBe('i-2')
  })

  it('says where a target can be configured when nothing names one', () => {
    const nobody = { alarmName: 'media-server-unwell', dimensionInstanceIds: [] }
    expect(() => alarmTarget(nobody)).toThrow(InvalidMessage)
    expect(() => alarmTarget(nobody)).toThrow(
      /"media-server-unwell".*dispatcher-control:target.*alarms\[\]\.target/,
    )
  })
})
