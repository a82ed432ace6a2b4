import type { FailedStep } from './build-log.ts'
import { cleanWords } from './errors.ts'

const maxInstructionLength = 100

/** Explains a failed build in one line, from the builder's words and the failed step. */
export function explainBuild(
  text: string,
  failed: FailedStep | undefined,
): { readonly message: string; readonly hint: string | undefined } {
  const words = shorten(cleanWords(text))
  const base = missingBase(words, failed)
  if (base !== undefined) {
    return {
      message: `the base image ${base} is not there and could not be pulled: ${words}`,
      hint: 'Check its name; without a network, load it into the engine first (docker load).',
    }
  }
  if (failed === undefined || failed.step === undefined) return { message: words, hint: undefined }
  const of = failed.total === undefined ? '' : ` of ${failed.total}`
  return {
    message: `step ${failed.step}${of} failed, ${shortenInstruction(failed.instruction)}: ${words}`,
    hint: undefined,
  }
}

/**
 * BuildKit 20.10: `executor failed running [/bin/sh -c x]: exit code: 3`, newer `failed to solve: process "/bin/sh -c x"
 * did not complete successfully: exit code: 3`; the classic builder: `The command '/bin/sh -c x' returned a non-zero
 * code: 3`, Podman's `while running runtime: exit status 3`. The step says what ran, so that the code is what is left.
 */
function shorten(words: string): string {
  const code =
    /(?:(?:executor failed running|did not complete successfully).*?exit code|returned a non-zero code|while running runtime: exit status):? (\d+)$/s.exec(
      words,
    )
  if (code !== null) return `exit code ${code[1]}`
  return words
    .replace(
      /^(?:failed to solve(?: with frontend [\w.]+)?: |failed to create LLB definition: |rpc error: code = \w+ desc = )+/,
      '',
    )
    .replace(/^(?:COPY|ADD) failed: |^failed to (?:compute cache key|calculate checksum of ref \S+): /, '')
}

function shortenInstruction(instruction: string): string {
  const line = instruction.replace(/\s+/g, ' ')
  return line.length > maxInstructionLength ? `${line.slice(0, maxInstructionLength)}…` : line
}

/** BuildKit fails at `[internal] load metadata for IMAGE`, the classic builder at `FROM IMAGE`. */
function missingBase(words: string, failed: FailedStep | undefined): string | undefined {
  const inMetadata = /^\[internal\] load metadata for (\S+)/.exec(failed?.instruction ?? '')?.[1]
  const inFrom = /^FROM (?:--platform=\S+ )?(\S+)/i.exec(failed?.instruction ?? '')?.[1]
  const isUnreachable =
    /no such host|pull access denied|manifest|not found|does not exist|dial tcp|failed to do request/i.test(words)
  const image = inMetadata ?? (isUnreachable ? inFrom : undefined)
  return image?.replace(/^docker\.io\/(?:library\/)?/, '')
}
