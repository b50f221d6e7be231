import { MetricUnit, Metrics as PowertoolsMetrics } from '@aws-lambda-powertools/metrics'
import { type MetricName, metricNames, metricNamespace } from '../contracts/names.ts'
import type { Metrics } from '../ports/metrics.ts'

const milliseconds: readonly MetricName[] = [metricNames.settleDuration]

/**
 * Counts in CloudWatch's embedded metric format: a JSON line of the log each, at once, so that none is lost
 * when a function is killed. Every metric has the dimension `service`; CloudWatch does not sum over further
 * ones.
 * @param service the deployment, so that two in one account don't count into the same metrics
 */
export function createMetrics(service: string): Metrics {
  const metrics = new PowertoolsMetrics({ namespace: metricNamespace, serviceName: service })
  return {
    count(name, value, dimensions = {}) {
      const single = metrics.singleMetric()
      for (const [dimension, of] of Object.entries(dimensions)) single.addDimension(dimension, of)
      single.addMetric(name, milliseconds.includes(name) ? MetricUnit.Milliseconds : MetricUnit.Count, value)
    },
  }
}
