import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'

/**
 * Follows a file that another program appends to.
 * @returns reads the whole lines that came since it was called last; none while there is no file
 */
export function followLines(path: string): () => readonly string[] {
  let read = 0
  let rest = ''
  return () => {
    if (!existsSync(path)) return []
    const file = openSync(path, 'r')
    try {
      const bytes = Buffer.alloc(fstatSync(file).size - read)
      read += readSync(file, bytes, 0, bytes.length, read)
      const lines = (rest + bytes.toString()).split('\n')
      rest = lines.pop() ?? ''
      return lines
    } finally {
      closeSync(file)
    }
  }
}
