/**
 * Erasure-code profiles: k of n pieces restore a segment. The share length follows from k alone, so a profile is
 * fully described by "k/n".
 */
import { HoldfastError } from '../base/errors.ts'
import { KIB, PIECES_PER_SEGMENT_MAX } from '../base/limits.ts'

export interface Profile {
  /** Pieces needed to restore a segment. */
  readonly k: number
  /** Pieces made of a segment. */
  readonly n: number
}

/** The menu: from a handful of home servers to a wide network. */
export const PROFILES: Readonly<Record<'small' | 'medium' | 'large', Profile>> = {
  small: { k: 4, n: 8 },
  medium: { k: 10, n: 30 },
  large: { k: 29, n: 80 }
}

export const DEFAULT_PROFILE: Profile = PROFILES.small

const PROFILE_FORM = /^([1-9]\d{0,2})\/([1-9]\d{0,2})$/

/** @throws HoldfastError PROFILE_IMPOSSIBLE unless "k/n" in decimal with 1 <= k < n <= 256 */
export function parseProfile(text: string): Profile {
  const match = PROFILE_FORM.exec(text)
  return checkProfile({ k: Number(match?.[1]), n: Number(match?.[2]) }, text)
}

export function formatProfile(profile: Profile): string {
  return `${profile.k}/${profile.n}`
}

/**
 * The same profile if it is possible.
 * @throws HoldfastError PROFILE_IMPOSSIBLE unless integers with 1 <= k < n <= 256
 */
export function checkProfile(profile: Profile, shown: string = formatProfile(profile)): Profile {
  const { k, n } = profile
  const fits = Number.isInteger(k) && Number.isInteger(n) && 1 <= k && k < n
  if (!fits || n > PIECES_PER_SEGMENT_MAX) {
    throw new HoldfastError('PROFILE_IMPOSSIBLE', `not an erasure code: ${shown}`, {
      hint: `write k/n with 1 <= k < n <= ${PIECES_PER_SEGMENT_MAX}, for example 4/8`
    })
  }
  return profile
}

/** Length of a share of a full stripe: narrow codes take long shares, so that a stripe stays near half a MiB. */
export function shareBytesOf(profile: Profile): number {
  if (profile.k <= 8) return 64 * KIB
  return profile.k <= 16 ? 32 * KIB : 16 * KIB
}
