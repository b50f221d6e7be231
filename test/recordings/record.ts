import { readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { batchOf } from '../../functions/contracts/rpc.ts'
import { type KamailioRelease, kamailioReleases } from '../../lab/programs/program.ts'
import type { Edge } from '../../lab/sip/edge.ts'
import { type Lab, openLab } from '../kamailio/lab.ts'

/** One exchange with a real Kamailio that has our files; `headers` are those that say something. */
export interface EdgeRecording {
  readonly name: string
  readonly note?: string
  readonly request: string
  readonly generation?: string
  /** null: nothing came within 5 s */
  readonly response: {
    readonly status: number
    readonly reason: string
    readonly headers: Readonly<Record<string, string>>
    readonly body: string
  } | null
}

const line = (method: string, params: string, id = 1) =>
  `{"jsonrpc":"2.0","method":"${method}","params":${params},"id":${id}}`
const numbered = (...asked: readonly (readonly [method: string, params: string])[]) =>
  asked.map(([method, params], index) => line(method, params, index + 1))
const media = 'sip:127.0.2.1:5060'
const uptime = line('core.uptime', '[]')
const begun = (key: string) => line('htable.get', `["begun","${key}"]`)
const list = (mode = '') => line('dispatcher.list', `[${mode}]`)
const end = '["call","from","to"]'
const missing = '["held","sip:127.0.9.9"]'

/** What every method answers in a batch, and in which error it ends. */
const mixed = (uri: string) =>
  numbered(
    ['core.uptime', '[]'],
    ['core.version', '[]'],
    ['dispatcher.set_state', `["d",1,"${uri}"]`],
    ['dispatcher.set_state', '["d",1,"sip:127.0.9.9"]'],
    ['dispatcher.set_duid_state', '["a",1,"ms-a"]'],
    ['dispatcher.set_duid_state', '["a",1,"nobody"]'],
    ['htable.seti', `["held","${uri}",1]`],
    ['htable.get', `["held","${uri}"]`],
    ['htable.delete', `["held","${uri}"]`],
    ['htable.get', missing],
    ['htable.delete', missing],
    ['dlg.profile_get_size', `["dst","${uri}"]`],
    ['dlg.profile_get_size', '["src"]'],
    ['dlg.stats_active', '[]'],
    ['dlg.terminate_dlg', end],
  )

/** What is asked of an edge with all of our files. The destination at `uri` had two calls. */
const askedOfAll = (uri: string): readonly Asked[] => [
  ['single', uptime],
  ['single.rubbish', 'rubbish'],
  ['single.refused', line('core.kill', '[]')],
  ['single.not_json', uptime.replace('"id":1', '"id":007'), { note: 'the policy allows it' }],
  ['wrong_key', uptime, { key: 'the-wrong-secret' }],
  ['wrong_path', uptime, { path: '/other' }],
  ['batch.mixed', batchOf(mixed(uri))],
  [
    'batch.refused_line',
    batchOf(numbered(['core.uptime', '[]'], ['core.kill', '[]'], ['htable.seti', `["held","${uri}",1]`])),
  ],
  ['batch.101', batchOf(Array<string>(101).fill(uptime))],
  ['batch.crlf', batchOf([uptime, uptime]).replaceAll('\n', '\r\n')],
  ['batch.missing_comma', batchOf([uptime, uptime]).replace(',\n', '\n')],
  ['batch.empty', '[\n]'],
  ['body.too_large', uptime.padEnd(16_001)],
  [
    'batch.reply_too_long',
    batchOf(Array.from({ length: 99 }, (_, n) => line('dispatcher.list', '["full"]', n + 1))),
  ],
  ['about', line('htable.get', '["dc","about"]')],
  ['begun', begun(uri)],
  ['begun.total', begun('total')],
  ['begun.total_dst', begun('total:dst')],
  ['begun.missing', begun('sip:127.0.9.9')],
  ['begun.all', line('htable.dump', '["begun"]')],
  ['dispatcher.list', list()],
  ['dispatcher.list.full', list('"full"')],
  ['core.version', line('core.version', '[]')],
  ['dlg.stats_active', line('dlg.stats_active', '[]')],
  ['dlg.profile_get_size.dst', line('dlg.profile_get_size', '["dst"]')],
  ['dlg.profile_get_size.src', line('dlg.profile_get_size', '["src"]')],
  ['htable.get.missing', line('htable.get', missing)],
  ['generation.no_number', uptime, { generation: '7x' }],
  ['generation', uptime, { generation: '7' }],
  ['generation.stale', uptime, { generation: '6' }],
  [
    'generation.stale_batch',
    batchOf(numbered(['core.uptime', '[]'], ['core.version', '[]'])),
    { generation: '6' },
  ],
  ['generation.missing', line('htable.seti', `["held","${uri}",1]`)],
]

/** Of one that counts no calls, does not let them be ended, and looks at few lines. */
const askedOfLess: readonly Asked[] = [
  ['begun.no_table', begun('total')],
  ['begun.all.no_table', line('htable.dump', '["begun"]')],
  ['dlg.profile_get_size.no_profile', line('dlg.profile_get_size', '["dst"]')],
  [
    'batch.ending_refused',
    batchOf(numbered(['core.uptime', '[]'], ['dlg.terminate_dlg', end], ['htable.get', missing])),
  ],
  [
    'batch.ending_left_out',
    batchOf([line('core.uptime', '[]', 1), line('htable.get', missing, 3)]),
    { note: 'batch.ending_refused, sent once more without the refused line' },
  ],
  ['batch.max_while_loops', batchOf(Array<string>(11).fill(uptime)), { note: 'max_while_loops is 10' }],
]

/** Of one that has none of our files. */
const askedOfPlain: readonly Asked[] = [
  ['plain.single', uptime],
  ['plain.batch', batchOf([uptime, line('core.version', '[]', 2)]), { note: 'nothing of it was executed' }],
  ['plain.begun', begun('total')],
  ['plain.dlg.profile_get_size', line('dlg.profile_get_size', '["dst"]')],
]

const odd = [
  'sip:127.0.62.1:0',
  'sip:127.0.62.1:',
  'sip:*.invalid',
  'sip:127.0.62.1;x="q"',
  'sip:x.lab.test:0',
]
const names = 'name=fs1.lab.test;addr=127.0.2.88;type=A;ttl=86400;flags=0'
const oddName = 'name=x.lab.test;addr=127.0.2.89;type=A;ttl=86400;flags=0'
const resolving = (example: string) =>
  example
    .replace('dns=no', 'dns=on')
    .replace(
      'loadmodule "tm.so"',
      `loadmodule "corex.so"\n${[names, oddName].map((one) => `modparam("corex", "dns_cache", "${one}")\n`).join('')}loadmodule "tm.so"`,
    )

type Asked = readonly [
  name: string,
  body: string,
  more?: {
    readonly generation?: string
    readonly key?: string
    readonly path?: string
    readonly note?: string
  },
]

/**
 * Asks real edges of that release, with two real calls before.
 * @returns its version, e.g. `6.1.5`, and all exchanges in order
 */
export async function record(
  release: KamailioRelease,
): Promise<{ version: string; recordings: EdgeRecording[] }> {
  const lab = await openLab(release)
  try {
    const server = await lab.server('127.0.2.1')
    const other = { set: 2, uri: 'sip:127.0.2.9:5060' }
    const quiet = { dialogDb: false, pingSeconds: 600 }
    const all = await lab.edge({
      ...quiet,
      destinations: [{ set: 1, uri: server.uri, attrs: 'duid=ms-a' }, other],
      endsCalls: true,
    })
    await lab.place(all, { maxCalls: 2 })
    const less = await lab.edge({
      ...quiet,
      destinations: [{ set: 1, uri: media }],
      profiles: false,
      settings: { DC_MAX_WHILE_LOOPS: 10 },
    })
    const plain = await lab.edge({ plain: true, destinations: [{ set: 1, uri: media }] })
    const recordings = [
      ...(await exchanges(all, askedOfAll(server.uri))),
      ...(await exchanges(less, askedOfLess)),
      ...(await exchanges(plain, askedOfPlain)),
      ...(await ofAnOddList(lab, quiet)),
    ]
    const version = String(await all.call('core.version', []))
    return { version: /\d+\.\d+\.\d+/.exec(version)?.[0] ?? release, recordings }
  } finally {
    await lab.close()
  }
}

async function ofAnOddList(lab: Lab, quiet: object): Promise<EdgeRecording[]> {
  const uris = [media, 'sip:fs1.lab.test:5060', ...odd]
  const edge = await lab.edge({
    ...quiet,
    destinations: uris.map((uri) => ({ set: 1, uri })),
    edit: resolving,
  })
  return exchanges(edge, [
    ['dispatcher.list.odd', list()],
    ['dispatcher.list.odd.full', list('"full"')],
  ])
}

async function exchanges(edge: Edge, asked: readonly Asked[]): Promise<EdgeRecording[]> {
  const recorded: EdgeRecording[] = []
  for (const [name, body, more = {}] of asked) {
    const { note, generation } = more
    const response = await exchange(edge, body, more)
    recorded.push({
      name,
      ...(note !== undefined && { note }),
      request: body,
      ...(generation !== undefined && { generation }),
      response,
    })
  }
  return recorded
}

function exchange(edge: Edge, body: string, more: NonNullable<Asked[2]>): Promise<EdgeRecording['response']> {
  const { promise, resolve, reject } = Promise.withResolvers<EdgeRecording['response']>()
  const outgoing = request({
    host: edge.address,
    port: edge.rpcPort,
    path: more.path ?? '/rpc',
    method: 'POST',
    agent: false,
    headers: {
      'content-length': Buffer.byteLength(body),
      'x-rpc-key': more.key ?? edge.secret,
      ...(more.generation !== undefined && { 'x-dc-generation': more.generation }),
    },
    signal: AbortSignal.timeout(5000),
  })
  outgoing.on('error', (error: Error) => (error.name === 'AbortError' ? resolve(null) : reject(error)))
  outgoing.on('response', (incoming) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('error', reject)
    incoming.on('end', () => {
      const told = ['x-dc-boot', 'content-type'].flatMap((header) => {
        const value = incoming.headers[header]
        return typeof value === 'string' ? [[header, value] as const] : []
      })
      const { statusCode = 0, statusMessage = '' } = incoming
      resolve({
        status: statusCode,
        reason: statusMessage,
        headers: Object.fromEntries(told),
        body: Buffer.concat(chunks).toString(),
      })
    })
  })
  outgoing.end(body)
  return promise
}

if (import.meta.main) {
  for (const release of kamailioReleases) {
    const { version, recordings } = await record(release)
    const file = join(import.meta.dirname, `edge-${version}.json`)
    writeFileSync(file, `${JSON.stringify(recordings, undefined, 1)}\n`)
    console.log(`${file}: ${recordings.length} exchanges, ${readFileSync(file).length} bytes`)
  }
}
