/** Something between an edge, or the table, and our functions. */
export interface Interposed {
  /** what our functions are told instead of the URL behind it */
  readonly url: string
  readonly close: () => Promise<void>
}
