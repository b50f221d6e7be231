import { expect, test } from 'vitest'
import { parseDeployment } from '../../functions/contracts/deployment.ts'
import { deployment } from '../cli/deployment.ts'

test('what a later release adds to the parameter is let pass, and what is missing is named', () => {
  expect(parseDeployment(JSON.stringify({ ...deployment, alarms: [] }))).toEqual(deployment)
  const { table: _, ...rest } = deployment
  expect(() => parseDeployment(JSON.stringify(rest))).toThrow('deployment: table: is missing')
  expect(() => parseDeployment(JSON.stringify({ ...deployment, version: 2 }))).toThrow(
    'is not a known version',
  )
  expect(() => parseDeployment('edge-a')).toThrow('not JSON')
})
