import { converse, quote } from './conversation.ts'
import { readLogin } from './login.ts'
import { answerPlugin, encryptPassword, isKnownPlugin } from './mysql-login.ts'
import { type Greeting, openPackets, type Packets, readGreeting, readZeroEnded } from './mysql-packets.ts'
import type { ProtocolProbe } from './target.ts'

const OK = 0
const MORE = 1
const SWITCH = 0xfe
const PING = 0x0e
const QUIT = 0x01
const FAST_IS_ENOUGH = 3
const WANTS_ALL = 4
const ASKS_FOR_KEY = 2

/** The greeting, and the login and COM_PING where there is one (MySQL's documentation, "Connection Phase"). */
export const probeMysql: ProtocolProbe<'mysql'> = (check, target) => async (signal, patienceMs) => {
  const login = await readLogin(check, target)
  return converse(check, target, signal, patienceMs, async (conversation) => {
    const packets = openPackets(conversation)
    const greeting = readGreeting(await packets.hear())
    if (greeting === undefined) throw conversation.unlike()
    if (login === undefined) return
    await logIn(packets, greeting, login.user, login.password)
    packets.ask(Buffer.of(PING))
    const [answer] = await packets.hear()
    if (answer !== OK) throw conversation.unlike()
    packets.ask(Buffer.of(QUIT))
  })
}

async function logIn(packets: Packets, greeting: Greeting, user: string, password: string): Promise<void> {
  let { plugin, salt } = greeting
  const begun = isKnownPlugin(plugin) ? plugin : 'mysql_native_password'
  packets.greet(user, answerPlugin(begun, password, salt), begun)
  for (;;) {
    const answer = await packets.hear()
    const [kind, more] = answer
    if (kind === OK) return
    if (kind === SWITCH) {
      plugin = readZeroEnded(answer.subarray(1)).toString('latin1')
      salt = answer.subarray(2 + plugin.length, 22 + plugin.length)
      if (!isKnownPlugin(plugin)) throw new Error(`wants a login by ${quote(plugin)}, which this check does not speak`)
      packets.tell(answerPlugin(plugin, password, salt))
    } else if (kind === MORE && more === WANTS_ALL) {
      packets.tell(Buffer.of(ASKS_FOR_KEY))
      const key = await packets.hear()
      packets.tell(encryptPassword(key.subarray(1), password, salt))
    } else if (kind !== MORE || more !== FAST_IS_ENOUGH) throw packets.unlike()
  }
}
