import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { cliRooms, labRooms } from './inner-rooms.ts'
import { type Diagnostic, lintPlanted, lintTimeoutMs } from './planted.ts'
import { rooms } from './rooms.ts'

/** Every form in which one file can lean on another; each is planted on a line of its own. */
const forms = {
  import: (from: string) => `import { a } from '${from}'`,
  'type import': (from: string) => `import type { B } from '${from}'`,
  'import for its effect': (from: string) => `import '${from}'`,
  're-export': (from: string) => `export { c } from '${from}'`,
  're-export of all': (from: string) => `export * from '${from}'`,
  'dynamic import': (from: string) => `export const d = (use: unknown, _: B) => import('${from}') && use(a)`,
}
const formNames = Object.keys(forms)

const effects: Record<string, string> = {
  'Date.now()': 'Date',
  'new Date()': 'Date',
  'performance.now()': 'performance',
  'setTimeout(() => 1, 1)': 'setTimeout',
  'setInterval(() => 1, 1)': 'setInterval',
  'setImmediate(() => 1)': 'setImmediate',
  'queueMicrotask(() => 1)': 'queueMicrotask',
  'process.env': 'process',
  "fetch('https://example.com')": 'fetch',
  'crypto.randomUUID()': 'crypto',
  'console.log(1)': 'console',
  'Math.random()': 'Math.random',
  "['a'].map(Math.random)": 'Math.random',
}
const pureRooms = ['control', 'stored', 'fleet', 'drain', 'intake'].map((room) => `functions/${room}`)

/**
 * How the second file of a circle imports the first. In lab/ types count too: such files can only be read and
 * moved together.
 */
const circles = {
  'functions/control': "import { one } from './circle-one.ts'",
  lib: "import { one } from './circle-one.ts'",
  lab: "import type { One } from './circle-one.ts'",
}

const innerRooms = { lab: labRooms, cli: cliRooms }
const places = { ...rooms, ...labRooms, ...cliRooms }
const root = join(import.meta.dirname, '..')
let diagnostics: readonly Diagnostic[] = []

const planted = (room: string, kind: 'refused' | 'allowed', index: number) =>
  `${room}/planted-${kind}-${index}.ts`

beforeAll(() => {
  const imports = Object.entries(places).flatMap(([room, lists]) =>
    (['refused', 'allowed'] as const).flatMap((kind) =>
      lists[kind].map(
        (from, index) =>
          [planted(room, kind, index), Object.values(forms).map((form) => form(from))] as const,
      ),
    ),
  )
  const effectLines = Object.keys(effects).map((effect, index) => `export const e${index} = ${effect}`)
  diagnostics = lintPlanted([
    ...imports,
    ...pureRooms.map((room) => [`${room}/effects.ts`, effectLines] as const),
    ...Object.entries(circles).flatMap(([room, back]) => [
      [`${room}/circle-one.ts`, ["import { two } from './circle-two.ts'"]] as const,
      [`${room}/circle-two.ts`, [back]] as const,
    ]),
  ])
}, lintTimeoutMs)

function found(path: string, category: string): Diagnostic[] {
  return diagnostics.filter((each) => each.location.path === path && each.category === category)
}

describe.each(Object.entries(places))('%s', (room, { message, refused, allowed }) => {
  it.each(refused.map((from, index) => [from, index] as const))(
    'is refused %s in every form',
    (from, index) => {
      const hits = found(planted(room, 'refused', index), 'lint/style/noRestrictedImports')
      const refusedForms = hits.map((hit) => formNames[hit.location.start.line - 1])
      expect({ from, forms: refusedForms.sort() }).toEqual({ from, forms: [...formNames].sort() })
      expect(new Set(hits.map((hit) => hit.message))).toEqual(new Set([message]))
    },
  )

  it.each(allowed.map((from, index) => [from, index] as const))('may import %s', (_, index) => {
    expect(found(planted(room, 'allowed', index), 'lint/style/noRestrictedImports')).toEqual([])
  })
})

it.each(Object.keys(circles))('%s has no circle of imports', (room) => {
  for (const file of ['one', 'two'])
    expect(found(`${room}/circle-${file}.ts`, 'lint/suspicious/noImportCycles')).toHaveLength(1)
})

describe.each(pureRooms)('%s knows no global effects', (room) => {
  it.each(Object.entries(effects).map(([effect, name], index) => [effect, name, index] as const))(
    '%s is refused',
    (_, name, index) => {
      const category = name === 'Math.random' ? 'plugin' : 'lint/style/noRestrictedGlobals'
      const hits = found(`${room}/effects.ts`, category).filter(
        (hit) => hit.location.start.line === index + 1,
      )
      expect(hits.map((hit) => hit.message)).toEqual([
        name === 'Math.random'
          ? 'control/, stored/, fleet/, drain/ and intake/ are deterministic: pass ids and randomness in'
          : `Do not use the global variable ${name}.`,
      ])
    },
  )
})

describe('the tree', () => {
  const tracked = spawnSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' })
    .stdout.split('\n')
    .filter((path) => path !== '' && existsSync(join(root, path)))
  const sources = tracked
    .filter((path) => /\.[cm]?[jt]s$/.test(path))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
  const lines = (text: string) => text.split('\n').length - 1

  it('was found', () => {
    expect(sources.length).toBeGreaterThan(50)
  })

  it('has no file named util, helper, common or misc', () => {
    const vague = /(^|[-._])(utils?|helpers?|common|misc)([-._]|$)/i
    expect(tracked.filter((path) => vague.test(basename(path)))).toEqual([])
  })

  it('has no source file over 300 lines', () => {
    expect(sources.filter(({ text }) => lines(text) > 300).map(({ path }) => path)).toEqual([])
  })

  it('has no handler over 80 lines', () => {
    const handlers = sources.filter(({ path }) => path.startsWith('functions/handlers/'))
    expect(handlers.length).toBeGreaterThan(0)
    expect(handlers.filter(({ text }) => lines(text) > 80).map(({ path }) => path)).toEqual([])
  })

  it('has no room of functions/ without a rule', () => {
    const folders = sources.map(({ path }) => /^functions\/[^/]+(?=\/)/.exec(path)?.[0])
    expect(new Set(folders.filter((folder) => folder !== undefined))).toEqual(
      new Set(Object.keys(rooms).filter((room) => room.startsWith('functions/'))),
    )
  })

  it.each(Object.entries(innerRooms))('has no room of %s/ without a rule', (folder, inner) => {
    const folders = sources.map(({ path }) => new RegExp(`^${folder}/[^/]+(?=/)`).exec(path)?.[0])
    expect(new Set(folders.filter((each) => each !== undefined))).toEqual(new Set(Object.keys(inner)))
  })

  it.each(Object.entries(innerRooms))(
    'has no circle of rooms in %s/: each may import only those before it',
    (_, inner) => {
      const names = Object.keys(inner).map((room) => basename(room))
      const later = Object.values(inner).flatMap(({ allowed }, index) =>
        names.slice(index + 1).filter((name) => allowed.some((from) => from.startsWith(`../${name}/`))),
      )
      expect(later).toEqual([])
    },
  )

  it.each(Object.entries(rooms))(
    '%s imports no room that its `allowed` does not name',
    (room, { allowed }) => {
      const names = [...Object.keys(rooms), 'bench', 'test'].map((each) => basename(each))
      const roomsIn = (text: string) =>
        [...text.matchAll(/'(?:\.\.\/)+(?:functions\/)?([\w-]+)\//g)].map(([, name = '']) => name)
      const known = new Set(roomsIn(allowed.map((from) => `'${from}'`).join()))
      const imported = sources
        .filter(({ path }) => path.startsWith(`${room}/`))
        .flatMap(({ text }) => roomsIn((text.match(/^.* from '.*'$/gm) ?? []).join()))
      expect(imported.filter((name) => names.includes(name) && !known.has(name))).toEqual([])
    },
  )

  it('takes no detour round the import rule, which reads paths as they are written', () => {
    const detour = /(?:from|import)\s*\(?\s*['"](?:\.\/\.\.|[^'"]*[^./'"]\/\.\.)/
    expect(sources.filter(({ text }) => detour.test(text)).map(({ path }) => path)).toEqual([])
    const computed = /\bimport\(\s*[^'"\s)]/
    const ours = sources.filter(({ path }) => /^(functions|lib)\//.test(path))
    expect(ours.filter(({ text }) => computed.test(text)).map(({ path }) => path)).toEqual([])
  })

  it('keeps its rooms flat: a file one floor down would be outside its room’s rule', () => {
    const rooms = /^(functions\/[^/]+|cli\/[^/]+|lib)\/.+\//
    expect(sources.map(({ path }) => path).filter((path) => rooms.test(path))).toEqual([])
  })

  it('reaches no global through globalThis where effects are refused', () => {
    const pure = sources.filter(({ path }) => pureRooms.some((room) => path.startsWith(`${room}/`)))
    expect(pure.filter(({ text }) => /\bglobalThis\b/.test(text)).map(({ path }) => path)).toEqual([])
  })
})
