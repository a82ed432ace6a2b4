import type { DockerfileLine } from './subject.ts'

/** More than this is not read: a Dockerfile is written by a person. */
const MOST_LINES = 5000

/** A Dockerfile's instructions without comments; continued lines and heredocs are one with what they belong to. */
export function splitDockerfile(text: string): DockerfileLine[] {
  const lines = text.split(/\r?\n/).slice(0, MOST_LINES)
  const found: DockerfileLine[] = []
  for (let next = 0; next < lines.length; ) {
    const line = next + 1
    const joined = joinContinued(lines, next)
    next = joined.next
    const [, instruction, rest] = /^\s*([A-Za-z]+)\s+(.*)$/s.exec(joined.text) ?? []
    if (instruction === undefined || rest === undefined) continue
    const body = readHeredoc(instruction, rest, lines, next)
    next += body.length
    found.push({ line, instruction: instruction.toUpperCase(), rest: [rest.trim(), ...body].join('\n') })
  }
  return found
}

/** A line and those that a backslash joins to it. A comment or an empty line between them does not end it. */
function joinContinued(lines: readonly string[], start: number): { readonly text: string; readonly next: number } {
  const parts: string[] = []
  let next = start
  for (let isOpen = true; isOpen && next < lines.length; next++) {
    const line = lines[next] ?? ''
    if (/^\s*(?:#|$)/.test(line)) isOpen = parts.length > 0
    else {
      isOpen = /\\\s*$/.test(line)
      parts.push(line.replace(/\\\s*$/, ''))
    }
  }
  return { text: parts.join(' '), next }
}

/** The lines of a heredoc, with its end. */
function readHeredoc(instruction: string, rest: string, lines: readonly string[], start: number): readonly string[] {
  const end = /<<-?\s*["']?(\w+)["']?/.exec(rest)?.[1]
  if (end === undefined || !/^(?:RUN|COPY|ADD)$/i.test(instruction)) return []
  const last = lines.findIndex((line, index) => index >= start && line.trim() === end)
  return lines.slice(start, last === -1 ? lines.length : last + 1)
}

/** `NAME=value`, `NAME="a value"` and the old `NAME value` of ENV, ARG and LABEL. */
export function splitAssignments(rest: string): [name: string, value: string][] {
  const pairs = [...rest.matchAll(/([\w.-]{1,200})=("(?:[^"\\]|\\.)*"|'[^']*'|\S*)/g)].map(
    ([, name = '', value = '']): [string, string] => [name, value.replace(/^(["'])(.*)\1$/s, '$2')],
  )
  if (pairs.length > 0) return pairs
  const [, name, value] = /^(\S+)\s+(.+)$/s.exec(rest) ?? []
  return name === undefined || value === undefined ? [] : [[name, value]]
}
