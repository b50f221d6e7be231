import { type Counts, countHour } from './counted-hour.ts'

/**
 * What a month costs at 200 drains an hour, by counting an hour on ports in memory: `npm run cost`. It prints
 * the table of docs/prove-on-aws.md. The counts are measured; the prices and the seconds below are inputs.
 */

/**
 * US dollars, us-east-1, on demand, no free tier. Read from AWS's own pages, in copies of unknown age: Step
 * Functions, HTTP API (its white paper on private integrations), EventBridge. From others' pages of 2025 and
 * 2026 that agree: Lambda, DynamoDB, CloudWatch. Cloud Map from memory. Look them up again before relying on
 * them.
 */
const prices = {
  /** https://aws.amazon.com/lambda/pricing, arm64 */
  lambdaRequest: 0.2e-6,
  lambdaGigabyteSecond: 0.0000133334,
  /** https://aws.amazon.com/step-functions/pricing, Standard */
  transition: 25e-6,
  /** https://aws.amazon.com/dynamodb/pricing/on-demand */
  read: 0.125e-6,
  write: 0.625e-6,
  /**
   * https://aws.amazon.com/api-gateway/pricing, HTTP API, each up to 512 KB: up to 300 million a month, and
   * beyond
   */
  httpApiRequest: 1e-6,
  httpApiRequestBeyond: 0.9e-6,
  /**
   * https://aws.amazon.com/ec2/pricing/on-demand, between zones, both directions: what edges answer may cross
   * one
   */
  zoneGigabyte: 0.02,
  /** https://aws.amazon.com/cloud-map/pricing, a registered address for a month */
  cloudMapAddress: 0.1,
  /** https://aws.amazon.com/eventbridge/pricing, custom events */
  event: 1e-6,
  /** https://aws.amazon.com/cloudwatch/pricing */
  logGigabyte: 0.5,
  metric: 0.3,
  alarm: 0.1,
  dashboard: 3,
} as const

/** What memory can't tell: to be measured on AWS. */
const assumed = {
  /** lib/dispatcher-control.ts */
  settleGigabytes: 1.73,
  otherGigabytes: 0.5,
  /** besides what the virtual clock counts: waiting, and processor time by what is read (bench/limits.ts) */
  settleSeconds: 0.1,
  stepSeconds: 0.1,
  /** of a message, the reconciler or the sweep, in all */
  otherSeconds: 0.2,
  /**
   * a line of the API's access log (lib/vpc-link-access.ts): its ten names, a caller's ARN of 150 characters,
   * and 26 bytes that CloudWatch adds to each event
   */
  accessLogBytes: 430,
  logBytesPerInvocation: 1000,
  /** with one group */
  metrics: 24,
  alarms: 56,
} as const

const hoursOfMonth = 730
const drainsPerHour = 200
const callMinutes = 20

/** An hour as it was counted with so many edges. */
export interface Counted {
  readonly edges: number
  readonly hour: Counts
}

/**
 * Every count rises with each edge (test/bench/cost.test.ts): what a fleet of `edges` asks, from two small
 * ones.
 */
export function atEdges(edges: number, few: Counted, more: Counted): Counts {
  const share = (edges - few.edges) / (more.edges - few.edges)
  const at = (name: keyof Counts) => few.hour[name] + share * (more.hour[name] - few.hour[name])
  return {
    ...more.hour,
    edgeRequests: at('edgeRequests'),
    reads: at('reads'),
    writes: at('writes'),
    readingBytes: at('readingBytes'),
    answerBytes: at('answerBytes'),
    settleSeconds: at('settleSeconds'),
    stepSeconds: at('stepSeconds'),
  }
}

const services = [
  ...[
    'Lambda',
    'Step Functions',
    'DynamoDB',
    'HTTP API',
    'its access log',
    'data transfer',
    'Cloud Map',
    'Events',
  ],
  'Logs, metrics',
] as const

/** US dollars a month, in the order of {@link services}. */
function costs(edges: number, hour: Counts): readonly number[] {
  const invocations = invocationsOf(hour)
  const logBytes = invocations * assumed.logBytesPerInvocation
  const monthly = (dollars: number) => dollars * hoursOfMonth
  return [
    monthly(invocations * prices.lambdaRequest + gigabyteSeconds(hour) * prices.lambdaGigabyteSecond),
    monthly(hour.transitions * prices.transition),
    monthly(hour.reads * prices.read + hour.writes * prices.write),
    httpApi(hour.edgeRequests * hoursOfMonth),
    monthly(((hour.edgeRequests * assumed.accessLogBytes) / 1e9) * prices.logGigabyte),
    monthly((hour.answerBytes / 1e9) * prices.zoneGigabyte),
    edges * prices.cloudMapAddress,
    monthly(hour.events * prices.event),
    monthly((logBytes / 1e9) * prices.logGigabyte) + watching(),
  ]
}

function gigabyteSeconds({ settles, settleSeconds, steps, stepSeconds, messages, ticks }: Counts): number {
  const settling = settleSeconds + settles * assumed.settleSeconds
  const others = stepSeconds + steps * assumed.stepSeconds + (messages + ticks) * assumed.otherSeconds
  return settling * assumed.settleGigabytes + others * assumed.otherGigabytes
}

function invocationsOf({ steps, settles, messages, ticks }: Counts): number {
  return steps + settles + messages + ticks
}

function httpApi(requests: number): number {
  const first = Math.min(requests, 300e6)
  return first * prices.httpApiRequest + (requests - first) * prices.httpApiRequestBeyond
}

function watching(): number {
  return assumed.metrics * prices.metric + assumed.alarms * prices.alarm + prices.dashboard
}

/** Both tables, as Markdown, of what was counted in two small fleets. */
export function tables(few: Counted, more: Counted): string {
  const hours = [10, 50].map((edges) => ({ edges, hour: atEdges(edges, few, more) }))
  const of = (count: number) => Math.round(count / drainsPerHour)
  const counts = hours.map(({ edges, hour }) => [
    ...[edges, of(invocationsOf(hour)), of(hour.settles), of(hour.settleSeconds), of(hour.transitions)],
    ...[
      of(hour.edgeRequests),
      of(hour.reads),
      of(hour.writes),
      of(hour.readingBytes / 1000),
      of(hour.answerBytes / 1000),
      of(hour.events),
    ],
  ])
  const dollars = hours.map(({ edges, hour }) => {
    const each = costs(edges, hour)
    return [edges, ...each.map(Math.round), Math.round(each.reduce((sum, cost) => sum + cost, 0))]
  })
  return `${table(
    [
      'edges',
      'invocations',
      'of settle',
      'its seconds',
      'transitions',
      'edge requests',
      'read units',
      'write units',
      'KB of readings and lists',
      'KB of answers',
      'events',
    ],
    counts,
  )}\n${table(['edges', ...services, 'a month'], dollars)}`
}

function table(head: readonly string[], rows: readonly (readonly number[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |\n`
  return `${line(head)}${line(head.map(() => '---:'))}${rows.map(line).join('')}`
}

if (import.meta.main) {
  const hour = { servers: 1000, drains: drainsPerHour, callMinutes }
  const [few, more] = [
    { edges: 2, hour: await countHour({ ...hour, edges: 2 }) },
    { edges: 6, hour: await countHour({ ...hour, edges: 6 }) },
  ]
  process.stdout.write(tables(few, more))
}
