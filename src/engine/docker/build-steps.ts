import { parseDockerfile } from '../../formats/dockerfile.ts'
import type { BuildRequest } from '../image-types.ts'

/**
 * Numbers the steps of a build through all its stages. A builder numbers each stage separately, or counts every line.
 */
export interface StepNumbers {
  /** Number of steps; undefined when the Dockerfile is not known. */
  readonly total: number | undefined
  /**
   * Whether the first step of a stage is its FROM. It is not if the stage starts from another stage or from scratch.
   */
  countsFrom(stage: number): boolean
  /**
   * Returns the number of a stage's step in the whole build. `stage` is its name or index; undefined for the only one.
   */
  numberOf(stage: string | number | undefined, step: number): number
}

type CountRequest = Pick<BuildRequest, 'dockerfileText' | 'target' | 'args'>

/**
 * Counts the steps of a build. `isWhole` is true for a builder that builds every stage up to its target, instead of
 * only the needed ones.
 */
export function countSteps({ dockerfileText, target, args = {} }: CountRequest, isWhole: boolean): StepNumbers {
  const all = dockerfileText === undefined ? [] : readStages(dockerfileText, args)
  const last = target === undefined ? all.length - 1 : findStage(target, all)
  const needed = isWhole ? new Set(all.slice(0, last + 1).keys()) : findNeeded(last, all)
  const starts = new Map<number, number>()
  let total = 0
  for (const stage of [...needed].sort((one, other) => one - other)) {
    starts.set(stage, total)
    total += all[stage]?.steps ?? 0
  }
  const only = needed.size === 1 ? [...needed][0] : undefined
  return {
    total: total === 0 ? undefined : total,
    countsFrom: (stage) => all[stage]?.hasFrom ?? true,
    numberOf(stage, step) {
      const index = stage === undefined ? only : typeof stage === 'number' ? stage : findStage(stage, all)
      return step + ((index === undefined ? undefined : starts.get(index)) ?? 0)
    },
  }
}

interface Stage {
  readonly name: string
  readonly hasFrom: boolean
  /** FROM of an image, RUN, COPY, ADD and WORKDIR, as BuildKit counts them. */
  steps: number
  /** Earlier stages that it needs. */
  readonly needs: Set<number>
}

function readStages(text: string, args: Readonly<Record<string, string>>): readonly Stage[] {
  const stages: Stage[] = []
  const known = new Map<string, string>()
  for (const { keyword, rest } of parseDockerfile(text)) {
    const stage = stages.at(-1)
    if (keyword === 'ARG' && stage === undefined) {
      const [, name = '', value = ''] = /^([^\s=]+)(?:="?([^"\s]*))?/.exec(rest) ?? []
      known.set(name, args[name] ?? value)
    } else if (keyword === 'FROM') {
      stages.push(readFrom(rest, known, stages))
    } else if (stage !== undefined && /^(?:RUN|COPY|ADD|WORKDIR)$/.test(keyword)) {
      stage.steps += 1
      for (const [, from = ''] of rest.matchAll(/(?:^|\s)--(?:from=|mount=(?:\S*,)?from=)([^\s,]+)/g))
        need(stage, findStage(from, stages.slice(0, -1)))
    }
  }
  return stages
}

function readFrom(rest: string, known: ReadonlyMap<string, string>, stages: readonly Stage[]): Stage {
  const [written = '', as = '', name] = rest.replace(/^(?:--\S+\s+)*/, '').split(/\s+/)
  const image = written.replace(
    /\$\{?(\w+)(?::-([^}]*))?\}?/g,
    (_, variable: string, otherwise = '') => known.get(variable) || otherwise,
  )
  const base = findByName(image, stages)
  const hasFrom = base === -1 && image.toLowerCase() !== 'scratch'
  const isNamed = as.toLowerCase() === 'as' && name !== undefined
  const stage = {
    name: isNamed ? name.toLowerCase() : `stage-${stages.length}`,
    hasFrom,
    steps: hasFrom ? 1 : 0,
    needs: new Set<number>(),
  }
  need(stage, base)
  return stage
}

function need(stage: Stage, other: number): void {
  if (other !== -1) stage.needs.add(other)
}

/** Finds a stage by name or number; -1 for an image. */
function findStage(written: string, stages: readonly Stage[]): number {
  const found = findByName(written, stages)
  if (found !== -1 || !/^\d+$/.test(written)) return found
  return Number(written) < stages.length ? Number(written) : -1
}

/** Finds a stage by name; the last one wins. */
function findByName(name: string, stages: readonly Stage[]): number {
  return stages.findLastIndex((stage) => stage.name === name.toLowerCase())
}

function findNeeded(last: number, stages: readonly Stage[]): ReadonlySet<number> {
  const needed = new Set<number>()
  const add = (index: number): void => {
    if (stages[index] === undefined || needed.has(index)) return
    needed.add(index)
    for (const other of stages[index].needs) add(other)
  }
  add(last)
  return needed
}
