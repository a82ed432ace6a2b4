import { type Conversation, says } from './conversation.ts'

/** The lines of one reply, the code of which must be one of these: as FTP (RFC 959, 4.2) and SMTP (RFC 5321, 4.2) have it. */
export async function hearReply({ readLine }: Conversation, ...codes: number[]): Promise<string[]> {
  const lines = [await readLine()]
  const [first = ''] = lines
  if (!codes.some((code) => new RegExp(`^${code}(?:[ -]|$)`).test(first))) throw says(first)
  const code = first.slice(0, 3)
  const isMany = first[3] === '-'
  for (let last = first; isMany && last !== code && !last.startsWith(`${code} `); lines.push(last))
    last = await readLine()
  return lines
}
