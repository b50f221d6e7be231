import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import * as z from 'zod'
import { cacheDir } from '../programs/lab-cache.ts'
import { follow, type Order, OrderRefused, order, type Reach } from './orders.ts'

/** Points a shell's AWS programs at the lab: `. .lab/lab.env`. */
export const environmentFile = join(cacheDir, 'lab.env')
const doorFile = join(cacheDir, 'lab.json')
const answeredWithinMs = 30_000

const door = z.object({ pid: z.int(), begun: z.string(), socket: z.string() })
const answer = z.object({ lines: z.array(z.string()).optional(), refused: z.string().optional() })

/** No lab is up in this folder, or it does not answer. */
export class NoLab extends Error {
  override readonly name = 'NoLab'
}

/** @returns the pid of the lab that is up in this folder */
export function labThatIsUp(file = doorFile): number | undefined {
  return openDoor(file)?.pid
}

/** A lab that was killed leaves its file behind, and some other process may have its pid by then. */
function openDoor(file: string): z.output<typeof door> | undefined {
  if (!existsSync(file)) return undefined
  const found = door.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data
  return found && found.begun === processBegun(found.pid) ? found : undefined
}

/** @returns when it began, as proc(5) has it: `starttime` of its stat; undefined: there is no such process */
export function processBegun(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Its name is in parentheses, and may have any character in it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

/**
 * Takes orders for a lab, from whoever may open a socket of this user's.
 * @param stop is called when somebody has ordered it @returns closes it
 */
export async function openLabDoor(reach: Reach, stop: () => void): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'dispatcher-lab-'))
  const socket = join(folder, 'door')
  const server = createServer((asked, reply) => {
    const end = (status: number, body: z.input<typeof answer>) =>
      reply.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    const obeyed = async () => {
      const given = order.parse(await json(asked))
      if (given.name === 'stop') stop()
      else return follow(reach, given)
      return ['the lab stops']
    }
    obeyed().then(
      (lines) => end(200, { lines }),
      (error: Error) => end(error instanceof OrderRefused ? 409 : 500, { refused: error.message }),
    )
  })
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  const own = { pid: process.pid, begun: processBegun(process.pid), socket }
  writeFileSync(doorFile, JSON.stringify(own), { mode: 0o600 })
  const { emulator, autoScaling } = reach.world
  const environment = {
    ...emulator.env(),
    AWS_ENDPOINT_URL_AUTO_SCALING: autoScaling.endpoint,
    AWS_ENDPOINT_URL_EC2: autoScaling.endpoint,
  }
  const lines = [
    // With a profile in the environment the SDK looks at no keys there.
    'unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN',
    ...Object.entries(environment).map(([name, value]) => `export ${name}='${value}'`),
  ]
  writeFileSync(environmentFile, `${lines.join('\n')}\n`, { mode: 0o600 })
  return async () => {
    for (const file of [doorFile, environmentFile]) rmSync(file, { force: true })
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Gives an order to the lab that is up. @returns what came of it. @throws NoLab, OrderRefused */
export async function orderLab(given: Order): Promise<readonly string[]> {
  const open = openDoor(doorFile)
  if (!open) throw new NoLab('no lab is up in this folder: start one with npm run lab')
  const { lines, refused } = answer.parse(await asked(open.socket, given))
  if (refused !== undefined) throw new OrderRefused(refused)
  return lines ?? []
}

function asked(socketPath: string, given: Order): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const post = request({ socketPath, method: 'POST', path: '/', timeout: answeredWithinMs }, (reply) => {
      json(reply).then(resolve, reject)
    })
    post.on('timeout', () =>
      post.destroy(new NoLab('the lab did not answer within 30 s: look at its terminal')),
    )
    post.on('error', reject)
    post.end(JSON.stringify(given))
  })
}
