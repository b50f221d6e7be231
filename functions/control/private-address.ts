/**
 * Whether an address belongs to a private network, the machine or its link (RFC 1918, 4193, 6598; loopback;
 * link-local). IPv6 as URLs write it, without brackets.
 */
export function isPrivateAddress(address: string): boolean {
  return /^(10\.|127\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd][0-9a-f]{2}:|fe[89ab][0-9a-f]:|::1$)/.test(
    address,
  )
}

/** Whether an IPv4 network such as `10.0.0.0/16` is private from its first address to its last. */
export function isPrivateNetwork(cidr: string): boolean {
  const [base = '', length = ''] = cidr.split('/')
  const address = base.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0)
  const size = 2 ** (32 - Number(length))
  const first = address - (address % size)
  return [first, first + size - 1].every((end) =>
    isPrivateAddress([24, 16, 8, 0].map((bits) => Math.floor(end / 2 ** bits) % 256).join('.')),
  )
}
