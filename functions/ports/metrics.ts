import type { MetricName } from '../contracts/names.ts'

export interface Metrics {
  count(name: MetricName, value: number, dimensions?: Readonly<Record<string, string>>): void
}
