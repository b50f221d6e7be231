import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock } from '../functions/ports/clock.ts'

/** So many at once, and so many more each second. */
export class TokenBucket {
  private readonly clock: Clock
  private readonly size: number
  private readonly perSecond: number
  private tokens: number
  private at: number

  constructor(clock: Clock, size: number, perSecond: number) {
    this.clock = clock
    this.size = size
    this.perSecond = perSecond
    this.tokens = size
    this.at = clock.now()
  }

  /** @returns false where there are not as many left */
  takes(tokens = 1): boolean {
    const now = this.clock.now()
    this.tokens = Math.min(this.size, this.tokens + ((now - this.at) / 1000) * this.perSecond)
    this.at = now
    if (this.tokens < Math.min(tokens, this.size)) return false
    this.tokens -= tokens
    return true
  }
}

/**
 * What an SDK client does with a throttled request: functions/runtime/client-settings.ts, with the mean of
 * its jitter.
 */
const sdkAttempts = 4

export interface Throttled {
  refusedOnce: number
  failed: number
}

export interface SdkCall {
  readonly baseMs: number
  readonly counts: Throttled
  readonly what: string
}

/** @throws Error once the SDK gives up */
export async function asSdk(
  clock: Clock,
  takes: () => boolean,
  { baseMs, counts, what }: SdkCall,
): Promise<void> {
  for (let attempt = 0; attempt < sdkAttempts; attempt += 1) {
    if (takes()) return
    counts.refusedOnce += 1
    if (attempt + 1 < sdkAttempts) await clock.sleep((baseMs * 2 ** attempt) / 2)
  }
  counts.failed += 1
  throw new Error(`${what}: throttled ${sdkAttempts} times`)
}

/** Lambda as one account has it. All of it is an input, not measured. */
export const lambda = {
  /** of an account, unless raised */
  concurrency: 1000,
  coldStartMs: 600,
  /** from an asynchronous invocation to its beginning */
  asyncMs: 50,
  /** lib/dispatcher-control.ts and lib/control-function.ts, in CPUs: one for 1,769 MB */
  cpus: { settle: 1, other: 512 / 1769 },
} as const

/** Measured by bench/settle-cpu.ts, rounded up, in ms of one CPU. */
export const processor = { perAnswerKilobyte: 0.2, perPackedKilobyte: 1 } as const

/** What one invocation has of a processor. */
interface Processor {
  readonly cpus: number
  /** one thing after the other */
  freeAt: number
}

export interface LambdaUse {
  invocations: number
  coldStarts: number
  refused: number
  /** seconds that are paid for */
  seconds: number
}

/** The functions of one account: environments that are kept warm, and as many at once as it lets. */
export class LambdaPool {
  mostAtOnce = 0
  readonly uses = new Map<string, LambdaUse>()
  private readonly clock: Clock
  private readonly processors = new AsyncLocalStorage<Processor>()
  private readonly idle = new Map<string, number>()
  private running = 0

  constructor(clock: Clock) {
    this.clock = clock
  }

  use(name: string): LambdaUse {
    const use = this.uses.get(name) ?? { invocations: 0, coldStarts: 0, refused: 0, seconds: 0 }
    this.uses.set(name, use)
    return use
  }

  /** The invocation that is under way has so much to do, after what else it does. @param ms of one CPU */
  async computes(ms: number): Promise<void> {
    const own = this.processors.getStore()
    if (!own) return
    own.freeAt = Math.max(own.freeAt, this.clock.now()) + ms / own.cpus
    await this.clock.sleep(own.freeAt - this.clock.now())
  }

  /** @throws Error where as many run as may */
  async invoke<T>(name: string, work: () => Promise<T>): Promise<T> {
    const use = this.use(name)
    if (this.running >= lambda.concurrency) {
      use.refused += 1
      throw new Error('Lambda.TooManyRequestsException')
    }
    this.running += 1
    this.mostAtOnce = Math.max(this.mostAtOnce, this.running)
    const began = this.clock.now()
    const warm = this.idle.get(name) ?? 0
    if (warm > 0) this.idle.set(name, warm - 1)
    else {
      use.coldStarts += 1
      await this.clock.sleep(lambda.coldStartMs)
    }
    use.invocations += 1
    try {
      const cpus = name === 'settle' ? lambda.cpus.settle : lambda.cpus.other
      return await this.processors.run({ cpus, freeAt: 0 }, work)
    } finally {
      use.seconds += (this.clock.now() - began) / 1000
      this.running -= 1
      this.idle.set(name, (this.idle.get(name) ?? 0) + 1)
    }
  }
}

/** EC2's for describing calls with ids or filters, of an account and region. */
export const ec2 = { bucket: 100, perSecond: 20 } as const
/** DynamoDB's of one partition: each partition key has one to itself at the most. */
export const dynamo = { readUnits: 3000, writeUnits: 1000, requestMs: 5 } as const

export const charged = [
  `the gateway: 429 above its rate`,
  `EC2: ${ec2.bucket} describing requests at once and ${ec2.perSecond} a second, the SDK's four tries`,
  `DynamoDB: ${dynamo.requestMs} ms a request; ${dynamo.readUnits} read and ${dynamo.writeUnits} write units a second for each partition key, the SDK's four tries`,
  `Lambda: ${lambda.concurrency} at once in all, ${lambda.coldStartMs} ms a cold start, ${lambda.asyncMs} ms until an asynchronous one begins`,
  `processor time (bench/settle-cpu.ts): ${processor.perAnswerKilobyte} ms for each KB that an edge answers, ${processor.perPackedKilobyte} ms for each packed KB that is read; settle has one CPU, the others have ${lambda.cpus.other.toFixed(2)}`,
  'not charged: the queues, Step Functions, Auto Scaling, EventBridge',
] as const
