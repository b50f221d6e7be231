import { expect, test } from 'vitest'
import { verifiedSender } from '../../functions/control/sender.ts'

const user = 'AIDAJQABLZS4A3QDU576Q'
const role = 'AROAJQABLZS4A3QDU576Q'

test.each([
  { sent: user, named: user },
  { sent: `${role}:deploy-17`, named: role },
  { sent: `${role}:alice@example.com`, named: `${role}:alice@example.com` },
  { sent: '123456789012:bob', named: '123456789012:bob' },
])('the settings name $sent by $named, and the id stays as it was sent', ({ sent, named }) => {
  expect(verifiedSender(sent, [{ id: named, name: 'known' }])).toEqual({ id: sent, name: 'known' })
})

test('the name of one session goes before that of its role', () => {
  const known = [
    { id: role, name: 'operators' },
    { id: `${role}:alice`, name: 'Alice' },
  ]
  expect(verifiedSender(`${role}:alice`, known).name).toBe('Alice')
  expect(verifiedSender(`${role}:bob`, known).name).toBe('operators')
})

test.each([
  { sent: `${role}:bob`, named: `${role}:alice` },
  { sent: `${role}X:bob`, named: role },
  { sent: `${user}:${role}`, named: user },
  { sent: '123456789012:bob', named: '123456789012' },
  { sent: 'AIDAOTHER', named: user },
])('$sent is not $named', ({ sent, named }) => {
  expect(() => verifiedSender(sent, [{ id: named, name: 'known' }])).toThrow(`SenderId ${sent} is not among`)
})
