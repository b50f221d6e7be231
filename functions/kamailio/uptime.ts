import * as z from 'zod'

/** `{"now":"Sun Nov 22 20:16:50 2026","up_since":"Sun Nov 22 20:16:46 2026","uptime":4}` */
export const uptime = z.object({ up_since: z.string().min(1), uptime: z.int().min(0) })
