import { basename } from 'node:path'

const MAX_COMMAND_LENGTH = 80
const MAX_FOLDER_LENGTH = 40

/** Programs whose first word is the file that a person would name. */
const INTERPRETER = /^(?:node|nodejs|bun|deno|tsx|ts-node|python|pypy|ruby|perl|(?:ba|da|z|k)?sh)[\d.]*$/

/** Their options with a value in the next word. */
const TAKES_VALUE = /^(?:-r|--require|--import|--loader|--experimental-loader|-C|--conditions|--env-file|-W|-X|-o)$/

/** Their options after which no file comes that says what runs: code, a module, or tests. */
const IS_CODE = /^(?:-e|--eval|-p|--print|-c|-m|--test)$/

/**
 * Names a running command as a person would recognise it: its program or script without the path, its arguments, and the
 * folder that it runs in, if there is one. At most about 130 characters; empty for a command without words.
 *
 * @example
 * nameCommand(['/usr/bin/node', '/home/me/shop/node_modules/vitest/vitest.mjs', 'run'], '/home/me/shop')
 * // vitest run, in /home/me/shop
 */
export function nameCommand(words: readonly string[], folder?: string): string {
  const text = findScript(words).map(nameWord).join(' ')
  const command = text.length > MAX_COMMAND_LENGTH ? `${text.slice(0, MAX_COMMAND_LENGTH)}…` : text
  return command === '' || folder === undefined ? command : `${command}, in ${shorten(folder)}`
}

/** Drops an interpreter and its options. */
function findScript(words: readonly string[]): readonly string[] {
  if (!INTERPRETER.test(basename(words[0] ?? ''))) return words
  let at = 1
  for (; words[at]?.startsWith('-') && !IS_CODE.test(words[at] ?? ''); at += 1)
    if (TAKES_VALUE.test(words[at] ?? '')) at += 1
  const first = words[at]
  return first === undefined || first.startsWith('-') ? words : words.slice(at)
}

function nameWord(word: string, index: number): string {
  if (index > 0) return word.startsWith('/') ? basename(word) : word
  const inPackage = /.*\/node_modules\/(?!\.bin\/)((?:@[^/]+\/)?[^/]+)\//.exec(word)?.[1]
  if (inPackage !== undefined) return inPackage
  const name = basename(word)
  return ['testfleet.cjs', 'main.ts'].includes(name) ? 'testfleet' : name
}

/** Keeps the end of a long path, which tells projects apart. */
function shorten(folder: string): string {
  if (folder.length <= MAX_FOLDER_LENGTH) return folder
  const end = folder.split('/').slice(-2).join('/')
  return `…/${end.length > MAX_FOLDER_LENGTH ? end.slice(-MAX_FOLDER_LENGTH) : end}`
}
