import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  allowedRequests,
  batchLimits,
  batchOf,
  edgePattern,
  isAllowedBody,
  isAllowedRequest,
  requestsOf,
  rpcMethods,
} from '../../functions/contracts/rpc.ts'
import { methodRules } from '../../functions/kamailio/rpc-methods.ts'
import { some } from '../present.ts'

const cfg = readFileSync(join(import.meta.dirname, '../../kamailio/rpc.cfg'), 'utf8')

/** The lines of one route block. */
function route(name: string): string[] {
  const [, body = ''] = new RegExp(`^route\\[${name}\\] \\{\\n([^]*?)\\n\\}$`, 'm').exec(cfg) ?? []
  return body.split('\n').map((line) => line.trim())
}

/** A string literal as Kamailio's own reader takes it: an escape that it does not know stays as it is. */
function unescaped(literal: string): string {
  const known: Readonly<Record<string, string>> = {
    n: '\n',
    r: '\r',
    a: '\x07',
    t: '\t',
    '"': '"',
    '\\': '\\',
  }
  return literal.replace(/\\(?:x([0-9a-f]{1,2})|([0-7]{2,3})|(.))/gi, (all, hex, octal, other) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8))
    return known[other] ?? all
  })
}

function patternsIn(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const [, literal] = /\$var\(dc_line\) =~ "((?:[^"\\]|\\.)*)"/.exec(line) ?? []
    return literal === undefined ? [] : [unescaped(literal)]
  })
}

const line = (method: string, params: string, id: string | number = 7) =>
  `{"jsonrpc":"2.0","method":"${method}","params":[${params}],"id":${id}}`

describe("the edge's list of allowed requests is ours", () => {
  const lines = route('DISPATCHER_CONTROL_RPC_ALLOWED')
  const from = lines.indexOf('#!ifdef DC_RPC_END_CALLS')
  const to = lines.indexOf('#!endif')
  // Two methods of one line stand in the order of the protocol, which factors their common part out.
  const alike = (pattern: string) =>
    pattern
      .replace('core\\.version|core\\.uptime', 'core\\.(version|uptime)')
      .replace('(htable\\.get|htable\\.delete)', 'htable\\.(get|delete)')
  const ours = (endsCalls: boolean) =>
    allowedRequests
      .filter((request) => (request.endsCalls ?? false) === endsCalls)
      .map(edgePattern)
      .map(alike)

  test('the same patterns in the same order, those that end calls only where calls may be ended', () => {
    expect(from).toBeGreaterThan(0)
    expect(to).toBeGreaterThan(from)
    expect(patternsIn(lines.slice(0, from))).toEqual(ours(false))
    expect(patternsIn(lines.slice(from, to))).toEqual(ours(true))
    expect(patternsIn(lines.slice(to))).toEqual([])
  })

  test('nothing else lets a request through', () => {
    const statements = lines.filter((text) => text !== '' && !text.startsWith('#'))
    expect(statements.pop()).toBe('return -1;')
    const condition = expect.stringMatching(/^if \(\$var\(dc_line\) =~ "\^\\\{.*\\\}\$"\)$/)
    expect(statements).toEqual(allowedRequests.flatMap(() => [condition, 'return 1;']))
  })

  test('what the edge takes for a write is what we take for one', () => {
    const [pattern = '', ...more] = patternsIn(route('DISPATCHER_CONTROL_RPC_IS_WRITE'))
    expect(more).toEqual([])
    const isWrite = new RegExp(pattern, 'i')
    for (const method of some(rpcMethods))
      expect([method, isWrite.test(line(method, ''))]).toEqual([method, methodRules[method].write])
  })
})

const uri = '"sip:10.0.1.20:5060"'

describe('one request', () => {
  test.each([
    ['dispatcher.reload', ''],
    ['dlg.stats_active', ''],
    ['core.version', ''],
    ['core.uptime', ''],
    ['dispatcher.list', ''],
    ['dispatcher.list', '"short"'],
    ['dispatcher.list', '"full"'],
    ['dispatcher.set_state', `"dp",0,${uri}`],
    ['dispatcher.set_state', '"d",1,"SIP:10.0.1.20:5060"'],
    ['dispatcher.set_state', '"ip",1,"sips:[2001:db8::1]:5061;transport=tls"'],
    ['dispatcher.set_state', '"a",1,"sip:münchen.example"'],
    ['dispatcher.set_duid_state', '"d",1,"ms-a"'],
    ['dlg.profile_get_size', '"dst"'],
    ['dlg.profile_get_size', '"src","10.0.1.20"'],
    ['htable.get', `"held",${uri}`],
    ['htable.delete', `"held",${uri}`],
    ['htable.seti', '"held","SIP:10.0.1.20",1'],
    ['htable.get', '"begun","total"'],
    ['htable.get', '"dc","about"'],
    ['dlg.profile_list', `"dst",${uri}`],
    ['dlg.terminate_dlg', '"a b@x","from","to"'],
  ])('%s [%s] is allowed', (method, params) => {
    expect(isAllowedRequest(line(method, params))).toBe(true)
    expect(isAllowedBody(line(method, params))).toBe(true)
  })

  test.each([
    ['a whole set', line('dispatcher.set_state', '"d",1,"all"')],
    ['a whole set in capitals', line('dispatcher.set_state', '"d",1,"ALL"')],
    ['a set as a string, which is read as 0', line('dispatcher.set_state', `"d","1",${uri}`)],
    ['a set below 0', line('dispatcher.set_state', `"d",-1,${uri}`)],
    ['a state that is a word', line('dispatcher.set_state', `"drain",1,${uri}`)],
    ['inactive for good, as disabled and probing in one', line('dispatcher.set_state', `"ipp",1,${uri}`)],
    ['a state as a number', line('dispatcher.set_state', `1,1,${uri}`)],
    ['what is no SIP URI', line('dispatcher.set_state', '"d",1,"tel:+12025550100"')],
    [
      'a scheme with a letter that only looks like an s',
      line('dispatcher.set_state', '"d",1,"ſip:10.0.1.20"'),
    ],
    ['an empty duid', line('dispatcher.set_duid_state', '"d",1,""')],
    ['a quote in a string', line('dispatcher.set_state', '"d",1,"sip:a\\"b"')],
    ['a quote that ends a string', line('dispatcher.set_state', '"d",1,"sip:a","b"')],
    ['a backslash', line('htable.get', '"begun","a\\u0041"')],
    ['a tab', line('htable.get', '"begun","a\tb"')],
    ['a zero byte', line('htable.get', '"begun","a\0b"')],
    ['a DEL', line('htable.get', '"begun","a\x7fb"')],
    ['a line end in a string', line('htable.get', '"begun","a\nb"')],
    ['a second key', line('core.uptime', '').replace('"method"', '"method":"core.kill","method"')],
    ['a second key behind', line('core.uptime', '').replace('}', ',"method":"core.kill"}')],
    ['the keys in another order', '{"jsonrpc":"2.0","id":7,"method":"core.uptime","params":[]}'],
    ['a space', line('core.uptime', '').replace(':"core', ': "core')],
    ['a space before it', ` ${line('core.uptime', '')}`],
    ['a space behind it', `${line('core.uptime', '')} `],
    ['a line end behind it', `${line('core.uptime', '')}\n`],
    ['two requests', line('core.uptime', '') + line('core.uptime', '')],
    ['a parameter too many', line('core.uptime', '"more"')],
    ['a parameter too few', line('dispatcher.set_state', '"d",1')],
    ['another mode of a list', line('dispatcher.list', '"all"')],
    ['another profile', line('dlg.profile_get_size', '"caller"')],
    ['another table', line('htable.get', '"secrets","x"')],
    ['our own table, but for what it says of itself', line('htable.get', '"dc","boot"')],
    ['a write to the counters', line('htable.seti', '"begun","total",1')],
    ['a write to our own table', line('htable.delete', '"dc","generation"')],
    ['another value in the guard', line('htable.seti', `"held",${uri},0`)],
    ['a method that we never use', line('dispatcher.remove', `1,${uri}`)],
    ['a dot that is another character', line('coreXuptime', '')],
    ['an id that is a string', line('core.uptime', '', '"7"')],
    ['an id below 0', line('core.uptime', '', -7)],
    ['another version', line('core.uptime', '').replace('2.0', '2x0')],
    ['nothing', ''],
    ['no JSON', 'rubbish'],
  ])('%s is refused', (_what, text) => {
    expect(isAllowedRequest(text)).toBe(false)
    expect(isAllowedBody(text)).toBe(false)
    expect(isAllowedBody(batchOf([line('core.version', ''), text]))).toBe(false)
  })
})

describe('a batch', () => {
  const many = (count: number) => Array.from({ length: count }, (_, id) => line('core.uptime', '', id))
  const two = batchOf(many(2))

  test('is JSON, is read back as it was written, and is allowed up to its limits', () => {
    for (const count of [1, 2, batchLimits.requests]) {
      const body = batchOf(many(count))
      expect(JSON.parse(body)).toHaveLength(count)
      expect(requestsOf(body)).toEqual(many(count))
      expect(isAllowedBody(body)).toBe(true)
    }
  })

  test('of 101 requests is refused', () => {
    expect(isAllowedBody(batchOf(many(101)))).toBe(false)
  })

  test.each(['a', 'é'])('is refused past 16,000 bytes, counted as bytes (%s)', (letter) => {
    const sized = (bytes: number) => {
      const filler = letter.repeat(Math.floor((bytes - 150) / Buffer.byteLength(letter)))
      const body = (more: string) =>
        batchOf([line('core.uptime', ''), line('htable.get', `"begun","${filler}${more}"`)])
      return body('x'.repeat(bytes - Buffer.byteLength(body(''))))
    }
    expect(Buffer.byteLength(sized(16_000))).toBe(16_000)
    expect(isAllowedBody(sized(16_000))).toBe(true)
    expect(isAllowedBody(sized(16_001))).toBe(false)
  })

  test.each([
    ['CRLF', two.replaceAll('\n', '\r\n')],
    ['one CR', two.replace(',\n', ',\r\n')],
    ['a missing comma', two.replace(',\n', '\n')],
    ['an extra comma', two.replace('\n]', ',\n]')],
    ['two commas', two.replace(',\n', ',,\n')],
    ['no end', two.replace('\n]', '')],
    ['an end that is not a line', two.replace('\n]', ']')],
    ['a line behind its end', `${two}\n`],
    ['no line before its first request', two.replace('[\n', '[')],
    ['an empty line', two.replace(',\n', ',\n\n')],
    ['nothing in it', '[\n]'],
    ['an empty request', '[\n\n]'],
    ['an empty array', '[]'],
    ['a bracket alone', '['],
    ['a batch in it', batchOf([two])],
    ['two requests in one line', `[\n${many(2).join(',')}\n]`],
  ])('with %s is refused', (_what, body) => {
    expect(isAllowedBody(body)).toBe(false)
  })
})
