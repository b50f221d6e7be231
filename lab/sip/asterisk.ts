import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { freePort } from '../programs/free-port.ts'
import { startChild, untilReady } from '../programs/leash.ts'
import type { AsteriskProgram } from '../programs/program.ts'
import { answersOptions, type MediaServer, type SippLab } from './calls.ts'

export interface AsteriskSpec {
  readonly name: string
  /** 127.0.2.x */
  readonly address: string
  readonly asterisk: AsteriskProgram
  /** Of its HTTP interface. */
  readonly user: string
  readonly password: string
}

/** A real Asterisk: answers every call and holds it until the BYE. */
export interface AsteriskServer extends MediaServer {
  /** Base of its HTTP interface (ARI), e.g. `http://127.0.2.7:8088/ari`; basic authentication. */
  readonly ariUrl: string
  /** Its own count of the calls it has, read from `/channels`. @throws when it doesn't answer within 3 s */
  readonly channels: () => Promise<number>
}

const channelList = z.array(z.object({ id: z.string() }))

/**
 * Starts Asterisk on ports of its own and waits until it answers OPTIONS and its HTTP interface is up. Its
 * event lines (invite, answered, bye; by its own clock, with the Call-ID) come from the dialplan and go to
 * the ledger like SIPp's.
 * @throws ChildExited, ChildNotReady with the end of Asterisk's log
 */
export async function startAsterisk(lab: Omit<SippLab, 'sipp'>, spec: AsteriskSpec): Promise<AsteriskServer> {
  const dir = join(lab.runDir, spec.name)
  const events = join(lab.runDir, `${spec.name}.events`)
  const port = await freePort(spec.address)
  const httpPort = await freePort(spec.address)
  for (const folder of ['etc', 'var', 'run', 'log', 'spool'])
    mkdirSync(join(dir, folder), { recursive: true })
  for (const [file, text] of Object.entries(configuration(spec, dir, events, port, httpPort)))
    writeFileSync(join(dir, 'etc', file), text)
  writeFileSync(events, '')
  const child = await startChild({
    name: spec.name,
    runDir: lab.runDir,
    argv: [...spec.asterisk.argv, '-f', '-C', join(dir, 'etc/asterisk.conf')],
  })
  const closed = lab.ledger.follow({ name: spec.name, side: 'server', file: events })
  void child.exited.then(closed)
  const ariUrl = `http://${spec.address}:${httpPort}/ari`
  const authorization = `Basic ${Buffer.from(`${spec.user}:${spec.password}`).toString('base64')}`
  const channels = async () => {
    const reply = await fetch(`${ariUrl}/channels`, {
      headers: { authorization },
      signal: AbortSignal.timeout(3000),
    })
    if (!reply.ok) throw new Error(`${spec.name}: GET /channels answered ${reply.status}`)
    return channelList.parse(await reply.json()).length
  }
  await untilReady(
    child,
    async () => (await answersOptions(spec.address, port)) && (await channels()) === 0,
    30_000,
  )
  return {
    name: spec.name,
    address: spec.address,
    port,
    uri: `sip:${spec.address}:${port}`,
    ariUrl,
    channels,
    alive: child.alive,
    stop: () => child.stop(),
    kill: () => child.kill(),
  }
}

function configuration(spec: AsteriskSpec, dir: string, events: string, port: number, httpPort: number) {
  return {
    'asterisk.conf': `[directories]
astetcdir => ${dir}/etc
astmoddir => ${spec.asterisk.moduleDir}
astvarlibdir => ${dir}/var
astdbdir => ${dir}/var
astkeydir => ${dir}/var
astdatadir => ${spec.asterisk.dataDir}
astagidir => ${dir}/var
astspooldir => ${dir}/spool
astrundir => ${dir}/run
astlogdir => ${dir}/log
[options]
live_dangerously = yes
nocolor = yes
`,
    'modules.conf': `[modules]
autoload = yes
${[
  'chan_iax2',
  'chan_sip',
  'chan_unistim',
  'chan_skinny',
  'chan_mgcp',
  'pbx_dundi',
  'res_phoneprov',
  'res_stun_monitor',
]
  .map((name) => `noload = ${name}.so\n`)
  .join('')}`,
    'logger.conf': '[general]\n[logfiles]\nconsole => error,warning\n',
    'http.conf': `[general]
enabled = yes
bindaddr = ${spec.address}
bindport = ${httpPort}
`,
    'ari.conf': `[general]
enabled = yes
[${spec.user}]
type = user
read_only = yes
password = ${spec.password}
`,
    'rtp.conf': '[general]\nrtpstart=30000\nrtpend=30999\n',
    'pjsip.conf': `[global]
type = global
endpoint_identifier_order = anonymous
[udp]
type = transport
protocol = udp
bind = ${spec.address}:${port}
[anonymous]
type = endpoint
context = calls
disallow = all
allow = ulaw
media_address = ${spec.address}
bind_rtp_to_media_address = yes
`,
    'extensions.conf': dialplan(events),
  }
}

/** Answers each call, and writes down what comes of it. */
function dialplan(events: string): string {
  // FILE() appends to existing files only; each line is written and closed at once.
  const line = (kind: string) => `Set(FILE(${events},,,al,u)=\${STRFTIME(,,%s.%3q)} ${kind} \${CALLID})`
  return `[general]
[calls]
exten => _[A-Za-z0-9].,1,Set(CALLID=\${CHANNEL(pjsip,call-id)})
 same => n,${line('invite')}
 same => n,Set(CHANNEL(hangup_handler_push)=ended,s,1)
 same => n,Answer()
 same => n,${line('answered')}
 same => n,Wait(86400)
[ended]
exten => s,1,${line('bye')}
 same => n,Return()
`
}
