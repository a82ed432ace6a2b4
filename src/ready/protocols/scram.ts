import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

/** More than any server asks for; without a limit, a number that is sent would keep this machine busy for minutes. */
const MAX_ITERATIONS = 1_000_000
const HASH_BYTES = 32

export interface ScramLogin {
  readonly first: string
  /** The answer to what the server says first; undefined when that is not SCRAM. */
  answer(serverFirst: string): Promise<{ final: string; isSignedBy(serverFinal: string): boolean } | undefined>
}

/** SCRAM-SHA-256 (RFC 5802, 3; RFC 7677), without a name: PostgreSQL has it from the start of the connection. */
export function openScram(password: string): ScramLogin {
  const nonce = randomBytes(18).toString('base64')
  const bare = `n=,r=${nonce}`
  return {
    first: `n,,${bare}`,
    async answer(serverFirst) {
      const said = /^r=([!-+\--~]+),s=([A-Za-z0-9+/=]+),i=(\d{1,9})(?:,|$)/.exec(serverFirst)
      const [, both = '', salt = '', iterations = ''] = said ?? []
      if (!both.startsWith(nonce) || Number(iterations) < 1 || Number(iterations) > MAX_ITERATIONS) return undefined
      const saltBytes = Buffer.from(salt, 'base64')
      const normal = password.normalize('NFKC')
      const salted = await promisify(pbkdf2)(normal, saltBytes, Number(iterations), HASH_BYTES, 'sha256')
      const unproven = `c=biws,r=${both}`
      const exchanged = `${bare},${serverFirst},${unproven}`
      const clientKey = sign(salted, 'Client Key')
      const signature = sign(createHash('sha256').update(clientKey).digest(), exchanged)
      const proof = clientKey.map((byte, index) => byte ^ (signature[index] ?? 0))
      const serverSignature = sign(sign(salted, 'Server Key'), exchanged)
      return {
        final: `${unproven},p=${Buffer.from(proof).toString('base64')}`,
        isSignedBy: (serverFinal) => isSame(serverFinal, serverSignature),
      }
    },
  }
}

function sign(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function isSame(serverFinal: string, signature: Buffer): boolean {
  const said = Buffer.from(/^v=([A-Za-z0-9+/=]+)/.exec(serverFinal)?.[1] ?? '', 'base64')
  return said.length === signature.length && timingSafeEqual(said, signature)
}
