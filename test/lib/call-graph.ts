import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

interface Source {
  /** the text of each top-level declaration, by its name */
  readonly declared: ReadonlyMap<string, string>
  /** where each imported name comes from, types aside */
  readonly imported: ReadonlyMap<string, { readonly file: string; readonly name: string }>
}

const read = new Map<string, Source>()

/**
 * The formatter's layout makes this exact enough: a declaration at the top level starts at the line's start.
 */
function source(file: string): Source {
  const known = read.get(file)
  if (known !== undefined) return known
  const text = readFileSync(file, 'utf8')
  const declared = new Map<string, string>()
  for (const part of text.split(/^(?=(?:export )?(?:async )?(?:function|const|class) )/m)) {
    const name = /^(?:export )?(?:async )?(?:function|const|class) (\w+)/.exec(part)?.[1]
    if (name !== undefined) declared.set(name, part.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, ''))
  }
  const imported = new Map<string, { file: string; name: string }>()
  for (const [, names = '', from = ''] of text.matchAll(/^import \{([^}]*)\} from '(\.[^']+)'/gm))
    for (const each of names.split(',').map((one) => one.trim())) {
      const [name = '', local = name] = each.split(' as ')
      if (name !== '' && !name.startsWith('type '))
        imported.set(local, { file: resolve(dirname(file), from), name })
    }
  const found = { declared, imported }
  read.set(file, found)
  return found
}

/**
 * Every declaration that the named one can reach, itself included, over all files that it imports from.
 * @returns their texts
 */
export function reachable(
  file: string,
  name: string,
  seen: Map<string, string> = new Map(),
): ReadonlyMap<string, string> {
  const key = `${file}:${name}`
  const { declared, imported } = source(file)
  const text = declared.get(name)
  if (text === undefined || seen.has(key)) return seen
  seen.set(key, text)
  for (const word of new Set(text.match(/\b[A-Za-z_]\w*\b/g))) {
    const from = imported.get(word)
    if (from !== undefined) reachable(from.file, from.name, seen)
    else if (word !== name) reachable(file, word, seen)
  }
  return seen
}
