import { expect, test } from 'vitest'
import { edgeAccessEnvironment, environment as names } from '../../functions/contracts/names.ts'
import { InvalidConfiguration } from '../../functions/control/errors.ts'
import { readEdgeEnvironment } from '../../functions/runtime/edge-environment.ts'
import { readEnvironment } from '../../functions/runtime/environment.ts'
import { memoryConfig } from '../memory/ports.ts'
import { some } from '../present.ts'
import { edgeVariables, functionVariables } from './function-environment.ts'

const good = {
  ...functionVariables,
  [names.queue]: 'https://sqs.eu-central-1.amazonaws.com/123456789012/commands.fifo',
  [names.deadLetterQueue]: 'https://sqs.eu-central-1.amazonaws.com/123456789012/dead.fifo',
}
const messageOf = (read: () => unknown) => {
  try {
    read()
    return 'none'
  } catch (error) {
    if (!(error instanceof InvalidConfiguration)) throw error
    return String(error)
  }
}
const problemsOf = (...args: Parameters<typeof readEnvironment>) => messageOf(() => readEnvironment(...args))
const edgeProblemsOf = (values: Readonly<Record<string, string>>) =>
  messageOf(() => readEdgeEnvironment(values))

test('a right environment is read whole, defaults included', () => {
  const environment = readEnvironment({ ...good, PATH: '/bin' }, { queued: true })
  expect(environment.config.timers).toMatchObject({ failoverWindowSeconds: 10, rpcTimeoutSeconds: 3 })
  expect(environment).toMatchObject({
    table: 'control-table',
    stateMachineArn: good[names.stateMachine],
    settleFunction: 'settle-1',
    queueUrl: good[names.queue],
    deadLetterQueueUrl: good[names.deadLetterQueue],
  })
})

test("the routes' ids are told apart, and no route is not one without a name", () => {
  const routes = { [edgeAccessEnvironment.routes]: 'edge-a,edge-b' }
  expect(readEdgeEnvironment({ ...edgeVariables, ...routes }).edgeRoutes).toEqual(['edge-a', 'edge-b'])
  expect(readEdgeEnvironment(edgeVariables).edgeRoutes).toBeUndefined()
})

test('our side of TLS is three parameters or a CA alone, and what is no such thing is named', () => {
  const tls = edgeAccessEnvironment.tls
  const all = { caParameter: '/tls/ca', certificateParameter: '/tls/client', keyParameter: '/tls/key' }
  for (const edgeTls of [all, { caParameter: '/tls/ca' }])
    expect(readEdgeEnvironment({ ...edgeVariables, [tls]: JSON.stringify(edgeTls) }).edgeTls).toEqual(edgeTls)
  expect(readEdgeEnvironment(edgeVariables).edgeTls).toBeUndefined()
  const { keyParameter: _key, ...alone } = all
  for (const [value, problem] of [
    ['planted-secret', `- ${tls}: is not JSON`],
    ['{}', `- ${tls}.caParameter: is missing`],
    [JSON.stringify(alone), `- ${tls}: needs certificateParameter and keyParameter together, or neither`],
  ] as const)
    expect(edgeProblemsOf({ ...edgeVariables, [tls]: value })).toContain(problem)
})

test('an empty environment names every variable that is missing, in one error', () => {
  const text = problemsOf({}, { queued: true })
  const { edgesPath, rpcSecretParameter, ...others } = names
  for (const name of some(Object.values(others))) expect(text).toContain(`- ${name}: is missing`)
  for (const name of some(Object.keys(edgeVariables)))
    expect(edgeProblemsOf({})).toContain(`- ${name}: is missing`)
  for (const name of [edgesPath, rpcSecretParameter]) expect(text).not.toContain(name)
})

test('every problem of every variable is listed together, those inside the configuration with their path', () => {
  const [group] = memoryConfig.groups
  const groups = [{ ...group, deadlinePolicy: undefined }, group, { name: 'x' }]
  const broken = { ...memoryConfig, groups, surprise: true }
  const text = problemsOf({
    ...good,
    [names.config]: JSON.stringify(broken),
    [names.table]: 'no table!',
    [names.eventBus]: '',
    [names.stateMachine]: 'drain',
  })
  for (const problem of [
    `- ${names.config}.groups.0.deadlinePolicy: is missing`,
    `- ${names.config}.groups.2.terminateHook: is missing`,
    `- ${names.config}.surprise: is not a known key`,
    `- ${names.table}: is not a table's name`,
    `- ${names.eventBus}: is empty`,
    `- ${names.stateMachine}: is not a state machine's ARN`,
  ])
    expect(text).toContain(problem)
})

test('the settle function says the same of its own variables', () => {
  const text = edgeProblemsOf({
    ...edgeVariables,
    [names.table]: 'no table!',
    [names.edgesPath]: '/control/edges/',
  })
  expect(text).toContain(`- ${names.table}: is not a table's name`)
  expect(text).toContain(`- ${names.edgesPath}: must start with a slash and not end with one`)
})

test('a configuration that is not JSON is said, without its text', () => {
  const text = problemsOf({ ...good, [names.config]: 'planted-secret' })
  expect(text).toContain(`- ${names.config}: is not JSON`)
  expect(text).not.toContain('planted-secret')
})

test('only a function that works off a queue needs to know it and its dead-letter queue', () => {
  const { [names.queue]: _queue, [names.deadLetterQueue]: _deadLetters, ...without } = good
  expect(problemsOf(without)).toBe('none')
  for (const name of [names.queue, names.deadLetterQueue])
    expect(problemsOf(without, { queued: true })).toContain(`- ${name}: is missing`)
  expect(problemsOf({ ...good, [names.deadLetterQueue]: 'dead' })).toContain(
    `- ${names.deadLetterQueue}: is not a queue's URL`,
  )
})
