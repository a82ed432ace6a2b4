import { type FileHandle, open } from 'node:fs/promises'
import type { OutputChunk } from '../../../model/container.ts'
import type { CallOptions, LogRequest } from '../../engine.ts'
import { containerPath, findContainer, needContainer, readLife } from '../containers/life.ts'
import { monitorFiles } from '../containers/monitor.ts'
import { makeFolder, undefinedIfGone } from '../store.ts'
import type { Local } from '../types.ts'
import { Assembler } from './assemble.ts'
import { Changes } from './changes.ts'
import { LogReader, readLast } from './log-file.ts'

/**
 * Reads the log of a container, which its monitor writes. With `follow`, ends when the container has ended and is not
 * restarted, or is removed; what it wrote until then is complete.
 */
export async function* readLogs(
  local: Local,
  idOrName: string,
  request: LogRequest,
  { signal }: CallOptions = {},
): AsyncGenerator<OutputChunk, void, void> {
  signal?.throwIfAborted()
  const { id } = await needContainer(local, idOrName)
  const changes = request.follow ? await watchContainer(local, id) : undefined
  let file: FileHandle | undefined
  try {
    file = await openLog(local, id)
    while (file === undefined && changes !== undefined && !(await hasEnded(local, id))) {
      await changes.wait(signal)
      file = await openLog(local, id)
    }
    file ??= await openLog(local, id)
    if (file !== undefined) yield* readFile(file, request, changes && (() => hasEnded(local, id)), changes, signal)
  } finally {
    changes?.close()
    await file?.close()
  }
}

async function* readFile(
  file: FileHandle,
  request: LogRequest,
  isAtEnd: (() => Promise<boolean>) | undefined,
  changes: Changes | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<OutputChunk, void, void> {
  const assembler = new Assembler(request)
  const { size } = await file.stat()
  const reader = new LogReader(file, request.tail === undefined ? 0 : size)
  if (request.tail !== undefined) yield* assembler.chunksOf(await readLast(file, size, request.tail))
  for (;;) {
    // Asked before the last read: the monitor has written everything before the container counts as ended.
    const isLast = isAtEnd === undefined || (await isAtEnd())
    for (;;) {
      signal?.throwIfAborted()
      const records = await reader.read(isAtEnd === undefined ? size : undefined)
      if (records.length === 0) break
      yield* assembler.chunksOf(records)
    }
    if (isLast || changes === undefined) return
    await changes.wait(signal)
  }
}

/** The log is in the container's folder; the exit code appears in a folder of all containers. */
async function watchContainer(local: Local, id: string): Promise<Changes> {
  const exits = await makeFolder(local.store.path('exits'))
  return new Changes([{ path: containerPath(local, id) }, { path: exits, name: id }])
}

function openLog(local: Local, id: string): Promise<FileHandle | undefined> {
  return open(containerPath(local, id, monitorFiles.log)).catch(undefinedIfGone)
}

/** Whether the container writes no more: it has ended and is not about to be restarted, or it is gone. */
async function hasEnded(local: Local, id: string): Promise<boolean> {
  const record = await findContainer(local, id)
  if (record === undefined) return true
  const { state, exitCode } = await readLife(local, record)
  return state === 'exited' && exitCode !== undefined
}
