import { expect, test } from 'vitest'
import { isPrivateNetwork } from '../../functions/control/private-address.ts'

test.each(['10.0.0.0/8', '10.9.0.0/24', '172.16.0.0/12', '192.168.1.0/24', '100.64.0.0/10', '127.0.0.1/32'])(
  '%s is private from end to end',
  (cidr) => expect(isPrivateNetwork(cidr)).toBe(true),
)

test.each(['0.0.0.0/0', '10.0.0.0/7', '10.0.0.0/1', '172.16.0.0/11', '192.168.0.0/15', '8.8.8.0/24'])(
  '%s holds public addresses',
  (cidr) => expect(isPrivateNetwork(cidr)).toBe(false),
)
