import { expect, test } from 'vitest'
import { exampleTemplate } from './synthesized.ts'

/**
 * Whoever changes what is deployed sees it here: `vitest run --project stack test/lib/template.test.ts -u`
 * accepts it.
 */
test("the app's template is the one that was reviewed", { timeout: 60_000 }, async () => {
  const text = JSON.stringify(exampleTemplate(), undefined, 1)
    // Assets are named by the hash of what is in them.
    .replace(/\b[0-9a-f]{64}\b/g, '<hash>')
  await expect(text).toMatchFileSnapshot('__snapshots__/template.json')
})
