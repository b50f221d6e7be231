import { TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch'
import { type AlarmKind, holds, lost } from './alarm-kinds.ts'
import type { MinuteSchedule } from './minute-schedule.ts'

const goAfterAnHour = {
  as: TreatMissingData.NOT_BREACHING,
  why: 'its messages go after an hour, and SQS stops reporting an empty queue',
} as const

/** One minute that is missed is made up for by the next; its message stays for an hour. */
export function reconcilerAlarms({ delivery, failed }: MinuteSchedule): Readonly<Record<string, AlarmKind>> {
  return {
    ReconcilerNotCalled: {
      anchor: 'reconciler-not-called',
      meaning:
        'Within an hour EventBridge could not call the reconciler three times: while it is not called, marks without a reason stay, and events and answers that are due are not published',
      ...holds(delivery.undelivered, 3),
      missing: goAfterAnHour,
    },
    ReconcilerFailed: {
      anchor: 'reconciler-failed',
      meaning:
        'Within an hour the reconciler failed three times: the next minute makes up for one, this comes again and again',
      ...holds(failed, 3),
      missing: goAfterAnHour,
    },
    ReconcilerCallsLost: lost("the reconciler's call", delivery.rule),
  }
}

/** As of the reconciler; but what others ask for besides comes once. */
export function settleAlarms({ delivery, failed }: MinuteSchedule): Readonly<Record<string, AlarmKind>> {
  return {
    SettleNotCalled: {
      anchor: 'settle-not-called',
      meaning:
        'Within an hour EventBridge could not call the settle function three times: while it is not called, edges are read, and drift is corrected, only when something else asks for it',
      ...holds(delivery.undelivered, 3),
      missing: goAfterAnHour,
    },
    SettleFailed: {
      anchor: 'settle-failed',
      meaning:
        'The settle function has failed at something in three tries: the next minute makes up for what is held, but not for a reload or a release, so one is too many',
      ...holds(failed, 1),
      missing: goAfterAnHour,
    },
    SettleCallsLost: lost("the settle function's call", delivery.rule),
  }
}

/** As of the reconciler. */
export function sweepAlarms({ delivery, failed }: MinuteSchedule): Readonly<Record<string, AlarmKind>> {
  return {
    SweepNotCalled: {
      anchor: 'sweep-not-called',
      meaning:
        'Within an hour EventBridge could not call the sweep three times: while it is not called, an instance whose event was lost waits for its hook to time out, a drain whose execution stopped stands still, and neither a window begins nor an end comes',
      ...holds(delivery.undelivered, 3),
      missing: goAfterAnHour,
    },
    SweepFailed: {
      anchor: 'sweep-failed',
      meaning:
        'Within an hour the sweep failed three times: the next minute makes up for one, this comes again and again',
      ...holds(failed, 3),
      missing: goAfterAnHour,
    },
    SweepCallsLost: lost("the sweep's call", delivery.rule),
  }
}
