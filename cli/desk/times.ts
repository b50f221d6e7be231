import { exitCodes, Stop } from './exit-codes.ts'

const units = { s: 1, m: 60, h: 3600, d: 86_400 } as const
const isUnit = (text: string): text is keyof typeof units => text in units

/** @returns whole seconds of `90`, `90s`, `10m`, `2h` or `1d`. @throws Stop */
export function secondsOf(text: string, option: string): number {
  const [, number = '', unit = ''] = /^(\d{1,9})([smhd])?$/.exec(text) ?? []
  const seconds = Number(number) * (isUnit(unit) ? units[unit] : 1)
  if (number === '' || seconds === 0)
    throw new Stop(`${option} "${text}" is no time span: write 90s, 10m, 2h or 1d`, exitCodes.usage)
  return seconds
}

/** @returns the instant, as a command has it, of a time or of a span from now. @throws Stop */
export function instantOf(text: string, option: string, now: number): string {
  const at = /^\d+[smhd]$/.test(text) ? new Date(now + secondsOf(text, option) * 1000) : undefined
  if (at && !Number.isNaN(at.getTime())) return at.toISOString()
  // Date takes 30 February for 2 March.
  const isTime = /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:?\d\d)$/.test(text) && !Number.isNaN(Date.parse(text))
  if (isTime && isDay(text.slice(0, 10))) return new Date(text).toISOString()
  throw new Stop(
    `${option} "${text}" is no time: write 2026-11-28T06:00:00Z, or a span from now such as 2h`,
    exitCodes.usage,
  )
}

/** A time span in few characters: `45s`, `12m`, `3h 5m`, `2d 4h`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return `${seconds}s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return minutes % 60 === 0 ? `${hours}h` : `${hours}h ${minutes % 60}m`
  return hours % 24 === 0 ? `${Math.floor(hours / 24)}d` : `${Math.floor(hours / 24)}d ${hours % 24}h`
}

/** How far from now: `in 12m`, or `12m ago`. */
export function fromNow(at: number, now: number): string {
  return at > now ? `in ${span(at - now)}` : `${span(now - at)} ago`
}

/** A time as data has it, and as `--from` and `--until` take it: `2026-11-28T06:00:00Z`. */
export function isoTime(at: number): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z')
}

const dayMs = 86_400_000

export function isDay(text: string): boolean {
  const at = Date.parse(text)
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(at) && dayOf(at) === text
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}

/** @returns the UTC day that is named, or so many, today first */
export function daysBack(now: number, day: string | undefined, most: number): string[] {
  return day === undefined ? Array.from({ length: most }, (_, back) => dayOf(now - back * dayMs)) : [day]
}
