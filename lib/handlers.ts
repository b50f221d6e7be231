import type { TimeBudgets } from './control-function.ts'
import type { Need } from './port-permissions.ts'

export interface Handler {
  readonly budget: keyof TimeBudgets
  readonly needs: readonly Need[]
}

// A look that a later attempt has overtaken makes sure that the later one was started.
const look = {
  budget: 'step',
  needs: ['store', 'settles', 'instances', 'heartbeat', 'complete', 'terminate', 'workflows', 'events'],
} as const

/** Each function, by its handler's file name: its time budget, and what its use case needs. */
export const handlers = {
  // The one that reaches edges. It is made first: the others are told its name.
  settle: { budget: 'settle', needs: ['store', 'fleet', 'instances', 'mediaServers', 'workflows', 'events'] },
  'lifecycle-events': {
    budget: 'message',
    needs: ['store', 'settles', 'instances', 'complete', 'workflows', 'events'],
  },
  'alarm-events': { budget: 'message', needs: ['store', 'settles', 'instances', 'workflows', 'events'] },
  commands: { budget: 'message', needs: ['store', 'settles', 'instances', 'workflows', 'events'] },
  look,
  // Of executions that a release before 0.2 began.
  'complete-drain': look,
  'retire-drain': look,
  reconcile: {
    budget: 'step',
    needs: ['store', 'filing', 'settles', 'instances', 'workflows', 'events'],
  },
  sweep: {
    budget: 'step',
    needs: [
      'store',
      'settles',
      'instances',
      'heartbeat',
      'complete',
      'workflows',
      'idle',
      'groupMembers',
      'alarms',
      'events',
    ],
  },
} as const satisfies Record<string, Handler>

/** A handler's file name in functions/handlers, without its ending. */
export type HandlerName = keyof typeof handlers
