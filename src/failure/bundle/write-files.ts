import { renderDockerfile } from '../../images/render-dockerfile.ts'
import type { Fleet } from '../../model/fleet.ts'
import { label } from '../../model/labels.ts'
import type { DesiredImage, PreparedBuild } from '../../model/plan.ts'
import { formatPlan } from '../../plan/format-plan.ts'
import type { Tools } from '../../tools.ts'
import { toLines } from '../bounded-list.ts'
import type { Mask } from '../mask.ts'
import { readContainerLog } from './container-log.ts'
import type { BundleContext, BundledServer, Gathered } from './context.ts'
import type { BundleFolder } from './folder.ts'

/** Writes the files about the call as a whole. */
export async function writeCallFiles(
  folder: BundleFolder,
  { version, info }: Gathered,
  context: BundleContext,
): Promise<void> {
  const { mask } = context
  const { engine, recorder } = context.tools
  const { call } = recorder
  const events = toLines(
    recorder.events,
    ({ atMs, what }) => toJsonLine({ time: new Date(atMs).toISOString(), ...what }, mask),
    (count) => toJsonLine({ kind: 'cut', missing: count, because: 'there were too many events' }, mask),
  )
  const { url, because } = engine.location
  await Promise.all([
    call && folder.save('fleet.json', toJsonText(toJsonFleet(call.fleet), mask)),
    // Without a session, the first line would name none.
    call && folder.save('plan.txt', mask.text(formatPlan(call.plan).replace(/^session \n/, ''))),
    folder.save('engine.json', toJsonText({ url, because, version, info }, mask)),
    folder.save('events.ndjson', events.join('')),
  ])
}

/** Writes the events of the containers, as reported by the engine. */
export async function writeEngineEvents(folder: BundleFolder, context: BundleContext): Promise<void> {
  const { session, containers, mask, isShown, options } = context
  const { engine, recorder } = context.tools
  if (session === undefined || !isShown) return
  const read = async (): Promise<string> => {
    // The engine's clock may differ from this machine's.
    const fromMs = Math.min(recorder.startedAtMs, ...containers.map(({ container }) => container.createdAtMs))
    const events = await engine.readEvents({ [label.session]: session.id }, { fromMs, toMs: Date.now() }, options)
    return events.map((event) => toJsonLine(event, mask)).join('')
  }
  await folder.save('engine-events.ndjson', read)
}

/** Returns the effective fleet as JSON. It contains the sources of secrets, but no values. */
function toJsonFleet({ source, ...fleet }: Fleet): unknown {
  const toPlain = (_: string, value: unknown): unknown => (value instanceof Map ? Object.fromEntries(value) : value)
  return JSON.parse(JSON.stringify({ ...fleet, file: source.file }, toPlain))
}

/** Writes the files about one server. */
export async function writeServerFiles(
  server: BundledServer,
  folder: BundleFolder,
  context: BundleContext,
): Promise<void> {
  const { mask, isShown, options } = context
  const { runtime, recorder } = context.tools
  const save = async (file: string, text: string | undefined): Promise<void> => {
    if (text !== undefined) await folder.save(`servers/${server.folder}/${file}`, mask.text(text))
  }
  const [build, ...bases] = buildsOf(recorder.call?.images.get(server.name))
  if (build !== undefined) await save('Dockerfile', renderDockerfile(build.content))
  if (bases.length > 0) await save('Dockerfile.base', bases.map(({ content }) => renderDockerfile(content)).join('\n'))
  await save('build.log', formatBuilds(server.name, recorder))
  await save('probes.tsv', formatProbes(server.name, recorder))
  if (server.container === undefined || !isShown) return
  const { id, raw } = server.container
  await folder.save(`servers/${server.folder}/inspect.json`, toJsonText(raw, mask))
  await folder.saveLines(`servers/${server.folder}/container.log`, readContainerLog(id, runtime, mask, options))
}

/** Returns the build of an image, and the builds of its bases. */
function buildsOf(image: DesiredImage | undefined): PreparedBuild[] {
  const builds: PreparedBuild[] = []
  for (let build = image?.kind === 'built' ? image.build : undefined; build !== undefined; build = build.base) {
    builds.push(build)
  }
  return builds
}

function formatBuilds(server: string, recorder: Tools['recorder']): string | undefined {
  const builds = recorder.buildsOf(server)
  if (builds.size === 0) return undefined
  const parts = [...builds].map(([reference, lines]) => [
    `# ${reference}`,
    ...toLines(
      lines,
      ({ atMs, what }) => `${new Date(atMs).toISOString()} ${what}`,
      (count) => `[${count} lines are missing here: there were too many]`,
    ),
  ])
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`
}

function formatProbes(server: string, recorder: Tools['recorder']): string | undefined {
  const probes = recorder.probesOf(server)
  if (probes === undefined) return undefined
  const lines = toLines(
    probes,
    ({ atMs, what }) => [new Date(atMs).toISOString(), what.check, what.answer].map(toCell).join('\t'),
    (count) => `\t\t${count} answers are missing here: there were too many`,
  )
  return `${['time\tcheck\tanswer', ...lines].join('\n')}\n`
}

/** Escapes tabs and line ends, which would end the cell or the row. */
function toCell(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n').replaceAll('\r', '\\r')
}

/** Masks before formatting, so that masking cannot break the JSON. */
function toJsonText(value: unknown, mask: Mask): string {
  return `${JSON.stringify(mask.json(value), null, 2)}\n`
}

function toJsonLine(value: unknown, mask: Mask): string {
  return `${JSON.stringify(mask.json(value))}\n`
}
