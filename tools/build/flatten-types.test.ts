import { describe, expect, it } from 'vitest'
import { FlatTypes, renderFlatTypes } from './flatten-types.ts'

describe('one file of types', () => {
  it('has the exports of the entry and everything they need, and nothing else', () => {
    const text = flatten({
      'index.d.ts': "export type { Public } from './a.ts';\n",
      'a.d.ts':
        "import type { Inner as Renamed } from './b.ts';\n/** What it is. */\nexport interface Public {\n    inner: Renamed;\n}\nexport type Unused = 1;\n",
      'b.d.ts': 'export type Inner = string;\nexport type Other = 2;\n',
    })
    expect(text).toBe(
      '/** What it is. */\nexport interface Public {\n    inner: Inner;\n}\ntype Inner = string;\nexport {};\n',
    )
  })

  it('gives different names to different things of one name', () => {
    const text = flatten({
      'index.d.ts': "export type { A } from './a.ts';\nexport type { B } from './b.ts';\n",
      'a.d.ts': 'type Inner = 1;\nexport type A = Inner;\n',
      'b.d.ts': 'type Inner = 2 | Inner[];\nexport type B = Inner;\n',
    })
    expect(text).toBe(
      'export type A = Inner;\nexport type B = Inner2;\ntype Inner = 1;\ntype Inner2 = 2 | Inner2[];\nexport {};\n',
    )
  })

  it('keeps the public name of a declaration that is renamed when it is exported', () => {
    const text = flatten({
      'index.d.ts': "export { Inner as Public } from './a.ts';\n",
      'a.d.ts': 'export declare class Inner {\n    next: Inner;\n}\n',
    })
    expect(text).toBe('export declare class Public {\n    next: Public;\n}\nexport {};\n')
  })

  it('keeps type parameters that have the name of a declaration', () => {
    const text = flatten({
      'index.d.ts': "export type { A } from './a.ts';\n",
      'a.d.ts': 'type T = 1;\nexport type A<T> = T[];\n',
    })
    expect(text).toBe('export type A<T> = T[];\nexport {};\n')
  })

  it('writes an inline import as a name', () => {
    const text = flatten({
      'index.d.ts': "export declare const made: import('./a.ts').A<string>;\n",
      'a.d.ts': 'export type A<T> = T;\n',
    })
    expect(text).toBe('export declare const made: A<string>;\ntype A<T> = T;\nexport {};\n')
  })

  it('inlines the members of a private base class into a class', () => {
    const text = flatten({
      'index.d.ts': "export { Client } from './a.ts';\n",
      'a.d.ts': "import { Base } from './b.ts';\nexport declare class Client extends Base {\n    up(): void;\n}\n",
      'b.d.ts':
        "import { Root } from './c.ts';\n/** { */\nexport declare class Base extends Root {\n    /** Takes down. */\n    down(): Inner;\n}\ntype Inner = 1;\n",
      'c.d.ts': 'export declare class Root {\n    root: Inner;\n}\ntype Inner = 2;\n',
    })
    expect(text).toBe(
      'export declare class Client {\n    root: Inner;\n    /** Takes down. */\n    down(): Inner2;\n    up(): void;\n}\ntype Inner = 2;\ntype Inner2 = 1;\nexport {};\n',
    )
  })

  it('keeps one mark of private members when a class and its private base have one each', () => {
    const text = flatten({
      'index.d.ts':
        "import { Base } from './b.ts';\nexport declare class Client extends Base {\n    #private;\n    up(): void;\n}\n",
      'b.d.ts': 'export declare class Base {\n    #private;\n    down(): void;\n}\n',
    })
    expect(text).toBe(
      'export declare class Client {\n    #private;\n    down(): void;\n    up(): void;\n}\nexport {};\n',
    )
  })

  it('keeps a public base class', () => {
    const text = flatten({
      'index.d.ts': 'export declare class Base extends Error {\n}\nexport declare class Client extends Base {\n}\n',
    })
    expect(text).toBe(
      'export declare class Base extends Error {\n}\nexport declare class Client extends Base {\n}\nexport {};\n',
    )
  })

  it('imports types of Node.js', () => {
    const text = flatten({
      'index.d.ts': "import type { Agent } from 'node:http';\nexport type A = Agent;\n",
    })
    expect(text).toBe("// @ts-ignore\nimport type { Agent } from 'node:http';\nexport type A = Agent;\nexport {};\n")
  })

  it('fails when a public type needs a package', () => {
    const files = { 'index.d.ts': "import type { ZodType } from 'zod';\nexport type A = ZodType;\n" }
    expect(() => flatten(files)).toThrow('the public type of src/index.d.ts needs the package zod')
  })

  it.each([
    ['a variable', 'export declare const made: unknown;', 'made'],
    ['a function', 'export declare function made(a: 1);', 'made'],
    ['a method', 'export declare class A {\n    made();\n}', 'made'],
    ['a property', 'export declare class A {\n    made;\n}', 'made'],
    ['a getter', 'export declare class A {\n    get made();\n}', 'made'],
  ])('is refused when %s has no type', (_, text, name) => {
    expect(() => flatten({ 'index.d.ts': `${text}\n` })).toThrow(
      `src/index.d.ts: write the type of ${name}, because a public type leads to it`,
    )
  })

  it('accepts private members without a type', () => {
    const text = 'export declare class A {\n    #private;\n    private made;\n    constructor();\n}\nexport {};\n'
    expect(flatten({ 'index.d.ts': text })).toBe(text)
  })

  it('has all overloads of a function', () => {
    const text = flatten({ 'index.d.ts': 'export declare function f(a: 1): 1;\nexport declare function f(a: 2): 2;\n' })
    expect(text).toBe('export declare function f(a: 1): 1;\nexport declare function f(a: 2): 2;\nexport {};\n')
  })
})

function flatten(files: Readonly<Record<string, string>>): string {
  return renderFlatTypes(new FlatTypes('src/index.d.ts', (file) => files[file.slice('src/'.length)] ?? ''))
}
