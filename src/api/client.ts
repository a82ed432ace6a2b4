import type { TestfleetOptions } from './types/options.ts'

/** What every method of a client stands on: its settings. Each call opens and closes its own connection to the engine. */
export class Client {
  /** @internal */
  protected readonly settings: TestfleetOptions

  constructor(options: TestfleetOptions = {}) {
    this.settings = options
  }
}
