import { expect, it } from 'vitest'
import { readDeclaration } from './read-declaration.ts'
import { renderName } from './render-name.ts'

it('writes a class with its properties, and its methods with failures and examples', () => {
  expect(
    render(
      'Fleet',
      `/**
 * A fleet.
 *
 * @example
 * const fleet = new Fleet()
 */
export declare class Fleet {
    /** Name of the fleet | session. */
    readonly name: string | undefined;
    private hidden;
    #private;
    /**
     * Takes it down.
     *
     * @param force Also while
     *   others hold it.
     * @throws {TestfleetError} SESSION_BUSY while others hold it
     * @example
     * await fleet.down()
     */
    down(force?: boolean): Promise<void>;
}`,
    ),
  ).toBe(
    `### class Fleet

\`\`\`ts
class Fleet
\`\`\`

A fleet.

\`\`\`ts
const fleet = new Fleet()
\`\`\`

| name | type | meaning |
| --- | --- | --- |
| \`name\` | \`string \\| undefined\` | Name of the fleet \\| session. |

#### Fleet.down()

\`\`\`ts
down(force?: boolean): Promise<void>
\`\`\`

Takes it down.

- \`force\`: Also while others hold it.

Fails with \`SESSION_BUSY\` while others hold it.

\`\`\`ts
await fleet.down()
\`\`\`
`,
  )
})

it('writes an interface as a table of its keys, with links to the interfaces it extends', () => {
  const text = `/** Options of a call. */
export interface Options<F extends File = File> extends Base<F>, Pick<Other, "a"> {
    /** How long. */
    readonly timeoutMs?: number | undefined;
}`
  expect(render('Options', text)).toBe(`### Options

Options of a call.

| name | type | meaning |
| --- | --- | --- |
| \`timeoutMs\` (optional) | \`number\` | How long. |

It also has everything of [\`Base<F>\`](#base), [\`Pick<Other, 'a'>\`](#other).
`)
})

it('writes each parameter of a long function on its own line', () => {
  const parameters = 'source?: Source<F> | string, options?: { a: string, b: string } & OtherOptions<F, string>'
  const text = `/** Starts a fleet. */\nexport declare function start<F extends File>(${parameters}): Promise<RunningFleet<F>>;`
  expect(render('start', text)).toContain(`function start<F extends File>(
  source?: Source<F> | string,
  options?: { a: string, b: string } & OtherOptions<F, string>,
): Promise<RunningFleet<F>>`)
})

function render(name: string, text: string): string {
  const one = readDeclaration({ name, text, isPublic: true, file: 'src/index.d.ts' })
  return renderName(one, [one])
}
