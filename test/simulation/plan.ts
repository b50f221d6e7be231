/**
 * A history as plain data: the world it begins with, what happens in it, and what goes wrong. It is drawn
 * first and then run, so it can be kept as JSON, edited and shortened. All times are milliseconds since its
 * beginning.
 */
export interface Plan {
  readonly seed: number
  readonly edges: readonly EdgePlan[]
  readonly servers: readonly ServerPlan[]
  readonly group: GroupPlan
  readonly happenings: readonly Happening[]
  readonly faults: readonly Fault[]
  /** what keeps drains by choice from taking too much; absent: nothing does */
  readonly clearance?: ClearancePlan
  /** absent: whoever sends a command may */
  readonly senders?: SendersPlan
  /** by how much the clock of each function run is off, in turn; at most 1 s to either side */
  readonly skewsMs: readonly number[]
}

export interface ClearancePlan {
  readonly floors: readonly FloorPlan[]
  readonly atOnce?: number
}

/** Of a set, of the one group, or of each set; with exactly one of the last three. */
export interface FloorPlan {
  readonly set?: number
  readonly group?: string
  readonly count?: number
  readonly percent?: number
  readonly callsPerServer?: number
}

export interface SendersPlan {
  /** the settings name all but the last one of `messages.ts` */
  readonly named: boolean
  readonly mostHolds: number
}

/** Shown flags that a list file can give an entry. */
export type FileFlags = 'AP' | 'AX' | 'IP' | 'IX' | 'DX'

export interface EdgePlan {
  readonly id: string
  readonly version: '5.6' | '6.0' | '6.1'
  readonly rpcFile: 'ours' | 'former' | 'none'
  readonly counters: boolean
  readonly guard: boolean
  readonly profiles: readonly ('dst' | 'src')[]
  /** false: its script never calls the routes that count, so that its profiles stay empty */
  readonly counts: boolean
  readonly restoresDialogs: boolean
  /** how long it has been up when the history begins */
  readonly upMs: number
  /** how long each of its answers takes */
  readonly latencyMs: number
  readonly reloadTakesMs: number
  /** false: its parameter is added by a happening only */
  readonly configured: boolean
}

/** A place for a media server: an address with its lines in the lists. Machines come and go on it. */
export interface ServerPlan {
  /** IPv4 or IPv6 */
  readonly address: string
  /** a DNS name that the lists use instead of the address */
  readonly name?: string
  /** what the URIs say of it; absent: nothing, which means UDP */
  readonly transport?: 'tcp'
  /** absent: the URI has no port */
  readonly port?: number
  /** a second destination of the same machine, in every line: only where operators mean the machine */
  readonly secondPort?: number
  /** what operators call it by: the machine's id, or the destination as it is listed at first */
  readonly namedBy: 'instance' | 'destination'
  readonly lines: readonly LinePlan[]
}

/** One line of one edge's list. */
export interface LinePlan {
  readonly edge: number
  readonly set: number
  readonly flags: FileFlags
  /** whether the line is there when the history begins */
  readonly listed: boolean
}

export interface GroupPlan {
  readonly launchHook: boolean
  readonly heartbeatTimeoutSeconds: number
  readonly drainDeadlineSeconds: number
  readonly callsLeft: 'retain' | 'end-calls' | 'terminate'
  readonly unknown: 'retain' | 'terminate'
  /** whether the media servers' own counts are read */
  readonly ownCount: boolean
}

/** After how long each copy of a message comes; none: it is lost. */
export type Delivery = readonly number[]

export type Happening = { readonly at: number } & (
  | {
      readonly kind: 'call'
      readonly server: number
      readonly edge: number
      readonly out: boolean
      readonly lasts: number
      readonly moves?: readonly Move[]
    }
  /** a SIP MESSAGE comes to it: an Asterisk keeps a channel for such ever after */
  | { readonly kind: 'message'; readonly server: number }
  | { readonly kind: 'invite'; readonly edge: number; readonly set: number; readonly lasts: number }
  | {
      readonly kind: 'scale-in'
      readonly server: number
      readonly delivery: Delivery
      readonly gone: Delivery
    }
  | { readonly kind: 'machine-dies'; readonly server: number; readonly gone: Delivery }
  /** once the machine is gone, its address goes to a new one */
  | {
      readonly kind: 'launch'
      readonly server: number
      readonly after: number
      readonly notFoundFor: number
      readonly addressAfter: number
      readonly delivery: Delivery
      readonly successful: Delivery
      /** somebody else completes its action, so long after it began */
      readonly completedAfter?: number
    }
  | {
      readonly kind: 'alarm'
      readonly server: number
      readonly state: 'ALARM' | 'OK'
      readonly delivery: Delivery
    }
  | ({
      readonly kind: 'operator'
      readonly server: number
      readonly command: 'drain' | 'activate'
      readonly delivery: Delivery
      /** its place among the senders of `messages.ts`; absent: the first */
      readonly sender?: number
      readonly force?: true
      /** who asks; absent: alice */
      readonly by?: 'bob'
    } & Window)
  /** for all of a group, set or zone */
  | ({
      readonly kind: 'many'
      readonly whom: Many
      readonly command: 'drain' | 'activate'
      readonly delivery: Delivery
      readonly force?: true
      readonly by?: 'bob'
    } & Window)
  | {
      readonly kind: 'freeze'
      /** how long after it was sent it ends by itself; absent: never */
      readonly lasts?: number
      readonly delivery: Delivery
      readonly sender?: number
    }
  | { readonly kind: 'unfreeze'; readonly delivery: Delivery }
  | { readonly kind: 'reload-command'; readonly edge?: number; readonly delivery: Delivery }
  | { readonly kind: 'release-command'; readonly edge: number; readonly delivery: Delivery }
  | { readonly kind: 'edge-removed' | 'edge-added'; readonly edge: number; readonly delivery: Delivery }
  | { readonly kind: 'restart' | 'stranger-reloads'; readonly edge: number }
  /** the list file is edited; it counts from the next load */
  | {
      readonly kind: 'line'
      readonly server: number
      readonly edge: number
      readonly set: number
      readonly listed: boolean
      readonly flags: FileFlags
      readonly port?: number | null
    }
  | {
      readonly kind: 'hand'
      readonly server: number
      readonly edge: number
      readonly set: number
      readonly state: 'a' | 'ap' | 'i' | 'ip' | 'd'
    }
  | { readonly kind: 'group-deleted' }
  /** the server's alarm is deleted, or has no data any more: no message tells of it */
  | { readonly kind: 'alarm-ends'; readonly server: number; readonly how: 'deleted' | 'INSUFFICIENT_DATA' }
  /** what runs for the drains of the server is stopped by hand, or does nothing any more */
  | { readonly kind: 'executions-end'; readonly server: number; readonly how: 'stopped' | 'hangs' }
  /** the record of a drain is not in the table any more */
  | { readonly kind: 'row-lost'; readonly server: number }
)

/** Of a drain, counted from when it is sent. */
export interface Window {
  /** absent: it begins at once */
  readonly beginsAfter?: number
  /** absent: its hold has no end */
  readonly endsAfter?: number
}

export type Many = { readonly group: string } | { readonly set: number } | { readonly zone: string }

/**
 * A call goes on over another edge, so long after it came to the one before: it ends there when it begins
 * here.
 */
export interface Move {
  readonly edge: number
  readonly after: number
}

export type Fault =
  /** between these times, on the way to an edge or in it */
  | {
      readonly kind: 'edge'
      readonly edge: number
      readonly from: number
      readonly to: number
      readonly what: EdgeTrouble
      readonly ms: number
    }
  /** the `nth` port call from then on that has this name */
  | {
      readonly kind: 'call'
      readonly from: number
      readonly on: PortCall
      readonly nth: number
      readonly what: CallTrouble
      readonly ms: number
    }
  /** between these times the whole port refuses */
  | { readonly kind: 'port'; readonly port: RefusingPort; readonly from: number; readonly to: number }
  /** EC2 shows the state of this long ago */
  | { readonly kind: 'ec2-lags'; readonly ms: number }
  /** the payloads of a newer release have one field more */
  | { readonly kind: 'newer-payload'; readonly from: number; readonly to: number }

export type EdgeTrouble =
  | 'unreachable'
  | 'replies lost'
  | 'replies halved'
  | 'replies swapped'
  | 'last reply lost'
  | 'slow'
  | 'executed later'
  | 'counts refused'
  | 'list refused'
  | 'writes refused'
export type CallTrouble =
  | 'refused'
  | 'done but an error'
  /** the caller is told that it failed; it is done `ms` later */
  | 'done later'
  | 'slow'
  | 'dies before'
  | 'dies after'
  | 'frozen'
/**
 * A method of a port, any of a port (`store.*`), a request to an edge (`edge.write`, `edge.read`,
 * `edge.reload`), or anything (`*`).
 */
export type PortCall = string
export type RefusingPort =
  | 'events'
  | 'lifecycleActions'
  | 'workflows'
  | 'instances'
  | 'store'
  | 'settles'
  | 'groupMembers'
  | 'alarms'
