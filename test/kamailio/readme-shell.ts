import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { KamailioProgram } from '../../lab/programs/program.ts'

const [own = '', ...namespaces] = 'unshare --user --map-root-user --net --pid --fork --kill-child'.split(' ')

/** Enough for a restart of Kamailio on a busy machine. */
const patienceMs = 20_000

/** One bash that goes on from block to block, as the terminal of somebody who follows a document. */
export interface Shell {
  /** Runs commands. @returns what they printed @throws CommandFailed when the last one of them failed */
  readonly run: (commands: string) => Promise<string>
  readonly close: () => void
}

/**
 * Commands ended with another status than 0, did not end, or ended the shell; the message has what they
 * printed.
 */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
}

/**
 * Opens a bash with the address 10.0.0.10 and processes of its own: closing it ends all that was started
 * there. `set -e` holds, so that each command counts. Programs of `bin` come first.
 */
export async function openShell(
  dir: string,
  bin: string,
  env: Readonly<Record<string, string>>,
): Promise<Shell> {
  const output = join(dir, 'output')
  const child = spawn(own, [...namespaces, 'bash', '--noprofile', '--norc'], {
    env: { ...process.env, ...env, PATH: `${bin}:${process.env['PATH']}:/usr/sbin:/sbin` },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const replies = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const run = async (commands: string) => {
    writeFileSync(output, '')
    child.stdin.write(`{\n${commands}\n} > '${output}' 2>&1 < /dev/null\necho done\n`)
    const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs)
    const { value } = await replies.next()
    clearTimeout(timer)
    const printed = readFileSync(output, 'utf8')
    if (value === 'done') return printed
    const what = child.killed ? `a command took longer than ${patienceMs} ms` : 'a command failed'
    throw new CommandFailed(`${what}. All that was printed:\n${printed}`)
  }
  await run(
    [
      'set -e',
      'ip link set lo up',
      'ip addr add 10.0.0.10/32 dev lo',
      // Other machines: reachable, but no interface has their address.
      'ip route add local 10.0.0.0/16 dev lo',
    ].join('\n'),
  )
  return { run, close: () => child.stdin.end() }
}

/** Programs under the names that a machine with this Kamailio installed has them. */
export function installPrograms(bin: string, kamailio: KamailioProgram, run: string, config: string): void {
  const [loader = '', option = '', libraries = '', program = ''] = kamailio.argv
  const kamcmd = [loader, option, libraries, join(dirname(program), 'kamcmd')]
  const control = `unix:${join(run, 'kamailio_ctl')}`
  const start = [
    ...kamailio.argv,
    '-f',
    join(config, 'kamailio.cfg'),
    '-DD',
    '-E',
    '-Y',
    run,
    '-P',
    `${run}/pid`,
  ]
  const programs = {
    kamailio: `exec ${quoted(kamailio.argv)} "$@"`,
    // It ends with 0 when the RPC answers an error, which would be taken for a command that works.
    kamcmd: [
      `answer=$(${quoted(kamcmd)} -s '${control}' "$@") || exit`,
      'echo "$answer"',
      '[[ $answer != error:* ]]',
    ].join('\n'),
    // Stands for systemd, which is in no network namespace: `restart` comes back when Kamailio answers.
    systemctl: [
      '[ "$*" = "restart kamailio" ] || exit 64',
      `if [ -f '${run}/pid' ]; then`,
      `  before=$(cat '${run}/pid')`,
      '  kill "$before"',
      '  for n in {1..60}; do kill -0 "$before" 2> /dev/null || break; sleep 0.05; done',
      // As systemd does with one that does not go: it and its workers, which are one process group.
      '  kill -KILL -- "-$before" 2> /dev/null || true',
      'fi',
      `rm -f '${run}'/*`,
      `setsid ${quoted(start)} >> '${run}.log' 2>&1 < /dev/null &`,
      'kamailio=$!',
      `until kamcmd core.uptime > /dev/null 2>&1; do`,
      `  kill -0 $kamailio 2> /dev/null || { tail -n 20 '${run}.log'; exit 1; }`,
      '  sleep 0.05',
      'done',
    ].join('\n'),
    // Debian's units log to the journal.
    journalctl: `[ "$*" = "-u kamailio" ] || exit 64\nexec cat '${run}.log'`,
  }
  for (const [name, text] of Object.entries(programs))
    writeFileSync(join(bin, name), `#!/bin/bash\n${text}\n`, { mode: 0o755 })
}

function quoted(argv: readonly string[]): string {
  return argv.map((argument) => `'${argument}'`).join(' ')
}
