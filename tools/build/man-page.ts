import type { OptionSpec, Options } from '../../src/cli/commands/command.ts'
import { callOptions } from '../../src/cli/commands/options.ts'
import { type CommandName, findCommand, formatUsage, groups } from '../../src/cli/commands.ts'
import { describeOption, exitCodes, formatOption } from '../../src/cli/help.ts'
import { VERSION } from '../../src/version.ts'

const environment: readonly (readonly [name: string, meaning: string])[] = [
  ['TESTFLEET_SESSION', 'Name of the session to work on, unless --session names one'],
  ['TESTFLEET_ENGINE', 'The engine to use, unless --engine names one'],
  ['DOCKER_HOST, DOCKER_CONTEXT, DOCKER_CONFIG', 'The container engine, as for the docker command'],
  ['TESTFLEET_ENGINE_TIMEOUT', 'How long one answer of the engine may take, such as 30s'],
  ['TESTFLEET_INSECURE_ENGINE', 'With 1, the same as --insecure-engine'],
  ['TESTFLEET_KEEP_IMAGES', 'Number of built images to keep for each server, or all'],
  ['TESTFLEET_STATE_DIR', 'Folder for the keys of fleets with certificates'],
  ['NO_COLOR', 'If it is set, messages have no colours'],
]

const files: readonly (readonly [name: string, meaning: string])[] = [
  ['testfleet.yaml', 'The fleet file of a folder and the folders below it'],
]

/** The manual page testfleet(1) as man(7) source, from the table of commands. */
export function formatManPage(date: Date): string {
  const lines = [
    `.TH TESTFLEET 1 ${date.toISOString().slice(0, 10)} "testfleet ${VERSION}" "User Commands"`,
    '.SH NAME',
    'testfleet \\- fleets of real test servers, in containers',
    '.SH SYNOPSIS',
    `${bold('testfleet')} [OPTION...] COMMAND [OPTION...]`,
    '.SH DESCRIPTION',
    'Builds, starts and removes the servers that a fleet file declares, and gives tests their addresses.',
    toTroff('Run `testfleet help COMMAND` for the help of one command.'),
    '.SH OPTIONS',
    'They work before the command and after it.',
    ...formatOptions(callOptions),
    '.SH COMMANDS',
    ...Object.entries(groups).flatMap(([title, commands]) => [
      `.SS ${toTroff(title)}`,
      ...(Object.keys(commands) as CommandName[]).flatMap(formatCommand),
    ]),
    '.SH EXIT STATUS',
    ...exitCodes.flatMap(([code = '', meaning = '']) => formatItem(bold(code), meaning)),
    '.SH ENVIRONMENT',
    ...environment.flatMap(([name, meaning]) => formatItem(bold(name), meaning)),
    '.SH FILES',
    ...files.flatMap(([name, meaning]) => formatItem(bold(name), meaning)),
    '.SH SEE ALSO',
    `${bold('docker')}(1)`,
  ]
  return `${lines.join('\n')}\n`
}

function formatCommand(name: CommandName): string[] {
  const { summary, options, examples } = findCommand(name)
  const sentence = summary.replace(/^./, (letter) => letter.toUpperCase())
  const nested = [...formatOptions(options), ...Object.entries(examples).flatMap(formatExample)]
  return [...formatItem(bold(`testfleet ${formatUsage(name)}`), sentence), '.RS', ...nested, '.RE']
}

function formatExample([example, does]: readonly [string, string]): string[] {
  return formatItem(`Example: ${toTroff(example)}`, does)
}

function formatOptions(options: Options): string[] {
  return Object.entries<OptionSpec>(options).flatMap(([name, spec]) =>
    formatItem(bold(formatOption(name, spec).trim()), describeOption(spec)),
  )
}

/** A term, and below it a sentence. */
function formatItem(term: string, sentence: string): string[] {
  return ['.TP', term, `${toTroff(sentence)}.`]
}

const bold = (text: string): string => `\\fB${toTroff(text)}\\fR`

/** Text in which troff finds no command: `.` and `'` begin one at the start of a line, a backslash anywhere. */
function toTroff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '...')
    .replaceAll('`', '\\(ga')
    .replaceAll("'", '\\(aq')
    .replace(/^\./, '\\&.')
}
