import { join, resolve } from 'node:path'

/**
 * Where the bundles are, one folder for each function: as `npm run build` writes them, and as the package
 * carries them.
 */
export const functionsPath = join(resolve(import.meta.dirname, '..'), 'dist', 'functions')
