import type { Tree } from '../files/walk.ts'
import type { ImageConfig, Local } from '../types.ts'
import type { Workshop } from './layer.ts'

/** What a stage has become so far. */
export interface StageState {
  /** Ids of layers, the lowest first. */
  readonly layers: readonly string[]
  /** Digest of everything that has an influence on the next layer. */
  readonly key: string
  readonly config: ImageConfig
  /** Values of ARG, which are no part of the image. */
  readonly args: ReadonlyMap<string, string>
}

/** What a stage can use besides itself. */
export interface StageContext {
  readonly local: Local
  readonly workshop: Workshop
  /** The files of the context. */
  readonly context: Tree
  readonly args: Readonly<Record<string, string>>
  readonly globals: ReadonlyMap<string, string>
  readonly signal: AbortSignal | undefined
  /** Layers of another stage or an image, when it is ready. */
  layersOf(name: string, line: number): Promise<readonly string[]>
}
