import { expect, test } from 'vitest'
import { type EdgeRecording, record } from '../recordings/record.ts'
import { edgeRecordingsOf, edgeReleases } from '../rpc-client/edge-recordings.ts'

/**
 * Without what differs from run to run: the last digit of the version, times, boots, IUIDs, free ports and
 * their length, the order of a list or table.
 */
function lasting({ name, request, response }: EdgeRecording) {
  const plain = (text: string) =>
    text
      .replace(/\w{3} \w{3} +\d+ [\d:]{8} \d{4}/g, '<time>')
      .replace(/kamailio \d+\.\d+\.\d+/g, 'kamailio <version>')
      .replace(/now=\d+/g, 'now=<time>')
      .replace(/"uptime":\s*\d+/g, '"uptime":<time>')
      .replace(/dspt-[\w-]+/g, '<iuid>')
      .replace(/(127\.0\.2\.1:|"PORT":)\d+/g, '$1<port>')
  const { status, reason, headers, body } = response ?? { status: 0, reason: '', headers: {}, body: '' }
  const shown = { ...headers, ...('x-dc-boot' in headers && { 'x-dc-boot': '<boot>' }) }
  const unordered = name.startsWith('dispatcher.list') ? /\{[^{]*/g : /\{"name"[^}]*\}/g
  const isUnordered = name.startsWith('dispatcher.list') || name === 'begun.all'
  const pieces = isUnordered ? plain(body).match(unordered)?.sort() : plain(body)
  return {
    name,
    request: plain(request),
    status,
    reason,
    headers: shown,
    body: pieces,
  }
}

test.each([
  ['6.1', edgeReleases[0]],
  ['6.0', edgeReleases[1]],
  ['5.6', edgeReleases[2]],
] as const)('what is recorded of Kamailio %s is what a real one answers today', async (release, recorded) => {
  const { recordings } = await record(release)
  expect(recordings.map(lasting)).toEqual(edgeRecordingsOf(recorded).map(lasting))
})
