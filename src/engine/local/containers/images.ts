import { TestfleetError } from '../../../model/failures.ts'
import type { ImageRecord, Local } from '../types.ts'

/** What containers need of images. The store has none yet: this file then names the functions of the room of images. */
export async function findImage(_: Local, reference: string): Promise<ImageRecord | undefined> {
  throw new TestfleetError('ENGINE_REFUSED', `the local engine cannot have the image ${reference} yet`)
}

export async function mountRoot(
  _: Local,
  _layers: readonly string[],
  _folder: string,
  _options: { readonly isVolatile?: boolean; readonly signal?: AbortSignal | undefined },
): Promise<string> {
  throw new TestfleetError('ENGINE_REFUSED', 'the local engine cannot have images yet')
}

export async function unmountRoot(_: Local, _folder: string): Promise<void> {}
