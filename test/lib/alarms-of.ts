import type { Template } from 'aws-cdk-lib/assertions'
import * as z from 'zod'
import { readable } from './synthesized.ts'

const dimension = z.object({ Name: z.string(), Value: z.unknown() })
export const metric = z.object({
  Namespace: z.string(),
  MetricName: z.string(),
  Dimensions: z.array(dimension).default([]),
})
const alarm = z.object({
  Properties: z.object({
    AlarmDescription: z.string(),
    Threshold: z.number(),
    TreatMissingData: z.enum(['notBreaching', 'ignore', 'breaching']),
    AlarmActions: z.array(z.unknown()).optional(),
    OKActions: z.array(z.unknown()).optional(),
    ...metric.shape,
  }),
})
/** Every alarm of a template; its id is the one within `Alarms`. */
export function alarmsOf(from: Template) {
  return Object.entries(from.findResources('AWS::CloudWatch::Alarm')).map(([id, resource]) => ({
    id: readable({ Ref: id }).replace(/^<Alarms(.*)>$/, '$1'),
    ...alarm.parse(resource).Properties,
  }))
}

/** Dimensions by name, references readable. */
export const named = (dimensions: readonly z.output<typeof dimension>[]) =>
  Object.fromEntries(
    dimensions.map(({ Name, Value }) => [Name, typeof Value === 'string' ? Value : readable(Value)]),
  )
