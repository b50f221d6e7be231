import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, test } from 'vitest'
import { eventTypes } from '../../functions/contracts/names.ts'
import { eventBody, eventNames } from '../contracts/event-files.ts'
import { some } from '../present.ts'
import { kdcWorld } from './kdc-world.ts'

const unreached = { reach: () => Promise.reject(new Error('nobody asks for a deployment')) }

async function schemaOf(line: string) {
  const { kdc } = kdcWorld()
  const { code, out, err } = await kdc(`schema ${line}`, unreached)
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return JSON.parse(out)
}
/** Whoever checks by the schema takes it. */
const takerOf = (schema: object) => new Ajv2020({ strict: false, validateFormats: false }).compile(schema)
const json = (name: string): unknown => JSON.parse(eventBody(name))

test('the schema of a command takes each sample, and none with a key, a target or a version that is wrong', async () => {
  const takes = takerOf(await schemaOf('command'))
  for (const name of some(eventNames().filter((each) => each.startsWith('command-'))))
    expect({ name, taken: takes(json(name)) }).toEqual({ name, taken: true })
  for (const name of ['unknown-key', 'no-target', 'destination-and-instance', 'version', 'no-id', 'deadline'])
    expect({ name, taken: takes(json(`bad/command-${name}`)) }).toEqual({ name, taken: false })
})

test('the schema of a command takes no destination that is too long for a key of the table', async () => {
  const takes = takerOf(await schemaOf('command'))
  const drainOf = (length: number) => ({
    ...{ version: 1, id: 'a', command: 'drain', reason: 'r', requestedBy: 'alice' },
    destination: `sip:${'a'.repeat(length - 4)}`,
  })
  expect([345, 346].map((length) => takes(drainOf(length)))).toEqual([true, false])
})

test('the schema of the settings takes the example, also one that names its schema, and no misspelt key', async () => {
  const takes = takerOf(await schemaOf('settings'))
  const example: object = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../dispatcher-control.json'), 'utf8'),
  )
  expect(takes({ $schema: './settings.schema.json', ...example })).toBe(true)
  expect(takes({ ...example, edgePath: '/a' })).toBe(false)
})

test('the schema of an event is found by its type, however it is written, and all by none', async () => {
  const schema = await schemaOf('event drain-started')
  expect(schema).toEqual(JSON.parse(eventBody('schemas/drain-started')))
  expect(await schemaOf("event 'Drain Started'")).toEqual(schema)
  expect(Object.keys(await schemaOf('event'))).toEqual(Object.values(eventTypes))
  const { kdc } = kdcWorld()
  expect(await kdc('schema event drained', unreached)).toMatchObject({
    code: 2,
    err: expect.stringContaining('no event is called "drained"; there are: Drain Started'),
  })
})
