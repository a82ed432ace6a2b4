import { TestfleetError } from '../model/failures.ts'

/** Reader of what the shards print. */
export interface ShardReader {
  /** Fires when a line of a command cannot be written because nobody reads it any more. */
  readonly unread: AbortSignal
  stdout(bytes: Buffer): void
  stderr(bytes: Buffer): void
}

type Stream = Pick<NodeJS.WriteStream, 'write'>

/**
 * Prints to the streams of this process. Only lines of the commands count: progress that cannot be written is skipped. A
 * stdout that cannot be written for another reason, such as a full disk, also has no reader.
 */
export function openShardReader({ stdout, stderr }: { readonly stdout: Stream; readonly stderr: Stream }): ShardReader {
  const controller = new AbortController()
  const end = (): void => controller.abort(new TestfleetError('CANCELLED', 'nobody reads the output any more'))
  return {
    unread: controller.signal,
    stdout: (bytes) => void stdout.write(bytes, (error) => error && end()),
    stderr: (bytes) =>
      void stderr.write(bytes, (error) => (error as NodeJS.ErrnoException | null)?.code === 'EPIPE' && end()),
  }
}
