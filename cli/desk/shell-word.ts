/** One word of a command line, and of one line of it. */
export function inShell(word: string): string {
  if (/\p{Cc}/u.test(word)) return `$'${word.replaceAll(/[\\'\p{Cc}]/gu, escaped)}'`
  return /^[\w.:/@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** As bash, zsh and ksh read it within `$'…'`. */
function escaped(character: string): string {
  return /\p{Cc}/u.test(character)
    ? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
    : `\\${character}`
}
