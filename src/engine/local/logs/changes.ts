import { type FSWatcher, watch } from 'node:fs'
import { onAbort } from '../../../model/on-abort.ts'

/** How often to look even if the kernel reports nothing: not every file system does. */
const EVERY_MS = 2000

/** Reports changes in folders. None is lost between two waits. */
export class Changes {
  readonly #watchers: FSWatcher[] = []
  readonly #timer: NodeJS.Timeout
  #wake: () => void = () => {}
  #hasChanged = false

  /** `names` limits a folder to one name. Begins at once. */
  constructor(folders: readonly { readonly path: string; readonly name?: string }[]) {
    const note = (): void => {
      this.#hasChanged = true
      this.#wake()
    }
    this.#timer = setInterval(note, EVERY_MS)
    try {
      for (const { path, name } of folders) {
        const watcher = watch(path, (_, changed) => {
          if (name === undefined || changed === null || changed === name) note()
        })
        watcher.on('error', note)
        this.#watchers.push(watcher)
      }
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Resolves when something has changed since the last wait. Rejects with the signal's reason. */
  async wait(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    let stopListening = (): void => {}
    if (!this.#hasChanged) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        stopListening = onAbort(signal, resolve)
      })
    }
    stopListening()
    this.#wake = () => {}
    this.#hasChanged = false
    signal?.throwIfAborted()
  }

  close(): void {
    clearInterval(this.#timer)
    for (const watcher of this.#watchers) watcher.close()
  }
}
