import ts from 'typescript-6'
import { Module, type Place, type ReadDeclarations } from './declaration-module.ts'

/** A declaration in the flat file. */
export interface FlatDeclaration {
  readonly name: string
  /** Whether the entry exports it. */
  readonly isPublic: boolean
  /** The file that it comes from, such as `src/index.d.ts`. */
  readonly file: string
  /** Text including the comment. */
  readonly text: string
}

/**
 * Collects all declarations that an entry needs, and gives each a unique name, so that they can be in one file. A
 * public class gets the members of its private base classes.
 */
export class FlatTypes {
  /** Statements that import from Node.js. */
  readonly imports = new Set<string>()
  readonly #modules = new Map<string, Module>()
  readonly #read: ReadDeclarations
  /** Names in the flat file, by file and name there. */
  readonly #names = new Map<string, string>()
  readonly #public = new Map<string, string>()
  readonly #queue: Place[] = []

  constructor(entry: string, read: ReadDeclarations) {
    this.#read = read
    for (const [name, place] of this.#module(entry).listExports()) {
      const found = this.#resolve(place)
      this.#public.set(keyOf(found), name)
      this.#nameOf(found)
    }
  }

  /** Returns the declarations in the order in which the entry leads to them, public ones first. */
  collect(): FlatDeclaration[] {
    const found: FlatDeclaration[] = []
    for (let place = this.#queue.shift(); place !== undefined; place = this.#queue.shift()) {
      const isPublic = this.#public.has(keyOf(place))
      for (const node of this.#module(place.file).find(place.name))
        found.push({ name: this.#nameOf(place), isPublic, file: place.file, text: this.#render(node, place, isPublic) })
    }
    return found
  }

  #module(file: string): Module {
    let module = this.#modules.get(file)
    if (module === undefined) {
      module = new Module(file, this.#read(file))
      this.#modules.set(file, module)
    }
    return module
  }

  /** Follows imports and exports to the declaration of a name. */
  #resolve(place: Place): Place {
    const next = this.#module(place.file).follow(place.name)
    return next === undefined ? place : this.#resolve(next)
  }

  /** Two files may use one name for different things: the second one gets a number. */
  #nameOf(place: Place): string {
    const key = keyOf(place)
    const known = this.#names.get(key)
    if (known !== undefined) return known
    const wanted = this.#public.get(key) ?? place.name
    const taken = new Set([...this.#names.values(), ...(this.#public.has(key) ? [] : this.#public.values())])
    let name = wanted
    for (let number = 2; taken.has(name); number++) name = `${wanted}${number}`
    this.#names.set(key, name)
    this.#queue.push(place)
    return name
  }

  #render(node: ts.Statement, place: Place, isPublic: boolean): string {
    const module = this.#module(place.file)
    const untyped = findUntyped(node)
    if (untyped !== undefined)
      throw new Error(`${place.file}: write the type of ${untyped}, because a public type leads to it`)
    const edits = this.#nameReferences(node, place.file)
    const exported = ts.canHaveModifiers(node) ? ts.getModifiers(node)?.find(isExport) : undefined
    if (exported !== undefined) edits.push({ start: exported.getStart(), end: exported.end + 1, text: '' })
    if (isPublic) edits.push({ start: node.getStart(), end: node.getStart(), text: 'export ' })
    for (const own of module.ownNames(node, place.name)) edits.push({ ...own, text: this.#nameOf(place) })
    return applyEdits(module.source, node.getFullStart(), node.end, edits).trim()
  }

  #nameReferences(node: ts.Statement, file: string): Edit[] {
    const module = this.#module(file)
    const edits = ts.isClassDeclaration(node) ? this.#inlineBase(node, file) : []
    for (const { start, end, name, file: other } of module.references(node)) {
      if (edits.some((edit) => start >= edit.start && start < edit.end)) continue
      const text = this.#wordReference(name, other ?? file, other === undefined ? module : undefined)
      if (text !== undefined) edits.push({ start, end, text })
    }
    return edits
  }

  /** Returns the new name; undefined for a name that is not declared in these files, such as `Promise`. */
  #wordReference(name: string, file: string, within: Module | undefined): string | undefined {
    if (within !== undefined && !within.knows(name)) return undefined
    const foreign = within?.foreign(name)
    if (foreign !== undefined) {
      if (!foreign.from.startsWith('node:'))
        throw new Error(`the public type of ${file} needs the package ${foreign.from}`)
      this.imports.add(foreign.statement)
      return undefined
    }
    return this.#nameOf(this.#resolve({ file, name }))
  }

  /** A private base class only splits a class into several files, so its members become those of the class. */
  #inlineBase(node: ts.ClassDeclaration, file: string): Edit[] {
    const clause = node.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword)
    const base = clause?.types[0]?.expression
    if (clause === undefined || base === undefined || !ts.isIdentifier(base)) return []
    if (!this.#module(file).knows(base.text)) return []
    const place = this.#resolve({ file, name: base.text })
    if (this.#public.has(keyOf(place))) return []
    if (clause.types[0]?.typeArguments !== undefined) throw new Error(`${file}: the base class ${base.text} is generic`)
    const [declared] = this.#module(place.file).find(place.name)
    if (declared === undefined || !ts.isClassDeclaration(declared)) return []
    const edits = this.#nameReferences(declared, place.file)
    const { pos, end } = declared.members
    const body = applyEdits(this.#module(place.file).source, pos, end, edits)
    const open = node.members.pos
    return [
      { start: clause.getFullStart(), end: clause.end, text: '' },
      { start: open, end: open, text: body },
      // TypeScript writes all private members of a class as one.
      ...node.members
        .filter(({ name }) => name?.getText() === '#private' && /^\s*#private;$/m.test(body))
        .map((member) => ({ start: member.getFullStart(), end: member.end, text: '' })),
    ]
  }
}

function isExport({ kind }: ts.ModifierLike): boolean {
  return kind === ts.SyntaxKind.ExportKeyword
}

/** The first name without a type. TypeScript could infer it; what reads one file at a time cannot. */
function findUntyped(node: ts.Node): string | undefined {
  const isTyped =
    ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node) || ts.isGetAccessor(node) || isPublicProperty(node)
  if (isTyped && node.type === undefined) return node.name?.getText()
  if (ts.isVariableDeclaration(node) && node.type?.kind === ts.SyntaxKind.UnknownKeyword) return node.name.getText()
  return ts.forEachChild(node, findUntyped)
}

function isPublicProperty(node: ts.Node): node is ts.PropertyDeclaration {
  if (!ts.isPropertyDeclaration(node) || ts.isPrivateIdentifier(node.name) || node.initializer !== undefined)
    return false
  return ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword) !== true
}

function keyOf({ file, name }: Place): string {
  return `${file}#${name}`
}

interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

function applyEdits(text: string, from: number, to: number, edits: readonly Edit[]): string {
  const parts: string[] = []
  let at = from
  const within = edits.filter(({ start, end }) => start >= from && end <= to)
  for (const { start, end, text: replacement } of within.toSorted((one, other) => one.start - other.start)) {
    parts.push(text.slice(at, start), replacement)
    at = Math.max(at, end)
  }
  return [...parts, text.slice(at, to)].join('')
}

/** Renders the flat file. */
export function renderFlatTypes(types: FlatTypes): string {
  const declarations = types.collect().map(({ text }) => text)
  // Without `export {}`, everything would count as exported.
  // A project without @types/node does not know these modules; what comes from them is `any` there, and no error.
  const imports = [...types.imports].sort().map((statement) => `// @ts-ignore\n${statement}`)
  return [...imports, ...declarations, 'export {};'].join('\n').concat('\n')
}
