import { readDurationMs } from '../formats/duration.ts'
import { readSizeBytes } from '../formats/size.ts'

/** `256m` or a number of bytes, in bytes. The schema has checked it. */
export function parseSizeBytes(size: string | number): number {
  return readSizeBytes(size) ?? 0
}

/** `500ms`, `2m` or a number of seconds, in milliseconds. The schema has checked it. */
export function parseDurationMs(duration: string | number): number {
  return readDurationMs(String(duration)) ?? 0
}
