import { posix } from 'node:path'
import { fileOf, type Room, type Rule, roomIn, roomNames } from './rooms.ts'

/** Of a room within `lab` or `cli`. */
interface InnerRule<Name> extends Rule {
  /** the rooms of the same folder besides itself; every other one is refused */
  readonly inner: readonly Name[]
}

/** A file of each room of `lab`. */
const labFileOf = {
  programs: 'lab/programs/leash.ts',
  'auto-scaling': 'lab/auto-scaling/auto-scaling.ts',
  plan: 'lab/plan/fleet-plan.ts',
  sip: 'lab/sip/edge.ts',
  emulator: 'lab/emulator/emulator.ts',
  referee: 'lab/referee/referee.ts',
  world: 'lab/world/world.ts',
  scenarios: 'lab/scenarios/scenario.ts',
  playground: 'lab/playground/door.ts',
}
type LabRoomName = keyof typeof labFileOf
const labRoomNames = Object.keys(labFileOf) as readonly LabRoomName[]

/** Without `contracts`, which is what the lab knows of the player. */
const noneOfOurs = { rooms: [], packages: ['node:fs', 'zod'], refusedPackages: [] } as const
const knowsContracts = { ...noneOfOurs, rooms: ['contracts'] } as const
const belowTheWorld = ['programs', 'auto-scaling', 'plan', 'sip', 'emulator', 'referee'] as const

const labRules: Readonly<Record<LabRoomName, InnerRule<LabRoomName>>> = {
  programs: {
    message: "lab/programs/ brings the lab's programs: it imports nothing else of ours",
    ...noneOfOurs,
    inner: [],
  },
  'auto-scaling': {
    message: 'lab/auto-scaling/ is Auto Scaling as AWS documents it: it imports nothing else of ours',
    ...noneOfOurs,
    inner: [],
  },
  plan: {
    message: 'lab/plan/ imports contracts/ and lab/auto-scaling/ only',
    ...knowsContracts,
    inner: ['auto-scaling'],
  },
  sip: {
    message: 'lab/sip/ imports lab/plan/ and lab/programs/ only',
    ...noneOfOurs,
    inner: ['plan', 'programs'],
  },
  emulator: {
    message: 'lab/emulator/ imports contracts/, lab/auto-scaling/ and lab/programs/ only',
    ...knowsContracts,
    inner: ['auto-scaling', 'programs'],
  },
  referee: {
    message: 'lab/referee/ judges what lab/sip/ saw: it imports nothing else of ours',
    ...noneOfOurs,
    inner: ['sip'],
  },
  world: {
    message: 'lab/world/ starts what is below it: of lab/ it imports neither scenarios/ nor playground/',
    ...knowsContracts,
    inner: belowTheWorld,
  },
  scenarios: {
    message: "lab/scenarios/ play in the world: of lab/ they don't import playground/",
    ...knowsContracts,
    inner: [...belowTheWorld, 'world'],
  },
  playground: {
    message: 'lab/playground/ imports contracts/ and the other rooms of lab/ only',
    ...knowsContracts,
    inner: [...belowTheWorld, 'world', 'scenarios'],
  },
}

/** A file of each room of `cli`. */
const cliFileOf = {
  desk: 'cli/desk/desk.ts',
  reach: 'cli/reach/reach.ts',
  views: 'cli/views/look-around.ts',
  show: 'cli/show/show-fleet.ts',
  read: 'cli/read/history.ts',
  write: 'cli/write/send-command.ts',
  doctor: 'cli/doctor/doctor.ts',
  dlq: 'cli/dlq/dlq.ts',
  mcp: 'cli/mcp/mcp.ts',
}
type CliRoomName = keyof typeof cliFileOf
const cliRoomNames = Object.keys(cliFileOf) as readonly CliRoomName[]

/** Only `reach` has the clients of AWS. */
const overTheDesk = {
  rooms: ['control', 'contracts', 'ports', 'aws'],
  packages: ['commander', 'yaml', 'zod', 'node:util', '@modelcontextprotocol/server'],
  refusedPackages: ['undici', '@aws-sdk/client-sts'],
} as const

const cliRules: Readonly<Record<CliRoomName, InnerRule<CliRoomName>>> = {
  desk: {
    message: 'cli/desk/ is what each command stands on: it imports no other room of cli/',
    ...overTheDesk,
    inner: [],
  },
  reach: {
    message: 'cli/reach/ finds a deployment, and has the clients of AWS: of cli/ it imports desk/ only',
    ...overTheDesk,
    packages: [...overTheDesk.packages, '@aws-sdk/client-sts'],
    refusedPackages: ['undici'],
    inner: ['desk'],
  },
  views: {
    message: 'cli/views/ makes plain data of what is stored: of cli/ it imports desk/ only',
    ...overTheDesk,
    inner: ['desk'],
  },
  show: {
    message: 'cli/show/ is for people: of cli/ it imports desk/ and views/ only',
    ...overTheDesk,
    inner: ['desk', 'views'],
  },
  read: {
    message: 'cli/read/ changes nothing: of cli/ it imports desk/, views/ and show/ only',
    ...overTheDesk,
    inner: ['desk', 'views', 'show'],
  },
  write: {
    message: 'cli/write/ sends commands: of cli/ it imports desk/, views/, show/ and read/ only',
    ...overTheDesk,
    inner: ['desk', 'views', 'show', 'read'],
  },
  doctor: {
    message: 'cli/doctor/ judges a deployment: of cli/ it imports desk/ and views/ only',
    ...overTheDesk,
    inner: ['desk', 'views'],
  },
  dlq: {
    message: 'cli/dlq/ is about dead letters: of cli/ it imports desk/ and write/ only',
    ...overTheDesk,
    inner: ['desk', 'write'],
  },
  mcp: {
    message: 'cli/mcp/ is for agents: of cli/ it imports neither reach/ nor dlq/',
    ...overTheDesk,
    inner: ['desk', 'views', 'show', 'read', 'write', 'doctor'],
  },
}

/** The rooms within a folder, in the order of their names. */
function innerRooms<Name extends string>(
  names: readonly Name[],
  files: Readonly<Record<Name, string>>,
  ruleOf: Readonly<Record<Name, InnerRule<Name>>>,
): Readonly<Record<string, Room>> {
  return Object.fromEntries(
    names.map((own) => {
      const rule = ruleOf[own]
      const folder = posix.dirname(files[own])
      const inside = names.map((name) => [files[name], name === own || rule.inner.includes(name)] as const)
      const others = roomNames.map((room) => [fileOf[room], rule.rooms.includes(room)] as const)
      return [folder, roomIn(folder, rule, [...inside, ...others])]
    }),
  )
}

/** The rooms of `lab`, each with a rule of its own; what stands beside them in the folder uses them all. */
export const labRooms = innerRooms(labRoomNames, labFileOf, labRules)
/** The same of `cli`. */
export const cliRooms = innerRooms(cliRoomNames, cliFileOf, cliRules)
