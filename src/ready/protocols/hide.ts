/** What a server says can be cut short: so many characters of a secret are as good as told. */
const MIN_SHOWN = 4

/** A server can repeat what it was told, a password too: an answer with such a secret, or the begin of it, left out. */
export function hide(answer: string, secret: string): string {
  const shown = JSON.stringify(Buffer.from(secret).toString('latin1')).slice(1, -1)
  const begin = shown.slice(0, MIN_SHOWN)
  if (begin === '') return answer
  let hidden = ''
  let rest = answer
  for (let at = rest.indexOf(begin); at !== -1; at = rest.indexOf(begin)) {
    hidden += `${rest.slice(0, at)}…`
    rest = rest.slice(at + countSame(rest.slice(at), shown))
  }
  return hidden + rest
}

function countSame(one: string, other: string): number {
  let count = 0
  while (count < other.length && one[count] === other[count]) count++
  return count
}
