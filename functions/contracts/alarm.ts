import * as z from 'zod'
import { InvalidMessage } from '../control/errors.ts'
import { orderOf } from '../control/hold.ts'
import { bytesOf, longestAlarmName } from '../control/longest-key.ts'
import type { Sender } from '../control/sender.ts'
import { alarmTargetTag } from './names.ts'
import { instant, parseAs, parseJson } from './parse.ts'

/** What one alarm event is about. */
export interface AlarmMessage {
  readonly alarmName: string
  /**
   * which of the alarm's time series: stable text of the contributor's attributes, its id where that is long,
   * '' for the alarm itself
   */
  readonly series: string
  readonly value: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA'
  /** when it entered that state: later sorts after earlier as text, and next to other holds' orders */
  readonly order: string
  /** a mute rule or a suppressor alarm holds its actions back */
  readonly muted: boolean
  /** one query over many series: each series sends its own events, this one only sums them up */
  readonly summary: boolean
  readonly contributorAttributes?: Readonly<Record<string, string>>
  /** value of the alarm's tag `dispatcher-control:target` */
  readonly tagTarget?: string
  /** distinct `InstanceId` dimensions of all its metrics; none for a composite alarm */
  readonly dimensionInstanceIds: readonly string[]
  readonly reason: string
  /** the alarm's ARN */
  readonly sender?: Sender
}

const instanceDimension = 'InstanceId'

const texts = z.record(z.string(), z.string())

const metric = z.object({
  expression: z.string().optional(),
  metricStat: z.object({ metric: z.object({ dimensions: texts.optional() }) }).optional(),
})

const resources = z.array(z.string()).default([])

const common = {
  alarmName: z.string().min(1),
  state: z.object({
    value: z.enum(['OK', 'ALARM', 'INSUFFICIENT_DATA']),
    reason: z.string().default(''),
    timestamp: instant,
    /** composite alarms: `WaitPeriod`, `ExtensionPeriod` or `Alarm` */
    actionsSuppressedBy: z.string().nullish(),
  }),
  /** composite alarms have an `alarmRule` instead of metrics */
  configuration: z.object({ metrics: z.array(metric).default([]) }).default({ metrics: [] }),
  /** present while a mute rule is active */
  muteDetail: z.looseObject({}).nullish(),
  /** present when the alarm's tag propagation is on */
  alarmTags: texts.nullish(),
}

/**
 * `CloudWatch Alarm State Change` of a metric, metric math or composite alarm, and `CloudWatch Alarm
 * Contributor State Change` of one series of a Metrics Insights alarm, which has no `previousState`. Unknown
 * keys are let pass.
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html)
 * ```json
 * {"version":"0","id":"c4c1c1c9-6542-e61b-6ef0-8c4d36933a92","detail-type":"CloudWatch Alarm State Change",
 *  "source":"aws.cloudwatch","account":"123456789012","time":"2026-11-22T17:04:40Z","region":"us-east-1",
 *  "resources":["arn:aws:cloudwatch:us-east-1:123456789012:alarm:media-server-errors"],
 *  "detail":{"alarmName":"media-server-errors",
 *   "configuration":{"metrics":[{"id":"m1","returnData":true,"metricStat":{"period":300,"stat":"Average",
 *     "metric":{"namespace":"AWS/EC2","name":"CPUUtilization","dimensions":{"InstanceId":"i-1234567890abcdef0"}}}}]},
 *   "previousState":{"value":"OK","reason":"…","timestamp":"2026-11-21T13:56:40.987+0000"},
 *   "state":{"value":"ALARM","reason":"Threshold Crossed: …","reasonData":"{…}","timestamp":"2026-11-22T17:04:40.989+0000"},
 *   "muteDetail":{"mutedByArn":"arn:…","muteWindowStart":"…","muteWindowEnd":"…"},
 *   "alarmTags":{"dispatcher-control:target":"sip:10.0.1.20:5060"},"alarmTagsStatus":"SUCCESS"}}
 * ```
 * A contributor's detail has `"alarmContributor":{"id":"6d442278dba546f6","attributes":{"InstanceId":"i-…"}}`
 * besides.
 */
const event = z.discriminatedUnion(
  'detail-type',
  [
    z.object({
      'detail-type': z.literal('CloudWatch Alarm State Change'),
      source: z.literal('aws.cloudwatch'),
      resources,
      detail: z.object({ ...common, alarmContributor: z.undefined().optional() }),
    }),
    z.object({
      'detail-type': z.literal('CloudWatch Alarm Contributor State Change'),
      source: z.literal('aws.cloudwatch'),
      resources,
      detail: z.object({
        ...common,
        alarmContributor: z.object({ id: z.string().optional(), attributes: texts }),
      }),
    }),
  ],
  { error: 'is neither "CloudWatch Alarm State Change" nor "CloudWatch Alarm Contributor State Change"' },
)

/**
 * Reads the body of one queue message: an EventBridge event.
 * @throws InvalidMessage that lists every problem with its path.
 */
export function parseAlarmMessage(body: string): AlarmMessage {
  const { detail, resources } = parseAs(event, parseJson(body, 'alarm event'), 'alarm event')
  const [arn] = resources
  const { metrics } = detail.configuration
  const { alarmContributor: contributor } = detail
  const attributes = contributor?.attributes
  const series = contributor ? seriesOf(detail.alarmName, contributor) : ''
  refuseLongName(detail.alarmName, series)
  const tagTarget = detail.alarmTags?.[alarmTargetTag]
  return {
    alarmName: detail.alarmName,
    series,
    value: detail.state.value,
    order: orderOf(detail.state.timestamp),
    muted: Boolean(detail.muteDetail ?? detail.state.actionsSuppressedBy),
    summary: !attributes && metrics.some(({ expression }) => /\bGROUP\s+BY\b/i.test(expression ?? '')),
    ...(attributes && { contributorAttributes: attributes }),
    ...(tagTarget && { tagTarget }),
    dimensionInstanceIds: [
      ...new Set(metrics.flatMap((m) => m.metricStat?.metric.dimensions?.[instanceDimension] ?? [])),
    ],
    reason: detail.state.reason,
    ...(arn !== undefined && { sender: { id: arn } }),
  }
}

/** @throws InvalidMessage */
function refuseLongName(alarmName: string, series: string): void {
  const bytes = bytesOf(alarmName + series)
  if (bytes > longestAlarmName)
    throw new InvalidMessage(
      `alarm event: detail.alarmName: must be at most ${longestAlarmName} bytes in UTF-8 with the attributes of its series, and has ${bytes}: it is part of a key of the table`,
    )
}

/** @returns stable text of a series' attributes, or its id where that is long */
export function seriesOf(
  alarmName: string,
  {
    id,
    attributes,
  }: { readonly id?: string | undefined; readonly attributes: Readonly<Record<string, string>> },
): string {
  const text = stableText(attributes)
  return id !== undefined && bytesOf(alarmName + text) > longestAlarmName ? id : text
}

/** The same attributes give the same text, in whatever order they came. */
function stableText(attributes: Readonly<Record<string, string>>): string {
  const keys = Object.keys(attributes).sort()
  return JSON.stringify(keys.map((key) => [key, attributes[key]]))
}
