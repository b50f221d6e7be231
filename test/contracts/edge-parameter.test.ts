import { expect, test } from 'vitest'
import { edgeParameter } from '../../functions/contracts/config.ts'

const accepted = (url: string) => edgeParameter.safeParse({ url }).success

test.each([
  'http://198.51.100.7:8080/rpc',
  'http://100.128.0.1/rpc',
  'http://172.32.0.1/rpc',
  'http://0xC0A90001/rpc',
  'http://[2001:db8::5]:8080/rpc',
  'http://[::ffff:198.51.100.7]/rpc',
])('an edge on a public address is not asked in clear: %s', (url) => {
  expect(accepted(url)).toBe(false)
  expect(accepted(url.replace('http:', 'https:'))).toBe(true)
})

test.each([
  'http://10.0.0.5:8080/rpc',
  'http://172.31.0.5/rpc',
  'http://192.168.0.5/rpc',
  'http://100.64.0.5/rpc',
  'http://169.254.0.5/rpc',
  'http://127.0.0.1:8080/rpc',
  'http://2130706433/rpc',
  'http://[fd00::5]:8080/rpc',
  'http://[FE80::5]/rpc',
  'http://[::1]/rpc',
  'http://edge-a.internal:8080/rpc',
])('on a private address, or under a name, it may be: %s', (url) => {
  expect(accepted(url)).toBe(true)
})
