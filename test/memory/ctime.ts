/** C's ctime() in UTC, e.g. `Sun Nov  1 20:16:46 2026`. */
export function ctime(epochMs: number): string {
  const [weekday = '', day = '', month, year, time] = new Date(epochMs).toUTCString().split(' ')
  return `${weekday.slice(0, 3)} ${month} ${String(Number(day)).padStart(2)} ${time} ${year}`
}
