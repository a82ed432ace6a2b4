import { parseFrom } from './images.ts'
import type { Dockerfile, DockerfileLine } from './subject.ts'

interface Stage {
  readonly name: string | undefined
  readonly from: string
  readonly lines: DockerfileLine[]
}

/** Instructions of the final image: those of the last stage, or of `target`, after those of the stages it starts from. */
export function finalStage({ lines, target }: Dockerfile): DockerfileLine[] {
  const stages: Stage[] = []
  for (const line of lines) {
    if (line.instruction === 'FROM') {
      const { image, stage } = parseFrom(line.rest)
      stages.push({ name: stage, from: image.toLowerCase(), lines: [] })
    } else stages.at(-1)?.lines.push(line)
  }
  const wanted = target?.toLowerCase()
  let current = stages.find(({ name }) => name !== undefined && name === wanted) ?? stages.at(-1)
  const found: DockerfileLine[] = []
  while (current !== undefined) {
    found.unshift(...current.lines)
    const { from } = current
    // A stage stands on earlier ones alone, so this ends.
    current = stages.slice(0, stages.indexOf(current)).findLast(({ name }) => name === from)
  }
  return found
}
