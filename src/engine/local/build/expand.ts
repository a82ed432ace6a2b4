/** Returns the value of a variable; undefined when it is not set. */
export type Lookup = (name: string) => string | undefined

/**
 * Reads a word of a Dockerfile as BuildKit does: variables are replaced, quotes and backslashes have their meaning and go.
 * Nothing is replaced in single quotes.
 */
export function expandWord(text: string, lookup: Lookup): string {
  return new Expander(text, lookup).read()
}

/** Splits a text at white space that is not in quotes. Quotes and backslashes stay in the words. */
export function splitWords(text: string): readonly string[] {
  return text.match(/(?:[^\s"'\\]+|\\.?|"(?:[^"\\]+|\\.?)*(?:"|$)|'[^']*(?:'|$))+/gs) ?? []
}

class Expander {
  readonly #text: string
  readonly #lookup: Lookup
  #at = 0

  constructor(text: string, lookup: Lookup) {
    this.#text = text
    this.#lookup = lookup
  }

  /** Reads up to a closing brace, or to the end. */
  read(isInBraces = false): string {
    let result = ''
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at]
      if (isInBraces && character === '}') break
      result += this.#readPart(character)
    }
    return result
  }

  #readPart(character: string | undefined): string {
    if (character === "'") return this.#readQuoted()
    if (character === '"') return this.#readDouble()
    if (character === '$') return this.#readVariable()
    this.#at += character === '\\' ? 2 : 1
    return (character === '\\' ? this.#text[this.#at - 1] : character) ?? ''
  }

  #readQuoted(): string {
    const end = this.#text.indexOf("'", this.#at + 1)
    const stop = end === -1 ? this.#text.length : end
    const inside = this.#text.slice(this.#at + 1, stop)
    this.#at = stop + 1
    return inside
  }

  #readDouble(): string {
    let result = ''
    this.#at += 1
    while (this.#at < this.#text.length && this.#text[this.#at] !== '"') {
      const character = this.#text[this.#at] ?? ''
      if (character === '$') result += this.#readVariable()
      else if (character === '\\') {
        const next = this.#text[this.#at + 1] ?? ''
        result += /["$\\]/.test(next) ? next : `\\${next}`
        this.#at += 2
      } else {
        result += character
        this.#at += 1
      }
    }
    this.#at += 1
    return result
  }

  #readVariable(): string {
    const [whole = '', name = ''] = /^\$([A-Za-z_][A-Za-z0-9_]*|[0-9@*#])/.exec(this.#text.slice(this.#at)) ?? []
    if (whole !== '') {
      this.#at += whole.length
      return this.#lookup(name) ?? ''
    }
    const braces = /^\$\{([A-Za-z_][A-Za-z0-9_]*)(:?[-+?])?/.exec(this.#text.slice(this.#at))
    if (braces === null) {
      this.#at += 1
      return '$'
    }
    const [start, inner = '', operator = ''] = braces
    this.#at += start.length
    const word = this.read(true)
    this.#at += 1
    return choose(this.#lookup(inner), operator, word, inner)
  }
}

function choose(value: string | undefined, operator: string, word: string, name: string): string {
  const isGiven = value !== undefined && (value !== '' || !operator.startsWith(':'))
  switch (operator.at(-1)) {
    case '-':
      return isGiven ? (value ?? '') : word
    case '+':
      return isGiven ? word : ''
    case '?':
      if (isGiven) return value ?? ''
      throw new SyntaxError(`${name}: ${word || 'not set'}`)
    default:
      return value ?? ''
  }
}
