import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')

/**
 * What rationed requests, what mended after one of many writers, what looks did before settle resolved holds
 * and woke drains, and names from before the phases of a drain and the words of the documents.
 */
const gone = [
  ...['beginDrain', 'BeginDrain', 'hasOtherAddresses', 'AddressUnknown', 'ec2Attempts', 'busyEdges'],
  ...['CallsSeen', 'callsSeen', 'untilLastEnd', 'shareOfEstimate', 'worthALook'],
  ...['allowance', 'carriedCount', 'holdsToCount', 'waitForTurn', 'requestsPerSecond'],
  ...['freshRound', 'makeRound', 'latestRound', 'putRound', 'RoundUnavailable', 'takeLease', 'releaseLease'],
  ...['disableEverywhere', 'disableOnEdge', 'confirmLate', 'confirmEverywhere', 'correctDrift'],
  ...['sayAndSave', 'observeDrain', 'completeDrain', 'retireDrain', 'DrainRecord', 'holdOf', 'standing'],
  ...[
    '(?:type|interface) (?:Waits|Turns)',
    '(?:const|let) (?:here|said)',
    'blind',
    'blindLast',
    'turnsAtMost',
    'RequestSays',
  ],
  ...['isAnswer', 'PendingAnswer', 'pendingAnswers'],
  ...['undoIfLifted', 'finishLiftings', 'holdAgain', 'heldMeanwhile', 'readLists', 'readBackGapSeconds'],
]

test('what one writer per edge made needless, and what waking did, does not come back', () => {
  const files = ['functions', 'lib'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name)),
  )
  expect(files.length).toBeGreaterThan(100)
  const names = new RegExp(`\\b(${gone.join('|')})\\b`)
  const found = files.flatMap((name) => {
    const match = names.exec(readFileSync(join(root, name), 'utf8'))
    return match ? [`${name}: ${match[0]}`] : []
  })
  expect(found).toEqual([])
})
