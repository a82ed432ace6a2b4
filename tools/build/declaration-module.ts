import { dirname, join } from 'node:path'
import ts from 'typescript-6'

/** A name, and the file of declarations that has it. */
export interface Place {
  readonly file: string
  readonly name: string
}

export type ReadDeclarations = (file: string) => string

/** Position in the text that names another declaration; with a file for `import('…')`. */
export interface Reference {
  readonly start: number
  readonly end: number
  readonly name: string
  readonly file: string | undefined
}

interface Import {
  readonly from: string
  readonly name: string
  readonly statement: string
}

/** A file of declarations, as TypeScript writes it. */
export class Module {
  readonly source: string
  readonly #file: string
  readonly #tree: ts.SourceFile
  readonly #declared = new Map<string, ts.Statement[]>()
  readonly #imports = new Map<string, Import>()
  readonly #exports = new Map<string, Place>()

  constructor(file: string, source: string) {
    this.#file = file
    this.source = source
    this.#tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true)
    for (const statement of this.#tree.statements) this.#note(statement)
  }

  /** Whether a name is declared or imported here. */
  knows(name: string): boolean {
    return this.#declared.has(name) || this.#imports.has(name)
  }

  /** Returns the import by which a name comes from a package or from Node.js. */
  foreign(name: string): Import | undefined {
    const imported = this.#imports.get(name)
    return imported?.from.startsWith('.') === false ? imported : undefined
  }

  /** Returns the declarations of a name: an overloaded function has several. */
  find(name: string): readonly ts.Statement[] {
    const found = this.#declared.get(name)
    if (found === undefined) throw new Error(`${this.#file} does not declare ${name}`)
    return found
  }

  /** Returns the origin of an imported or re-exported name; undefined for a name declared here. */
  follow(name: string): Place | undefined {
    if (this.#declared.has(name)) return undefined
    const imported = this.#imports.get(name)
    if (imported !== undefined) return { file: this.#join(imported.from), name: imported.name }
    const place = this.#exports.get(name)
    if (place === undefined) throw new Error(`${this.#file} does not export ${name}`)
    return place
  }

  listExports(): ReadonlyMap<string, Place> {
    return this.#exports
  }

  /** Returns the references of a declaration to other declarations, in the order of the text. */
  references(node: ts.Node): Reference[] {
    const found: Reference[] = []
    const parameters = new Set<string>()
    const add = (name: ts.Node, file?: string): void => {
      const first = leftmost(name)
      if (first !== undefined) found.push({ start: first.getStart(), end: first.end, name: first.text, file })
    }
    const visit = (one: ts.Node): void => {
      if (ts.isTypeParameterDeclaration(one)) parameters.add(one.name.text)
      if (ts.isTypeReferenceNode(one)) add(one.typeName)
      else if (ts.isExpressionWithTypeArguments(one)) add(one.expression)
      else if (ts.isTypeQueryNode(one)) add(one.exprName)
      else if (ts.isImportTypeNode(one)) found.push(this.#readImportType(one))
      ts.forEachChild(one, visit)
    }
    visit(node)
    return found.filter(({ name, file }) => file !== undefined || !parameters.has(name))
  }

  /** Returns the positions of a declaration's own name. */
  ownNames(node: ts.Statement, name: string): { readonly start: number; readonly end: number }[] {
    return namesOf(node)
      .filter(({ text }) => text === name)
      .map((identifier) => ({ start: identifier.getStart(), end: identifier.end }))
  }

  #note(statement: ts.Statement): void {
    if (ts.isImportDeclaration(statement)) this.#noteImport(statement)
    else if (ts.isExportDeclaration(statement)) this.#noteExports(statement)
    else
      for (const { text } of namesOf(statement)) {
        this.#declared.set(text, [...(this.#declared.get(text) ?? []), statement])
        this.#exports.set(text, { file: this.#file, name: text })
      }
  }

  #noteImport(statement: ts.ImportDeclaration): void {
    const from = textOf(statement.moduleSpecifier)
    const clause = statement.importClause
    const { namedBindings: bindings } = clause ?? {}
    if (clause?.name !== undefined || (bindings !== undefined && !ts.isNamedImports(bindings)))
      throw new Error(`${this.#file}: import names from ${from}, one by one`)
    for (const { name, propertyName } of bindings?.elements ?? []) {
      const original = propertyName?.text ?? name.text
      const words = original === name.text ? original : `${original} as ${name.text}`
      this.#imports.set(name.text, { from, name: original, statement: `import type { ${words} } from '${from}';` })
    }
  }

  #noteExports({ exportClause, moduleSpecifier }: ts.ExportDeclaration): void {
    if (exportClause === undefined || !ts.isNamedExports(exportClause))
      throw new Error(`${this.#file}: export names, one by one`)
    for (const { name, propertyName } of exportClause.elements) {
      const file = moduleSpecifier === undefined ? this.#file : this.#join(textOf(moduleSpecifier))
      this.#exports.set(name.text, { file, name: propertyName?.text ?? name.text })
    }
  }

  #readImportType(node: ts.ImportTypeNode): Reference {
    const { argument, qualifier } = node
    const first = qualifier === undefined ? undefined : leftmost(qualifier)
    if (!ts.isLiteralTypeNode(argument) || first === undefined)
      throw new Error(`${this.#file}: an import of a whole module is not a type`)
    const from = textOf(argument.literal)
    if (!from.startsWith('.')) throw new Error(`${this.#file}: write an import statement for ${from}`)
    return { start: node.getStart(), end: first.end, name: first.text, file: this.#join(from) }
  }

  #join(specifier: string): string {
    return join(dirname(this.#file), specifier.replace(/\.ts$/, '.d.ts'))
  }
}

function namesOf(statement: ts.Statement): ts.Identifier[] {
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.map(({ name }) => name).filter((name) => ts.isIdentifier(name))
  const isNamed =
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isFunctionDeclaration(statement)
  return isNamed && statement.name !== undefined ? [statement.name] : []
}

function leftmost(name: ts.Node): ts.Identifier | undefined {
  if (ts.isIdentifier(name)) return name
  if (ts.isQualifiedName(name)) return leftmost(name.left)
  return ts.isPropertyAccessExpression(name) ? leftmost(name.expression) : undefined
}

function textOf(node: ts.Node): string {
  if (!ts.isStringLiteral(node)) throw new Error(`${node.getText()} is not the name of a module`)
  return node.text
}
