/** The Kamailio releases that the lab knows, newest first. */
export const kamailioReleases = ['6.1', '6.0', '5.6'] as const
export type KamailioRelease = (typeof kamailioReleases)[number]

/** A program to start: its arguments follow `argv`. */
export interface Program {
  readonly argv: readonly string[]
}

export interface KamailioProgram extends Program {
  readonly release: KamailioRelease
  /** The SQL that makes the dialog module's SQLite tables. */
  readonly dialogSchema: string
  /**
   * The package's own `/etc/kamailio` with Debian's stock kamailio.cfg, as it was built.
   * Undefined for the machine's own Kamailio, whose files somebody may have edited.
   */
  readonly stockConfigDir?: string
  /** Whether Lua scripts run (`app_lua`): a package of its own, taken with 6.1 only. */
  readonly lua: boolean
}

export interface AsteriskProgram extends Program {
  readonly moduleDir: string
  readonly dataDir: string
}
