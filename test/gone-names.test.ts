import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')

/**
 * What rationed requests, what mended after one of many writers, what looks did before settle resolved holds
 * and woke drains, names from before the phases of a drain and the words of the documents, and names that two
 * things had.
 */
const gone = [
  ...['BeginDrain', 'hasOtherAddresses', 'AddressUnknown', 'ec2Attempts', 'busyEdges'],
  ...['CallsSeen', 'callsSeen', 'untilLastEnd', 'shareOfEstimate', 'worthALook'],
  ...['allowance', 'carriedCount', 'holdsToCount', 'waitForTurn'],
  ...['freshRound', 'makeRound', 'latestRound', 'putRound', 'RoundUnavailable', 'takeLease', 'releaseLease'],
  ...['disableEverywhere', 'disableOnEdge', 'confirmLate', 'confirmEverywhere', 'correctDrift'],
  ...['sayAndSave', 'observeDrain', 'completeDrain', 'retireDrain', 'DrainRecord', 'standing'],
  ...['(?:type|interface) (?:Waits|Turns?)', '(?:const|let) (?:here|said|says|turns)', 'turnsOf'],
  ...['blind', 'blindLast', 'turnsAtMost', 'RequestSays', 'Standing', 'standingOf'],
  ...['Wishes', 'wishes', 'rememberingWishes', 'AlarmIntent', 'callGroup'],
  ...['isAnswer', 'PendingAnswer', 'pendingAnswers', 'telling', 'triesToTell'],
  ...['CommandAnswer', 'AnswerPending'],
  ...['function inTurn', 'tellOf\\w+', 'tellLab', 'tellLeft', 'isTold', 'wasTold'],
  ...['undoIfLifted', 'finishLiftings', 'holdAgain', 'heldMeanwhile', 'readLists', 'readBackGapSeconds'],
]

/** Tests and measurements have holds and rates of their own, and an Answer of what EC2 or an edge gives. */
const goneFromDeployed = ['holdOf', 'requestsPerSecond', '(?:type|interface) Answer', 'answerOf', 'answerTo']

test('a name that has gone does not come back, not in tests either', () => {
  const deployed = filesIn(['functions', 'lib', 'lab', 'cli'])
  const others = filesIn(['bench', 'test']).filter((name) => !import.meta.filename.endsWith(name))
  expect(deployed.length).toBeGreaterThan(300)
  expect(others.length).toBeGreaterThan(300)
  expect(found(deployed, anyOf([...gone, ...goneFromDeployed]))).toEqual([])
  expect(found(others, anyOf(gone))).toEqual([])
})

/** A group is an Auto Scaling group. Rows keep the name, and their readers map it: `EntryRow`. */
test('a dispatcher set is called a group in rows of the store, and nowhere else', () => {
  const rows = ['rows.ts', 'edge-rows.ts', 'reading-rows.ts'].map((name) => join('functions/aws', name))
  const files = filesIn(['functions', 'lib', 'lab', 'bench'])
  const aSet = /\bgroup\??: (number|z\.(number|int)\(|\d)|\bin group (\d|\$\{)/
  expect(found(rows, aSet)).toHaveLength(rows.length)
  const others = files.filter((name) => !rows.includes(name))
  expect(found(others, aSet)).toEqual([])
})

const anyOf = (names: readonly string[]) => new RegExp(`\\b(${names.join('|')})\\b`)

function filesIn(folders: readonly string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name)),
  )
}

function found(files: readonly string[], names: RegExp): string[] {
  return files.flatMap((name) => {
    const match = names.exec(readFileSync(join(root, name), 'utf8'))
    return match ? [`${name}: ${match[0]}`] : []
  })
}
