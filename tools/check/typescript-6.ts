import { registerHooks } from 'node:module'

/**
 * Gives tools that import `typescript` an older version: TypeScript 7, which the project uses, has no parser for other
 * programs yet (dependency-cruiser 18 accepts versions below 7, and its other parser does not know `using`).
 */
registerHooks({
  resolve: (specifier, context, next) => next(specifier.replace(/^typescript(?=\/|$)/, 'typescript-6'), context),
})
