/**
 * Paths of objects: "/" followed by parts joined with "/", in Unicode NFC. One spelling per object, because keys are
 * derived from the text: two spellings would be two objects that look alike.
 */
import { utf8 } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import { PATH_BYTES_MAX } from '../base/limits.ts'

/** NFC shortens a text to a quarter of its UTF-16 length at most; anything longer cannot end up short enough. */
const TEXT_LENGTH_MAX: number = 4 * PATH_BYTES_MAX

/**
 * The path of an object in its one spelling.
 * @throws HoldfastError INVALID_ARGUMENT unless it starts with "/", has no empty, "." or ".." part (so no trailing "/"
 * either), no control character, and at most PATH_BYTES_MAX bytes of UTF-8
 */
export function normalisePath(text: string): string {
  if (text.length > TEXT_LENGTH_MAX) throw invalid('too long')
  if (!text.startsWith('/')) throw invalid('it must start with "/"')
  if (!text.isWellFormed()) throw invalid('it is not valid Unicode')
  if (/\p{Cc}/u.test(text)) throw invalid('it contains a control character')
  const path = text.normalize('NFC')
  if (utf8(path).length > PATH_BYTES_MAX) throw invalid(`more than ${PATH_BYTES_MAX} bytes`)
  for (const part of path.slice(1).split('/')) {
    if (part === '') throw invalid('it has an empty part or ends with "/"')
    if (part === '.' || part === '..') throw invalid('it has a "." or ".." part')
  }
  return path
}

/**
 * A prefix (folder): "/" for everything, else like a path; one trailing "/" is dropped.
 * @throws HoldfastError INVALID_ARGUMENT as for paths
 */
export function normalisePrefix(text: string): string {
  if (text === '/') return text
  return normalisePath(text.endsWith('/') ? text.slice(0, -1) : text)
}

/** The parts of a normalised path or prefix; none for "/". */
export function pathParts(path: string): string[] {
  return path === '/' ? [] : path.slice(1).split('/')
}

function invalid(reason: string): HoldfastError {
  return new HoldfastError('INVALID_ARGUMENT', `not a path: ${reason}`, {
    hint: 'write paths like /photos/2024/cat.jpg'
  })
}
