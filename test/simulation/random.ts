/**
 * Random draws from a seed (sfc32): the same seed draws the same on every machine. A history is drawn once,
 * and running it draws nothing.
 */
export class Draws {
  private readonly seed: string
  private readonly next: () => number

  constructor(seed: string) {
    this.seed = seed
    this.next = sfc32(seed)
  }

  /**
   * A generator of its own for a part with a name, so that one part can be drawn longer without changing the
   * others.
   */
  part(name: string): Draws {
    return new Draws(`${this.seed}/${name}`)
  }

  /** @returns a whole number, both ends included */
  int(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1))
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.int(0, choices.length - 1)] ?? choices[0]
  }

  /** One of the names, each as often as its weight says. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries(weights) as [K, number][]
    const [first] = entries
    if (!first) throw new Error('nothing to choose from')
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [name, weight] of entries) {
      left -= weight
      if (left < 0) return name
    }
    return first[0]
  }

  /** As many as drawn, each made by `make`. */
  several<T>(least: number, most: number, make: (index: number) => T): T[] {
    return Array.from({ length: this.int(least, most) }, (_, index) => make(index))
  }
}

function sfc32(seed: string): () => number {
  const state = new Uint32Array(4)
  let hash = 0x811c9dc5
  for (let word = 0; word < 4; word += 1) {
    for (const character of `${word}:${seed}`)
      hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193)
    state[word] = hash
  }
  let [a = 0, b = 0, c = 0, d = 0] = state
  const step = () => {
    const sum = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + sum) | 0
    return (sum >>> 0) / 4294967296
  }
  for (let warm = 0; warm < 15; warm += 1) step()
  return step
}
