import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Phone } from './in-dialog-phone.ts'
import { breakTheNetwork, placeCall } from './keepalive-calls.ts'
import { type Lab, openLab, until } from './lab.ts'

/**
 * Kamailio has no interval below 30 s, so that most of these take two minutes. All of them run at once, on an
 * edge each. A test waits for its own.
 */
const scenarios = {
  off: async (lab: Lab, phones: Phone[]) => {
    const call = await placeCall(lab, phones, { direction: 'inbound', keepalives: false })
    await sleep(40_000)
    return call
  },
  networkGap: async (lab: Lab, phones: Phone[]) => {
    const call = await placeCall(lab, phones, { direction: 'inbound' })
    const missed = await breakTheNetwork(call)
    await call.untilKeepalives(missed + 3)
    const counted = await call.counted()
    await call.caller.hangUp()
    await until('the BYE has ended the count', async () => (await call.counted()) === 0)
    return { ...call, missed, counted }
  },
  lostBye: async (lab: Lab, phones: Phone[]) => {
    const call = await placeCall(lab, phones, { direction: 'inbound' })
    await call.untilKeepalives(1)
    call.setMemory('forgot')
    await call.untilForgotten()
    return call
  },
  lostByeOfShortCall: async (lab: Lab, phones: Phone[]) => {
    const call = await placeCall(lab, phones, { direction: 'inbound' })
    call.setMemory('forgot')
    await call.untilForgotten()
    return call
  },
  wrongCallee: async (lab: Lab, phones: Phone[]) => {
    const call = await placeCall(lab, phones, { direction: 'inbound' })
    call.callee.memory = 'forgot'
    await call.untilForgotten()
    const byes = call.caller.byes + call.callee.byes
    await call.caller.hangUp()
    return { ...call, byes, byesAtCallee: call.callee.byes }
  },
  sendBye: async (lab: Lab, phones: Phone[]) => {
    const call = await placeCall(lab, phones, {
      direction: 'inbound',
      edge: {
        edit: (example) =>
          example.replace(
            'include_file "rpc.cfg"',
            'modparam("dialog", "send_bye", 1)\ninclude_file "rpc.cfg"',
          ),
      },
    })
    call.callee.memory = 'forgot'
    await call.untilForgotten()
    return call
  },
  wrongCaller: async (lab: Lab, phones: Phone[]) => {
    // Nobody but COUNT_FROM makes this dialog: an edge that does not end long calls.
    const edge = { edit: (example: string) => example.replaceAll('route(END_LONG_CALLS);', '') }
    const call = await placeCall(lab, phones, { direction: 'outbound', edge })
    call.caller.memory = 'forgot'
    await call.untilForgotten()
    return call
  },
  nobodyAnswers: async (lab: Lab, phones: Phone[]) => {
    const call = await placeCall(lab, phones, { direction: 'inbound' })
    await call.untilKeepalives(1)
    call.setMemory('silent')
    await call.untilForgotten()
    return call
  },
  restart: async (lab: Lab, phones: Phone[]) => {
    const call = await placeCall(lab, phones, { direction: 'inbound', edge: { dialogDb: true } })
    await call.untilKeepalives(1)
    await call.edge.restart()
    const counted = await call.counted()
    call.setMemory('forgot')
    await call.untilForgotten()
    const reaped = await call.reaped('total')
    await call.edge.restart()
    return { ...call, restored: counted, reapedThen: reaped, afterwards: await call.counted() }
  },
  longestCall: async (lab: Lab, phones: Phone[]) => {
    const call = await placeCall(lab, phones, { direction: 'inbound', edge: { longestCallSeconds: 4 } })
    await call.untilForgotten()
    await until('an end got its BYE', () => call.caller.byes + call.callee.byes > 0)
    return call
  },
  madeBefore: async (lab: Lab, phones: Phone[]) => {
    const call = await placeCall(lab, phones, {
      direction: 'inbound',
      edge: {
        edit: (example) => example.replaceAll('route(DISPATCHER_CONTROL_KEEPALIVE);', 'dlg_manage();'),
      },
    })
    await sleep(40_000)
    return call
  },
  timeoutBye: async (lab: Lab, phones: Phone[]) => {
    const ours = 'route(DISPATCHER_CONTROL_KEEPALIVE);'
    const call = await placeCall(lab, phones, {
      direction: 'inbound',
      edge: { edit: (example) => example.replaceAll(ours, `$dlg_ctx(timeout_bye) = 1;\n${ours}`) },
    })
    await sleep(40_000)
    return call
  },
} as const

type Played = { readonly [Name in keyof typeof scenarios]: () => ReturnType<(typeof scenarios)[Name]> }

/** Begins a scenario now. A failure waits for its test, which plays it anew where it is tried again. */
function begin<T>(scenario: (lab: Lab, phones: Phone[]) => Promise<T>, lab: Lab, phones: Phone[]) {
  const play = () =>
    scenario(lab, phones).then(
      (value) => () => value,
      (error: unknown) => () => {
        throw error
      },
    )
  let begun: ReturnType<typeof play> | undefined = play()
  return async () => {
    const ended = begun ?? play()
    begun = undefined
    return (await ended)()
  }
}

async function openRelease(release: '6.1' | '5.6') {
  const lab = await openLab(release)
  const phones: Phone[] = []
  const played: Played = {
    off: begin(scenarios.off, lab, phones),
    networkGap: begin(scenarios.networkGap, lab, phones),
    lostBye: begin(scenarios.lostBye, lab, phones),
    lostByeOfShortCall: begin(scenarios.lostByeOfShortCall, lab, phones),
    wrongCallee: begin(scenarios.wrongCallee, lab, phones),
    sendBye: begin(scenarios.sendBye, lab, phones),
    wrongCaller: begin(scenarios.wrongCaller, lab, phones),
    nobodyAnswers: begin(scenarios.nobodyAnswers, lab, phones),
    restart: begin(scenarios.restart, lab, phones),
    longestCall: begin(scenarios.longestCall, lab, phones),
    madeBefore: begin(scenarios.madeBefore, lab, phones),
    timeoutBye: begin(scenarios.timeoutBye, lab, phones),
  }
  return { lab, phones, played }
}
type OpenRelease = Awaited<ReturnType<typeof openRelease>>

const open = new Map<string, OpenRelease>()
beforeAll(async () => {
  const releases = ['6.1', '5.6'] as const
  await Promise.all(releases.map(async (release) => open.set(release, await openRelease(release))))
})
afterAll(async () => {
  await Promise.all([...open.values()].map(({ lab }) => lab.close()))
  for (const { phones } of open.values()) for (const phone of phones) phone.close()
})

describe.each(['6.1', '5.6'])('keepalives on Kamailio %s', { timeout: 300_000 }, (release) => {
  const played = (): Played => {
    const one = open.get(release)
    if (!one) throw new Error(`Kamailio ${release} did not start`)
    return one.played
  }

  test('without DC_KEEPALIVES no end of a call is ever asked', async () => {
    const call = await played().off()
    expect([call.caller.keepalives, call.callee.keepalives, await call.counted()]).toEqual([0, 0, 1])
  })

  test('a network that is gone for 10 s costs no call and no count', async () => {
    const call = await played().networkGap()
    expect(call.missed).toBeGreaterThan(0)
    expect(call.counted).toBe(1)
    expect([call.caller.byes, call.callee.byes]).toEqual([0, 1])
    expect(await call.reaped('total')).toBeUndefined()
  })

  test('a lost BYE is believed when both ends had the call and answer 481', async () => {
    const call = await played().lostBye()
    expect(call.log()).toContain(`${call.caller.callId} is over, its BYE was lost`)
    expect(await call.reaped('total')).toBeUndefined()
  })

  test('an end that never had the call is not believed: a call that was lost in its first 30 s is in doubt', async () => {
    const call = await played().lostByeOfShortCall()
    expect(await call.reaped(call.server.uri)).toBe(1)
    expect(await call.reaped('total')).toBe(1)
  })

  test('a media server that denies a call that is up is named, its zero is in doubt and the call goes on', async () => {
    const call = await played().wrongCallee()
    expect(call.byes).toBe(0)
    expect(call.byesAtCallee).toBe(1)
    expect(await call.reaped(call.server.uri)).toBe(1)
    expect(call.log()).toContain(
      `callee sip:phone@${call.server.uri.slice(4)} answers 481, the caller has the call`,
    )
    expect(call.log()).toContain(`${call.caller.callId} is no longer counted, but may be up`)
  })

  test("the edge's own send_bye cuts no call that one end denies", async () => {
    const call = await played().sendBye()
    expect([call.caller.byes, call.callee.byes]).toEqual([0, 0])
    expect(await call.reaped(call.server.uri)).toBe(1)
  })

  test('a media server that denies a call it placed is named by its address', async () => {
    const call = await played().wrongCaller()
    expect([call.caller.byes, call.callee.byes]).toEqual([0, 0])
    expect(await call.reaped(call.server.address)).toBe(1)
    expect(call.log()).toContain(
      `caller sip:phone@${call.server.uri.slice(4)} answers 481, the callee has the call`,
    )
  })

  test('silence is no proof: the edge itself may have lost its network', async () => {
    const call = await played().nobodyAnswers()
    expect(await call.reaped(call.server.uri)).toBe(1)
    expect([call.caller.byes, call.callee.byes]).toEqual([0, 0])
  })

  test('calls that are restored after a restart have keepalives, and what they end stays ended', async () => {
    const call = await played().restart()
    expect(call).toMatchObject({ restored: 1, reapedThen: 1, afterwards: 0 })
  })

  test('the longest call is ended with BYEs and is not in doubt', async () => {
    const call = await played().longestCall()
    expect(await call.reaped('total')).toBeUndefined()
  })

  test.each(['madeBefore', 'timeoutBye'] as const)(
    'a dialog that could be cut or end unseen has no keepalives, and the log says why: %s',
    async (name) => {
      const call = await played()[name]()
      expect([call.caller.keepalives, call.callee.keepalives, await call.counted()]).toEqual([0, 0, 1])
      expect(call.log()).toContain('DISPATCHER_CONTROL_KEEPALIVE: a call has no keepalives')
    },
  )
})
