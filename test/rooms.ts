import { posix } from 'node:path'

/** A file of each room of the code. */
export const fileOf = {
  control: 'functions/control/errors.ts',
  contracts: 'functions/contracts/names.ts',
  ports: 'functions/ports/store.ts',
  stored: 'functions/stored/lists.ts',
  fleet: 'functions/fleet/settle.ts',
  drain: 'functions/drain/look.ts',
  intake: 'functions/intake/lift.ts',
  kamailio: 'functions/kamailio/json-rpc.ts',
  aws: 'functions/aws/rows.ts',
  runtime: 'functions/runtime/clock.ts',
  handlers: 'functions/handlers/commands.ts',
  lib: 'lib/app.ts',
  cli: 'cli/kdc.ts',
  lab: 'lab/demo.ts',
  bench: 'bench/cost.ts',
  test: 'test/memory/clock.ts',
}
export type RoomName = keyof typeof fileOf
export const roomNames = Object.keys(fileOf) as readonly RoomName[]

/** What the lint lets a room import. */
export interface Rule {
  readonly message: string
  /** besides itself; every other room is refused */
  readonly rooms: readonly RoomName[]
  /** no file of its own either */
  readonly notItself?: true
  readonly packages: readonly string[]
  readonly refusedPackages: readonly string[]
}

/** What comes in through ports only. */
const outside = ['zod', 'undici', '@aws-sdk/client-ssm', 'node:fs', 'node:crypto', 'node:timers/promises']

const rules: Readonly<Partial<Record<RoomName, Rule>>> = {
  control: {
    message: 'control/ is pure: it imports nothing but control/',
    rooms: [],
    packages: [],
    refusedPackages: [...outside, 'crypto'],
  },
  contracts: {
    message: 'contracts/ imports control/ and zod only',
    rooms: ['control'],
    packages: ['zod'],
    refusedPackages: ['undici', 'zod/mini', 'node:fs'],
  },
  ports: {
    message: 'ports/ are what the rest needs from outside: they import control/ and contracts/ only',
    rooms: ['control', 'contracts'],
    packages: [],
    refusedPackages: outside,
  },
  stored: {
    message: 'stored/ imports ports/, control/ and contracts/ only',
    rooms: ['control', 'contracts', 'ports'],
    packages: [],
    refusedPackages: outside,
  },
  fleet: {
    message:
      'fleet/ and drain/ meet only in the store: they import stored/, ports/, control/ and contracts/ only',
    rooms: ['control', 'contracts', 'ports', 'stored'],
    packages: [],
    refusedPackages: outside,
  },
  drain: {
    message:
      'fleet/ and drain/ meet only in the store: they import stored/, ports/, control/ and contracts/ only',
    rooms: ['control', 'contracts', 'ports', 'stored'],
    packages: [],
    refusedPackages: outside,
  },
  intake: {
    message: 'intake/ imports drain/, stored/, ports/, control/ and contracts/ only',
    rooms: ['control', 'contracts', 'ports', 'stored', 'drain'],
    packages: [],
    refusedPackages: outside,
  },
  kamailio: {
    message: 'kamailio/ implements ports: it imports ports/, control/, contracts/, undici, p-limit and zod',
    rooms: ['control', 'contracts', 'ports'],
    packages: ['undici', 'p-limit', 'zod'],
    refusedPackages: ['@aws-sdk/client-ssm', 'node:http'],
  },
  aws: {
    message: 'aws/ implements ports: it imports ports/, control/, contracts/, the AWS SDK, zlib and zod',
    rooms: ['control', 'contracts', 'ports'],
    packages: ['@aws-sdk/client-ssm', 'node:zlib', 'zod'],
    refusedPackages: ['undici', 'node:fs'],
  },
  runtime: {
    message: 'runtime/ constructs adapters; it never imports handlers, nor what stands beside functions/',
    rooms: ['control', 'contracts', 'ports', 'stored', 'fleet', 'drain', 'intake', 'kamailio', 'aws'],
    packages: ['undici'],
    refusedPackages: [],
  },
  handlers: {
    message: 'handlers/ are thin: contracts/, intake/, drain/, fleet/ and runtime/ only',
    rooms: ['contracts', 'intake', 'drain', 'fleet', 'runtime'],
    notItself: true,
    packages: ['aws-lambda'],
    refusedPackages: ['zod', 'undici', '@aws-sdk/client-ssm', 'node:fs'],
  },
  lib: {
    message: 'lib/ knows control/ and contracts/ only',
    rooms: ['control', 'contracts'],
    packages: ['aws-cdk-lib', 'node:fs'],
    refusedPackages: [],
  },
  cli: {
    message:
      'cli/ shows what is stored and sends commands: it imports control/, contracts/, ports/ and aws/ only',
    rooms: ['control', 'contracts', 'ports', 'aws'],
    packages: [
      ...['commander', 'yaml', 'zod', 'node:util', 'node:timers/promises'],
      '@modelcontextprotocol/server',
    ],
    refusedPackages: ['undici', '@aws-sdk/client-sts'],
  },
  lab: {
    message: "the referee doesn't use the player's code: lab/ knows contracts/ only",
    rooms: ['contracts'],
    packages: ['commander', 'node:fs'],
    refusedPackages: [],
  },
}

/** What the lint refuses, and allows, a room of the code to import: of each room a file is named. */
export interface Room {
  readonly message: string
  readonly refused: readonly string[]
  readonly allowed: readonly string[]
}

/** What a file in this folder may import: each of these files, one of each room, is allowed or refused. */
export function roomIn(
  folder: string,
  rule: Rule,
  files: readonly (readonly [file: string, isAllowed: boolean])[],
): Room {
  const paths = (allowed: boolean) =>
    files
      .filter(([, isAllowed]) => isAllowed === allowed)
      .map(([file]) => posix.relative(folder, file))
      .map((path) => (path.startsWith('.') ? path : `./${path}`))
  return {
    message: rule.message,
    refused: [...rule.refusedPackages, ...paths(false)],
    allowed: [...rule.packages, ...paths(true)],
  }
}

/** Those with a rule. */
export const rooms: Readonly<Record<string, Room>> = Object.fromEntries(
  roomNames.flatMap((own) => {
    const rule = rules[own]
    const folder = posix.dirname(fileOf[own])
    const isAllowed = (room: RoomName) =>
      room === own ? !rule?.notItself : rule?.rooms.includes(room) === true
    const files = roomNames.map((room) => [fileOf[room], isAllowed(room)] as const)
    return rule ? [[folder, roomIn(folder, rule, files)]] : []
  }),
)
