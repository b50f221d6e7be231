/**
 * Base of every error that this project throws on purpose. `permanent` means that trying again can't help:
 * such a message goes to its dead-letter queue at once, with the reason. Names are literal, since bundles are
 * minified.
 */
export abstract class DispatcherControlError extends Error {
  abstract override readonly name: string
  abstract readonly permanent: boolean
}

/** A name matches several destinations; the message lists them. */
export class AmbiguousDestination extends DispatcherControlError {
  override readonly name = 'AmbiguousDestination'
  readonly permanent = true
}

/** No edge lists what was named, and every edge could be read. */
export class UnknownDestination extends DispatcherControlError {
  override readonly name = 'UnknownDestination'
  readonly permanent = true
}

/** A command for a whole group, set or zone finds nothing there, and every edge could be read. */
export class EmptyTarget extends DispatcherControlError {
  override readonly name = 'EmptyTarget'
  readonly permanent = true
}

/**
 * One set lists a URI twice and the duids don't tell the entries apart: `set_state` would reach only the
 * first.
 */
export class DuplicateDestination extends DispatcherControlError {
  override readonly name = 'DuplicateDestination'
  readonly permanent = true
}

/** A destination or instance is named in a form that nothing can match. */
export class InvalidDestinationName extends DispatcherControlError {
  override readonly name = 'InvalidDestinationName'
  readonly permanent = true
}

/** A command asked for something that a command may never do. */
export class CommandRefused extends DispatcherControlError {
  override readonly name = 'CommandRefused'
  readonly permanent = true
}

/** @param known the edges that are configured */
export function unknownEdge(edge: string | undefined, known: readonly string[]): CommandRefused {
  return new CommandRefused(`no edge is called "${edge}"; there are: ${known.join(', ')}`)
}

/**
 * A message, event or configuration that does not have the documented form; the message names where and what.
 */
export class InvalidMessage extends DispatcherControlError {
  override readonly name = 'InvalidMessage'
  readonly permanent = true
}

/** Too few edges could be read to decide; worth another try. */
export class EdgesUnreadable extends DispatcherControlError {
  override readonly name = 'EdgesUnreadable'
  readonly permanent = false
}

/** Another function asks EC2 for our instances, and is not answered: the message or step comes again. */
export class InventoryBusy extends DispatcherControlError {
  override readonly name = 'InventoryBusy'
  readonly permanent = false
}

/**
 * EC2 does not know a machine that somebody spoke of minutes ago at most, or no edge lists one that young:
 * soon they may.
 */
export class InstanceUnknown extends DispatcherControlError {
  override readonly name = 'InstanceUnknown'
  readonly permanent = false
}

/** Somebody else wrote the record first; read it again and decide again. */
export class StoreConflict extends DispatcherControlError {
  override readonly name = 'StoreConflict'
  readonly permanent = false
}

/**
 * A drain runs and its record is not in the table: nobody knows what it is about, and only its heartbeats go
 * on.
 */
export class RecordMissing extends DispatcherControlError {
  override readonly name = 'RecordMissing'
  readonly permanent = false
}

/** What was asked of the settle function is not done yet: the message comes again and looks for it. */
export class OutcomePending extends DispatcherControlError {
  override readonly name = 'OutcomePending'
  readonly permanent = false
}

/**
 * This attempt's execution has failed, timed out or was aborted, and its name stays taken: start a new
 * attempt.
 */
export class ExecutionEnded extends DispatcherControlError {
  override readonly name = 'ExecutionEnded'
  readonly permanent = false
}

/**
 * The environment or the fleet's parameters are wrong; every problem is listed. Messages wait until it is put
 * right.
 */
export class InvalidConfiguration extends DispatcherControlError {
  override readonly name = 'InvalidConfiguration'
  readonly permanent = false
}

/**
 * What AWS gave back, a row of the table or an answer, does not have the form it must have; the message names
 * where.
 */
export class UnexpectedAnswer extends DispatcherControlError {
  override readonly name = 'UnexpectedAnswer'
  readonly permanent = false
}

export type EdgeFault =
  /** no TCP connection, a timeout, no reply, half a reply: neither done nor failed */
  | 'unreachable'
  /** a reply that is not the documented one: `{"result":{}}`, wrong id, rubbish */
  | 'malformed'
  /** 401/403: the shared secret or the source network is wrong */
  | 'unauthorized'
  /** the TLS connection is not trusted by one side: nothing was executed */
  | 'untrusted'
  /** 400/404 by the edge's own policy, or `Method Not Found` */
  | 'unsupported'
  /** `Ongoing reload`, `Not ready for reload`: come back later */
  | 'busy'
  /** 429 by a gateway: nothing was done, come back later */
  | 'throttled'
  /** a gateway in front of the edge has no route to it: it is in the parameters, not in the stack */
  | 'no-route'
  /** a gateway or the relay does not let us in: our own role, signature or clock, never the edge's secret */
  | 'access-denied'
  /**
   * 409: the edge has seen a later generation than ours, so that somebody else has its lease; nothing was
   * done
   */
  | 'stale'
  /** `No Destination Sets`: the list is empty, which is unknown, never "without it" */
  | 'empty-list'
  /** `State Update Failed` and other refusals of a well-formed request */
  | 'refused'
  /**
   * the Kamailio of another edge has answered: an address or a route is wrong; what was asked first only
   * reads
   */
  | 'another-edge'
  /**
   * what is stored of it can't be read: until that is put right nothing is written to it, since nobody knows
   * what to give back
   */
  | 'unreadable-row'

/**
 * Faults that speak of the way to the edge, not of what was asked: whatever else is asked would meet them
 * too.
 */
export const faultsOfTheWay: readonly EdgeFault[] = [
  'unreachable',
  'unauthorized',
  'untrusted',
  'throttled',
  'no-route',
  'access-denied',
  'stale',
]

/** What may still be done, or has been. */
export const neverAnswered: readonly EdgeFault[] = ['unreachable', 'malformed']

/** What one edge answered, or did not. The text never holds the secret. */
export class EdgeError extends DispatcherControlError {
  override readonly name = 'EdgeError'
  readonly edge: string
  readonly fault: EdgeFault
  /** the message without the edge's name */
  readonly what: string
  constructor(edge: string, fault: EdgeFault, message: string, options?: ErrorOptions) {
    const what = `${fault}: ${message}`
    super(`edge ${edge}: ${what}`, options)
    this.edge = edge
    this.fault = fault
    this.what = what
  }
  get permanent(): boolean {
    return false
  }
}

/** Anything but an `EdgeError` is a defect of ours, not an edge's answer: it is thrown on. */
export function asEdgeError(error: unknown): EdgeError {
  if (error instanceof EdgeError) return error
  throw error
}

/** The edge has seen a later generation than ours: somebody else has its lease. Nothing was executed. */
export class StaleGeneration extends EdgeError {
  /** the highest that the edge has seen since its boot */
  readonly seen: number
  constructor(edge: string, what: string, seen: number) {
    super(edge, 'stale', `${what}: the edge has seen generation ${seen}: another run has its lease`)
    this.seen = seen
  }
}
