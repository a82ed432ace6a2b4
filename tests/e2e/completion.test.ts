import { chmod, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { mainFile, makeFleetFolder, removeFleetFolders } from '../support/command.ts'
import { wideIf } from '../support/tiers.ts'
import { type ShellName, TypedShell } from '../support/typed-shell.ts'

/** Prints its words, except when it is asked what completes them. */
const program = (answer: string): string => `#!/bin/sh
if [ "$1" = completion ]; then ${answer}; fi
printf 'ARGS'
printf ' <%s>' "$@"
printf ' END\\n'
`
const real = `exec '${process.execPath}' '${mainFile}' "$@"`
/** What an engine could answer that somebody else has filled. */
const hostile = `if [ "$3" = -- ]; then printf 'words\\n%s\\n' 'hostile$(touch ran)a;touch ran;\`touch ran\`'; exit; fi; ${real}`

let folder: string
let shell: TypedShell | undefined

beforeAll(async () => {
  folder = await makeFleetFolder({
    'bin/testfleet': program(real),
    'hostile/testfleet': program(hostile),
    'testfleet.yaml': 'servers: { web: { image: a }, worker: { image: a }, "$(touch ran)": { image: a } }\n',
    'my fleet.yaml': 'servers: { zebra: { image: a } }\n',
  })
  for (const name of ['bin', 'hostile']) await chmod(join(folder, name, 'testfleet'), 0o755)
})
afterEach(() => shell?.close())
afterAll(removeFleetFolders)

const open = async (name: ShellName, bin = 'bin'): Promise<TypedShell> => {
  shell = await TypedShell.open(name, folder, join(folder, bin))
  return shell
}

describe.each<ShellName>(['bash', 'zsh', 'fish'])('%s', (name) => {
  const tier = wideIf(name !== 'bash')

  test('completes commands, options, values, servers, presets, files and the command of run', tier, async () => {
    const opened = await open(name)
    const type = (line: string): Promise<string> => opened.type(line)
    expect(await type('testfleet --quiet log\t we\t')).toBe(' <--quiet> <logs> <web>')
    expect(await type('testfleet up --bind=fi\t')).toBe(' <up> <--bind=fixed>')
    expect(await type('testfleet up --bin\t fr\t')).toBe(' <up> <--bind> <free>')
    expect(await type('testfleet -f my\t logs ze\t')).toBe(' <-f> <my fleet.yaml> <logs> <zebra>')
    expect(await type('testfleet --file=my\t presets postg\t')).toBe(' <--file=my fleet.yaml> <presets> <postgresql>')
    expect(await type('testfleet run -- ls testf\t')).toBe(' <run> <--> <ls> <testfleet.yaml>')
  })

  test('never runs a candidate', tier, async () => {
    const opened = await open(name, 'hostile')
    expect(await opened.type('testfleet logs host\t')).toBe(' <logs> <hostile$(touch ran)a;touch ran;`touch ran`>')
    expect(await readdir(folder)).not.toContain('ran')
  })
})
