import ts from 'typescript-6'
import type { FlatDeclaration } from '../build/flatten-types.ts'

/** A public name of the library, or a member of one. */
export interface Documented {
  readonly name: string
  /** Declaration without comments; only the first line of a class or interface. */
  readonly signature: string
  readonly text: string
  readonly params: readonly (readonly [name: string, text: string])[]
  readonly throws: string
  readonly examples: readonly string[]
}

export interface PublicName extends Documented {
  readonly kind: 'class' | 'function' | 'constant' | 'interface' | 'type'
  /** Base types of an interface, such as `Base<F>`. */
  readonly bases: readonly string[]
  /** Members of a class or interface. */
  readonly members: readonly Member[]
}

export interface Member extends Documented {
  readonly kind: 'method' | 'property'
  readonly type: string
  readonly isOptional: boolean
}

/** Reads a declaration as text, with its docstring. */
export function readDeclaration({ name, text }: FlatDeclaration): PublicName {
  const [node] = ts.createSourceFile('one.d.ts', text, ts.ScriptTarget.Latest, true).statements
  if (node === undefined) throw new Error(`${name} is not a declaration`)
  const members = ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node) ? node.members : []
  const clauses = ts.isInterfaceDeclaration(node) ? (node.heritageClauses ?? []) : []
  const bases = clauses.flatMap(({ types }) => types.map((base) => base.getText()))
  const signature = headOf(node)
  return { name, kind: kindOf(node), signature, bases, members: [...members].flatMap(readMember), ...docOf(node) }
}

function kindOf(node: ts.Statement): PublicName['kind'] {
  if (ts.isClassDeclaration(node)) return 'class'
  if (ts.isFunctionDeclaration(node)) return 'function'
  if (ts.isInterfaceDeclaration(node)) return 'interface'
  return ts.isTypeAliasDeclaration(node) ? 'type' : 'constant'
}

/** Returns the head of a declaration, without common modifiers and without members. */
function headOf(node: ts.Statement): string {
  const hasMembers = ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node)
  const end = hasMembers ? node.members.pos - 1 : node.end
  const text = node.getSourceFile().text.slice(node.getStart(), end)
  return withoutComments(text).replace(/^export (?:declare )?/, '')
}

function readMember(member: ts.ClassElement | ts.TypeElement): Member[] {
  const isPrivate = ts.canHaveModifiers(member) && ts.getModifiers(member)?.some(isHidden)
  if (isPrivate || (member.name !== undefined && ts.isPrivateIdentifier(member.name))) return []
  const kind = ts.isMethodDeclaration(member) || ts.isMethodSignature(member) ? 'method' : 'property'
  const isConstructor = ts.isConstructorDeclaration(member)
  const name = isConstructor ? 'constructor' : (member.name?.getText() ?? '[name]')
  const signature = withoutComments(member.getText())
  const type = 'type' in member && member.type ? withoutComments((member.type as ts.TypeNode).getText()) : ''
  const isOptional = 'questionToken' in member && member.questionToken !== undefined
  const doc = docOf(member)
  return [{ name, kind: isConstructor ? 'method' : kind, signature, type, isOptional, ...doc }]
}

function isHidden({ kind }: ts.ModifierLike): boolean {
  return kind === ts.SyntaxKind.PrivateKeyword || kind === ts.SyntaxKind.ProtectedKeyword
}

function docOf(node: ts.Node): Pick<Documented, 'text' | 'params' | 'throws' | 'examples'> {
  const doc = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).at(-1)
  const tags: readonly ts.JSDocTag[] = doc?.tags ?? []
  const textsOf = (name: string) =>
    tags.filter(({ tagName }) => tagName.text === name).map(({ comment }) => wordOf(comment))
  const params = tags.filter(ts.isJSDocParameterTag).map((tag) => [tag.name.getText(), wordOf(tag.comment)] as const)
  return { text: wordOf(doc?.comment), params, throws: textsOf('throws').join(' '), examples: textsOf('example') }
}

function wordOf(comment: string | ts.NodeArray<ts.JSDocComment> | undefined): string {
  return (ts.getTextOfJSDocComment(comment) ?? '').trim()
}

/** The comment of a property in a type tells nothing about the type. */
function withoutComments(text: string): string {
  return text.replaceAll(/\s*\/\*\*[\s\S]*?\*\//g, '').trim()
}
