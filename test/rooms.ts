/** What comes in through ports only. */
const outside = [
  ...['zod', 'undici', '@aws-sdk/client-ssm', 'node:fs', 'node:crypto', 'node:timers/promises'],
  ...['../kamailio/json-rpc.ts', '../aws/rows.ts', '../runtime/clock.ts', '../handlers/commands.ts'],
  ...['../../lib/app.ts', '../../lab/demo.ts', '../../test/memory/clock.ts'],
]

/**
 * What the lint refuses, and allows, a room of the code to import. Of each room that it may import a file is
 * named.
 */
interface Room {
  readonly message: string
  readonly refused: readonly string[]
  readonly allowed: readonly string[]
}

export const rooms: Record<string, Room> = {
  'functions/control': {
    message: 'control/ is pure: it imports nothing but control/',
    refused: [
      ...['zod', '@aws-sdk/client-ssm', 'node:fs', 'node:crypto', 'crypto', 'node:timers/promises'],
      ...['../contracts/names.ts', '../ports/store.ts', '../kamailio/json-rpc.ts', '../aws/rows.ts'],
      ...['../runtime/clock.ts', '../handlers/commands.ts'],
      ...['../../lib/app.ts', '../../lab/demo.ts', '../../test/memory/clock.ts'],
    ],
    allowed: ['./errors.ts'],
  },
  'functions/contracts': {
    message: 'contracts/ imports control/ and zod only',
    refused: [
      ...['undici', 'zod/mini', 'node:fs', '../ports/store.ts', '../kamailio/json-rpc.ts', '../aws/rows.ts'],
      ...['../runtime/clock.ts', '../handlers/commands.ts', '../../lib/app.ts', '../../lab/demo.ts'],
    ],
    allowed: ['zod', './names.ts', '../control/errors.ts'],
  },
  'functions/ports': {
    message: 'ports/ are what the rest needs from outside: they import control/ and contracts/ only',
    refused: [
      ...outside,
      ...['../stored/lists.ts', '../fleet/settle.ts', '../drain/look.ts', '../intake/lift.ts'],
    ],
    allowed: ['./store.ts', '../control/errors.ts', '../contracts/names.ts'],
  },
  'functions/stored': {
    message: 'stored/ imports ports/, control/ and contracts/ only',
    refused: [...outside, ...['../fleet/settle.ts', '../drain/look.ts', '../intake/lift.ts']],
    allowed: ['./lists.ts', '../ports/store.ts', '../control/errors.ts', '../contracts/names.ts'],
  },
  'functions/fleet': {
    message:
      'fleet/ and drain/ meet only in the store: they import stored/, ports/, control/ and contracts/ only',
    refused: [...outside, ...['../drain/look.ts', '../intake/lift.ts']],
    allowed: [
      './settle.ts',
      '../stored/lists.ts',
      '../ports/store.ts',
      '../control/errors.ts',
      '../contracts/names.ts',
    ],
  },
  'functions/drain': {
    message:
      'fleet/ and drain/ meet only in the store: they import stored/, ports/, control/ and contracts/ only',
    refused: [...outside, ...['../fleet/settle.ts', '../intake/lift.ts']],
    allowed: [
      './look.ts',
      '../stored/lists.ts',
      '../ports/store.ts',
      '../control/errors.ts',
      '../contracts/names.ts',
    ],
  },
  'functions/intake': {
    message: 'intake/ imports drain/, stored/, ports/, control/ and contracts/ only',
    refused: [...outside, ...['../fleet/settle.ts']],
    allowed: [
      './lift.ts',
      '../drain/start-drain.ts',
      '../stored/lists.ts',
      '../ports/store.ts',
      '../control/errors.ts',
      '../contracts/names.ts',
    ],
  },
  'functions/kamailio': {
    message: 'kamailio/ implements ports: it imports ports/, control/, contracts/, undici, p-limit and zod',
    refused: [
      ...['@aws-sdk/client-ssm', 'node:http', '../fleet/settle.ts', '../aws/rows.ts', '../runtime/clock.ts'],
      ...['../handlers/commands.ts', '../../lib/app.ts', '../../lab/demo.ts'],
    ],
    allowed: [
      'undici',
      'p-limit',
      'zod',
      '../ports/store.ts',
      '../control/errors.ts',
      '../contracts/names.ts',
    ],
  },
  'functions/aws': {
    message: 'aws/ implements ports: it imports ports/, control/, contracts/, the AWS SDK, zlib and zod',
    refused: [
      ...['undici', 'node:fs', '../fleet/settle.ts', '../kamailio/json-rpc.ts', '../runtime/clock.ts'],
      ...['../handlers/commands.ts', '../../lib/app.ts', '../../lab/demo.ts'],
    ],
    allowed: [
      '@aws-sdk/client-ssm',
      'node:zlib',
      'zod',
      '../ports/store.ts',
      '../control/errors.ts',
      '../contracts/names.ts',
    ],
  },
  'functions/runtime': {
    message: 'runtime/ constructs adapters; it never imports handlers, lib or lab',
    refused: [
      '../handlers/commands.ts',
      '../../lib/app.ts',
      '../../lab/demo.ts',
      '../../test/memory/clock.ts',
    ],
    allowed: [
      'undici',
      '../aws/rows.ts',
      '../kamailio/json-rpc.ts',
      '../intake/lift.ts',
      '../drain/look.ts',
      '../fleet/settle.ts',
      '../stored/lists.ts',
      '../ports/store.ts',
      '../control/errors.ts',
      '../contracts/names.ts',
    ],
  },
  'functions/handlers': {
    message: 'handlers/ are thin: contracts/, intake/, drain/, fleet/ and runtime/ only',
    refused: [
      ...['zod', 'undici', '@aws-sdk/client-ssm', 'node:fs', './commands.ts', '../control/errors.ts'],
      ...['../kamailio/json-rpc.ts', '../aws/rows.ts', '../../lib/app.ts', '../../lab/demo.ts'],
    ],
    allowed: [
      ...['../contracts/names.ts', '../intake/lift.ts', '../drain/look.ts', '../fleet/settle.ts'],
      ...['../runtime/clock.ts', 'aws-lambda'],
    ],
  },
  lib: {
    message: 'lib/ knows control/ and contracts/ only',
    refused: [
      ...['../functions/ports/store.ts', '../functions/kamailio/json-rpc.ts', '../functions/aws/rows.ts'],
      ...['../functions/runtime/clock.ts', '../functions/handlers/commands.ts', '../lab/demo.ts'],
      '../test/memory/clock.ts',
    ],
    allowed: [
      'aws-cdk-lib',
      'node:fs',
      './app.ts',
      '../functions/control/workflow.ts',
      '../functions/contracts/names.ts',
    ],
  },
  cli: {
    message:
      'cli/ shows what is stored and sends commands: it imports control/, contracts/, ports/ and aws/ only',
    refused: [
      ...['undici', '../functions/stored/lists.ts', '../functions/kamailio/json-rpc.ts'],
      ...['../functions/fleet/settle.ts', '../functions/drain/look.ts', '../functions/intake/lift.ts'],
      ...['../functions/runtime/clock.ts', '../functions/handlers/commands.ts', '../lib/app.ts'],
      ...['../lab/demo.ts', '../test/memory/clock.ts'],
    ],
    allowed: [
      ...['commander', 'yaml', 'zod', '@aws-sdk/client-sts', 'node:util', 'node:timers/promises'],
      '@modelcontextprotocol/server',
      ...['./program.ts', '../functions/control/errors.ts', '../functions/contracts/names.ts'],
      ...['../functions/ports/store.ts', '../functions/aws/dynamo-store.ts'],
    ],
  },
  lab: {
    message: "the referee doesn't use the player's code: lab/ knows contracts/ only",
    refused: [
      ...[
        '../functions/control/errors.ts',
        '../functions/ports/store.ts',
        '../functions/kamailio/json-rpc.ts',
      ],
      ...['../functions/aws/rows.ts', '../functions/runtime/clock.ts', '../functions/handlers/commands.ts'],
      ...['../lib/app.ts', '../test/memory/clock.ts'],
    ],
    allowed: ['commander', 'node:fs', './demo.ts', '../functions/contracts/names.ts'],
  },
}
