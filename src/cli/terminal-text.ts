import { randomBytes } from 'node:crypto'
import { controlSource } from '../formats/strip-controls.ts'

/** Begins and ends what testfleet itself says to a terminal or a CI job. No data has it, because nobody can guess it. */
const mark = `\u001b${randomBytes(16).toString('hex')};`
const own = `${mark}[^]*?${mark}`

const ownOrControl = new RegExp(`${own}|${controlSource}`, 'gu')
/** GitHub and Azure take `##[` and `##vso[` as commands anywhere in a line; GitHub takes `::` at its start. */
const ownOrCiCommand = new RegExp(String.raw`${own}|##(?=(?:vso|teamcity)?\[)|^(?=[^\S\n]*::)`, 'gm')

/** A control sequence, or a command for a CI job, that stays when the text is cleaned. */
export function ownCommand(text: string): string {
  return `${mark}${text}${mark}`
}

/**
 * Removes control characters and sequences, except those of `ownCommand`. On CI, changes what would be a command for the
 * job, too; after the removal, because a removed character can be in the middle of a command.
 */
export function cleanText(text: string, isOnCi: boolean): string {
  const visible = text.replaceAll(ownOrControl, (found) => (found.startsWith(mark) ? found : ''))
  const quiet = isOnCi ? visible.replaceAll(ownOrCiCommand, quietCommand) : visible
  return quiet.replaceAll(mark, '')
}

function quietCommand(found: string): string {
  if (found.startsWith(mark)) return found
  return found === '' ? '| ' : '## '
}

/** Starts of our own commands for GitHub and Azure, and of sections of GitLab. */
const jobCommands = ['::', '##', '\u001b[0K']

/** Puts a mark at the start of each line, except of a command for a CI job, which the job must find there. */
export function markLines(text: string, lineMark: string): string {
  return text.replaceAll(/^./gms, (first, at: number) => {
    const isJobCommand = jobCommands.some((start) => text.startsWith(`${mark}${start}`, at))
    return isJobCommand ? first : `${lineMark}${first}`
  })
}
