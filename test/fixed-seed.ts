import { configureGlobal } from 'fast-check'

/**
 * A property that fails by chance on one machine can't be looked into on another. The simulator is what goes
 * on to fresh histories.
 */
configureGlobal({ seed: 4711 })
