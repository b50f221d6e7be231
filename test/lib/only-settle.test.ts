import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { edgeAccessEnvironment, environment } from '../../functions/contracts/names.ts'
import type { Settings } from '../../functions/contracts/settings.ts'
import { bundleFunctions } from '../../lib/build.ts'
import { handlers } from '../../lib/handlers.ts'
import { exampleSettings, exampleTemplate, readable } from './synthesized.ts'

const root = join(import.meta.dirname, '../..')
mkdirSync(join(root, 'dist'), { recursive: true })
/** below the project, where packages are found */
const out = mkdtempSync(join(root, 'dist', 'only-settle-test-'))
afterAll(() => rmSync(out, { recursive: true, force: true }))
const built = await bundleFunctions(undefined, out)

/** The files that a deployed bundle was made of, from the project's root. */
function bundled(name: string): string[] {
  const map = z
    .object({ sources: z.array(z.string()) })
    .parse(JSON.parse(readFileSync(join(out, name, 'index.mjs.map'), 'utf8')))
  return map.sources.map((source) => relative(root, resolve(out, name, source)))
}

/**
 * What nobody needs but to say something to an edge or a media server, or to know where one is; words alone
 * (contracts/) say nothing.
 */
const forEdges =
  /^functions\/kamailio\/|\/(fleet|last-good-edges|secret|edge-tls|relay-transport|request-signer|edge-\w+)\.ts$|node_modules\/(undici|@aws-sdk\/client-ssm)\//
const others = built.filter((name) => name !== 'settle' && name !== 'edge-relay')

describe('only the settle function reaches an edge', () => {
  test('its bundle has the RPC client, the list of edges and their secret', () => {
    const files = bundled('settle')
    for (const file of ['kamailio/json-rpc.ts', 'aws/fleet.ts', 'aws/secret.ts', 'aws/edge-tls.ts'])
      expect(files).toContain(`functions/${file}`)
    expect(others.toSorted()).toEqual(
      Object.keys(handlers)
        .filter((name) => name !== 'settle')
        .toSorted(),
    )
  })

  test.each(others)('no other bundle contains the RPC client: %s', (name) => {
    const files = bundled(name)
    expect(files).toContain('functions/runtime/ports.ts')
    const ownRows = ['functions/aws/dynamo-edges.ts', 'functions/aws/edge-rows.ts']
    const own = files.filter(
      (file) =>
        !/^functions\/(contracts|control|ports|stored|intake|drain|fleet)\//.test(file) &&
        !ownRows.includes(file),
    )
    expect(own.filter((file) => forEdges.test(file))).toEqual([])
  })

  const place = { vpcId: 'vpc-1', subnetIds: ['subnet-1'] }
  test.each<[string, Settings['edgeAccess']]>([
    ['directly', { kind: 'direct', network: { ...place, securityGroupIds: ['sg-1'] } }],
    ['by VPC link', { kind: 'vpc-link', ...place, edges: { a: { address: '10.0.0.5', port: 8080 } } }],
    ['by relay', { kind: 'relay', ...place, networks: ['10.0.0.0/16'], port: 8080 }],
  ])(
    '%s: no other role may read its parameters or secrets, or use the way to it, and no other is told of it',
    (kind, edgeAccess) => {
      const template = exampleTemplate({ ...exampleSettings, edgeAccess })
      const policy = z.object({
        Properties: z.object({ Roles: z.tuple([z.unknown()]), PolicyDocument: z.unknown() }),
      })
      const reaching = Object.values(template.findResources('AWS::IAM::Policy')).flatMap((resource) => {
        const { Roles, PolicyDocument } = policy.parse(resource).Properties
        return /ssm:|kms:|execute-api:|NetworkInterface|EdgeAccessRelayFunction/.test(
          JSON.stringify(PolicyDocument),
        )
          ? [readable(Roles[0])]
          : []
      })
      const relay = kind === 'by relay' ? ['<EdgeAccessRelayRole>'] : []
      expect(reaching.toSorted()).toEqual(['<ControlSettleRole>', ...relay].toSorted())

      const told = new RegExp(
        [
          'VpcConfig',
          environment.edgesPath,
          environment.rpcSecretParameter,
          ...Object.values(edgeAccessEnvironment),
        ]
          .map((name) => `"${name}"`)
          .join('|'),
      )
      const functions = Object.entries(template.findResources('AWS::Lambda::Function'))
        .filter(([, properties]) => told.test(JSON.stringify(properties)))
        .map(([id]) => readable({ Ref: id }))
      expect(functions.toSorted()).toEqual(
        ['<ControlSettleFunction>', ...relay.map(() => '<EdgeAccessRelayFunction>')].toSorted(),
      )
    },
  )

  test('each other function may ask it by name', () => {
    const template = exampleTemplate()
    const asking = Object.values(template.findResources('AWS::IAM::Policy'))
      .map((resource) => JSON.stringify(resource))
      .filter((text) => text.includes('lambda:InvokeFunction') && text.includes('ControlSettleFunction'))
    const needing = Object.values(handlers).filter(({ needs }) =>
      (needs as readonly string[]).includes('settles'),
    )
    expect(asking).toHaveLength(needing.length)
    expect(needing).toHaveLength(Object.keys(handlers).length - 1)
  })
})
