import type { TestfleetOptions } from './types/options.ts'

/** The settings that every method of a client uses. Each call opens and closes its own connection to the engine. */
export class Client {
  /** @internal */
  protected readonly settings: TestfleetOptions

  constructor(options: TestfleetOptions = {}) {
    this.settings = options
  }
}
