import type { Hook } from './hook.ts'

/** What the fleet file says about the baked image of a server. */
export interface Bake {
  /** Run inside the server, one after the other, once its ready checks pass. What they change is in the image. */
  readonly run: readonly Hook[]
}

/** Everything that a baked image is made from, as one digest for each part, named as people name it. */
export type BakeParts = Readonly<Record<string, string>>
