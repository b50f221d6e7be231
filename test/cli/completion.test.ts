import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { server } from '../world/world.ts'
import { alice, kdcWorld } from './kdc-world.ts'

const unreached = { reach: () => Promise.reject(new Error('no network')) }

async function completed(line: string, world = kdcWorld(), at = {}) {
  const { code, out, err } = await world.kdc(`complete '${line}'`, at)
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return out.split('\n').slice(0, -1)
}

test.each([
  ['kdc dr', ['drain']],
  ['kdc get dest', ['destinations']],
  ['kdc --stack voice sta', ['status']],
  ['kdc status --wat', ['--watch']],
  ['kdc status --sta', ['--stack']],
  ['kdc get edges -o j', ['json', 'jsonl']],
  ['kdc activate x --source ', ['operator', 'alarm', 'retired']],
  ['kdc drain x -m "disk failing" --wait=d', ['--wait=drained']],
  ['kdc completion ', ['bash', 'zsh', 'fish']],
  ['kdc compl', ['completion']],
  ['kdc drain x -m ', []],
])('%s is completed from the commands and options that there are', async (line, words) => {
  expect(await completed(line, kdcWorld(), unreached)).toEqual(words)
})

test('names that only the deployment has are completed, and none where it does not answer', async () => {
  const world = kdcWorld()
  await world.kdc(`drain ${server} -m 'disk failing'`)
  expect(await completed('kdc reload ', world)).toEqual(['edge-a', 'edge-b'])
  expect(await completed('kdc explain sip:10.0.1.20', world)).toEqual([server])
  expect(await completed('kdc drain x -m why y sip:10.0.1.20', world)).toEqual([server])
  expect(await completed('kdc drain --group m', world)).toEqual(['media-servers'])
  expect(await completed('kdc drain --group=m', world)).toEqual(['--group=media-servers'])
  expect(await completed('kdc reload ', world, unreached)).toEqual([])
  const [hold = ''] = (await world.kdc('get holds -o jsonl')).out.split('\n')
  // It has a semicolon, which a shell wants quoted.
  expect(JSON.parse(hold).hold).toContain(`;udp/${alice}`)
  expect(await completed('kdc activate x --hold ', world)).toEqual([])
})

test('of a release the edges are completed that can be released, and not those that are configured', async () => {
  const world = kdcWorld()
  await world.world.settledAll()
  world.world.memory.fleet.list.splice(1, 1)
  await world.world.settle()
  expect(await completed('kdc release ', world)).toEqual(['edge-b'])
  expect(await completed('kdc may-restart ', world)).toEqual(['edge-a'])
})

test('the deployment that the line names is the one that is asked', async () => {
  const asked: object[] = []
  const reach = (...place: object[]) => {
    asked.push(place)
    return Promise.reject(new Error('enough'))
  }
  const contexts = 'lab: { stack: voice, region: eu-central-1 }'
  await completed('kdc --context lab --region us-east-1 reload ', kdcWorld(), { reach, contexts })
  await completed('kdc --context=lab --region=us-east-1 reload ', kdcWorld(), { reach, contexts })
  expect(asked).toEqual([1, 2].map(() => [{ stack: 'voice', region: 'us-east-1' }, 'at once']))
  expect(await completed('kdc --context=', kdcWorld(), { contexts })).toEqual(['--context=lab'])
  expect(await completed('kdc --context ', kdcWorld(), { contexts })).toEqual(['lab'])
})

describe('bash takes its script', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kdc-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const program = join(import.meta.dirname, '../../cli/kdc.ts')
  writeFileSync(join(folder, 'kdc'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`)
  chmodSync(join(folder, 'kdc'), 0o755)
  const env = { PATH: [folder, process.env['PATH']].join(delimiter) }
  const script = async () => {
    const file = join(folder, 'completion.bash')
    writeFileSync(file, (await kdcWorld().kdc('completion bash', unreached)).out)
    return file
  }

  async function inBash(line: string, before = ''): Promise<string[]> {
    const press = `COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}; _kdc; printf '%s\\n' "\${COMPREPLY[@]}"`
    const words = ['--norc', '-c', `. ${await script()}; complete -p kdc >&2; ${before} ${press}`]
    return execFileSync('bash', words, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .split('\n')
      .filter((word) => word !== '')
  }

  test('it asks kdc, and gets commands and choices', async () => {
    expect(await inBash('kdc hist')).toEqual(['history'])
    expect(await inBash('kdc status -o y')).toEqual(['yaml'])
  })

  test('it is given what is after its last colon or =, which it takes for another word', async () => {
    const answer = (word: string) => `kdc() { echo ${word}; };`
    expect(await inBash('kdc explain sip:10.0', answer('sip:10.0.1.20:5060'))).toEqual(['10.0.1.20:5060'])
    expect(await inBash('kdc drain x --wait=d', answer('--wait=drained'))).toEqual(['drained'])
  })
})
