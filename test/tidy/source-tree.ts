/**
 * The source as the tidy rules see it: files by path from the root of the repository, what each imports, and its code
 * without comments and texts. A scanner, not a parser: it knows strings, templates, comments and regular expressions.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url))

/** Path from the root, with "/", to text. */
export type SourceTree = ReadonlyMap<string, string>

export interface Import {
  /** As written. */
  specifier: string
  /** Path from the root when relative; else undefined. */
  target: string | undefined
}

export async function readSourceTree(...folders: readonly string[]): Promise<SourceTree> {
  const tree = new Map<string, string>()
  for (const folder of folders) {
    const entries = await readdir(join(ROOT, folder), { recursive: true })
    for (const name of entries.filter(entry => entry.endsWith('.ts')).sort()) {
      const path = posix.join(folder, name.replaceAll('\\', '/'))
      tree.set(path, await readFile(join(ROOT, path), 'utf8'))
    }
  }
  return tree
}

/** Static, dynamic and type imports, re-exports, and workers named by `new URL('./x.ts', import.meta.url)`. */
export function importsOf(path: string, text: string): Import[] {
  const code = blank(text, { comments: true, strings: false })
  const forms = [
    /\b(?:import|export)\b[^'"`;()]*?\bfrom\s*['"]([^'"]+)['"]/g,
    /\bimport\s*['"]([^'"]+)['"]/g,
    /\bimport\s*\(\s*['"`]([^'"`]+)['"`]/g,
    /\bnew URL\(\s*['"`](\.[^'"`$]+\.ts)['"`]\s*,\s*import\.meta\.url/g
  ]
  const specifiers = forms.flatMap(form => [...code.matchAll(form)].map(([, text]) => text!))
  // `./worker${extension}`: .ts here, .js once built
  const workers = code.matchAll(/\bnew URL\(\s*`(\.[^`$]+)\$\{[^`]*`\s*,\s*import\.meta\.url/g)
  for (const [, stem] of workers) specifiers.push(`${stem}.ts`)
  return [...new Set(specifiers)].map(specifier => ({
    specifier,
    target: specifier.startsWith('.')
      ? posix.normalize(posix.join(posix.dirname(path), specifier))
      : undefined
  }))
}

/** The code alone: comments and the contents of strings and templates become blanks, lines keep their numbers. */
export function codeOf(text: string): string {
  return blank(text, { comments: true, strings: true })
}

interface Blanks {
  comments: boolean
  strings: boolean
}

/** A regular expression can only start where a value can. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\breturn|\btypeof|\bcase|=>)\s*$/

function blank(text: string, what: Blanks): string {
  const hide = (part: string): string => part.replace(/[^\n]/g, ' ')
  let out = ''
  /** Depth of braces inside each template expression that is open. */
  const templates: number[] = []
  for (let at = 0; at < text.length; ) {
    const rest = text.slice(at, at + 2)
    let end = at + 1
    let hidden = false
    if (rest === '//') {
      end = endOf(text, at, '\n') - 1
      hidden = what.comments
    } else if (rest === '/*') {
      end = endOf(text, at + 2, '*/')
      hidden = what.comments
    } else if (text[at] === "'" || text[at] === '"') {
      end = endOfString(text, at + 1, text[at]!)
      hidden = what.strings
    } else if (text[at] === '`' || (text[at] === '}' && templates.at(-1) === 0)) {
      if (text[at] === '}') templates.pop()
      end = endOfTemplatePart(text, at + 1)
      hidden = what.strings
      if (text[end - 1] === '{') templates.push(0)
    } else if (text[at] === '/' && BEFORE_REGEX.test(out.slice(-40))) {
      end = endOfRegex(text, at + 1)
      hidden = what.strings
    } else if (templates.length > 0 && text[at] === '{') {
      templates[templates.length - 1]!++
    } else if (templates.length > 0 && text[at] === '}') {
      templates[templates.length - 1]!--
    }
    const part = text.slice(at, end)
    out += hidden ? hide(part) : part
    at = end
  }
  return out
}

function endOf(text: string, from: number, mark: string): number {
  const found = text.indexOf(mark, from)
  return found < 0 ? text.length + (mark === '\n' ? 1 : 0) : found + mark.length
}

function endOfString(text: string, from: number, quote: string): number {
  let at = from
  while (at < text.length && text[at] !== quote) at += text[at] === '\\' ? 2 : 1
  return at + 1
}

/** Up to the closing backtick, or to the brace that opens an expression. */
function endOfTemplatePart(text: string, from: number): number {
  let at = from
  while (at < text.length && text[at] !== '`') {
    if (text.startsWith('${', at)) return at + 2
    at += text[at] === '\\' ? 2 : 1
  }
  return at + 1
}

function endOfRegex(text: string, from: number): number {
  let at = from
  for (let inClass = false; at < text.length && (inClass || text[at] !== '/'); ) {
    if (text[at] === '[') inClass = true
    if (text[at] === ']') inClass = false
    at += text[at] === '\\' ? 2 : 1
  }
  return at + 1
}
