/** A person counts an emoji of several code points as one character, and a terminal does. */
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const isAscii = /^[ -~]*$/

/** Two columns: emoji, and what East Asian Width (UAX #11) calls wide, but for a few symbols. */
const wide =
  /^(?:\p{RGI_Emoji}|[[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]--[\uff61-\uffdc]])/v

/** @returns how many columns of a terminal a text takes */
export function widthOf(text: string): number {
  if (isAscii.test(text)) return text.length
  return [...graphemes.segment(text)].reduce((sum, { segment }) => sum + columnsOf(segment), 0)
}

function columnsOf(grapheme: string): number {
  return wide.test(grapheme) ? 2 : 1
}

/** @returns the text, or its beginning and `…`, within so many columns; no character of it is halved */
export function cutTo(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  let kept = ''
  let left = columns - 1
  for (const { segment } of graphemes.segment(text)) {
    left -= columnsOf(segment)
    if (left < 0) break
    kept += segment
  }
  return `${kept}…`
}
