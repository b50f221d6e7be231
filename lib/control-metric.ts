import { Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch'
import { eventSource, type MetricName, metricNamespace } from '../functions/contracts/names.ts'

/** One of our metrics, over the whole deployment; a sum unless the options say otherwise. */
export function controlMetric(name: MetricName, options: MetricOptions = {}): Metric {
  return new Metric({
    namespace: metricNamespace,
    metricName: name,
    dimensionsMap: { service: eventSource },
    statistic: 'Sum',
    ...options,
  })
}
