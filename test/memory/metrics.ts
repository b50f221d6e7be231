import type { MetricName } from '../../functions/contracts/names.ts'
import type { Metrics } from '../../functions/ports/metrics.ts'

export interface MemoryMetrics extends Metrics {
  readonly counted: readonly {
    readonly name: MetricName
    readonly value: number
    readonly dimensions: Readonly<Record<string, string>>
  }[]
  total(name: MetricName): number
}

export function createMemoryMetrics(): MemoryMetrics {
  const counted: { name: MetricName; value: number; dimensions: Readonly<Record<string, string>> }[] = []
  return {
    counted,
    count: (name, value, dimensions = {}) => {
      counted.push({ name, value, dimensions: { ...dimensions } })
    },
    total: (name) => counted.reduce((sum, count) => (count.name === name ? sum + count.value : sum), 0),
  }
}
