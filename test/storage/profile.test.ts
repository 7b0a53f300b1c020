import assert from 'node:assert/strict'
import {
  checkProfile,
  DEFAULT_PROFILE,
  formatProfile,
  PROFILES,
  parseProfile,
  shareBytesOf
} from '../../src/storage/profile.ts'

describe('profile', () => {
  it('reads and writes k/n', () => {
    for (const text of ['1/2', '4/8', '4/10', '10/30', '29/80', '255/256']) {
      assert.equal(formatProfile(parseProfile(text)), text)
    }
  })

  it('refuses what is not an erasure code', () => {
    const impossible = ['9/4', '4/4', '0/4', '4/257', '256/256', '4', '4/', '/8', '04/8', '4/8 ']
    for (const text of [...impossible, '-4/8', '4.0/8', '4e0/8', '4/8/9', '', 'small', '٤/٨']) {
      assert.throws(() => parseProfile(text), { code: 'PROFILE_IMPOSSIBLE' }, text)
    }
    assert.throws(() => checkProfile({ k: 1.5, n: 3 }), { code: 'PROFILE_IMPOSSIBLE' })
    assert.throws(() => checkProfile({ k: Number.NaN, n: 3 }), { code: 'PROFILE_IMPOSSIBLE' })
  })

  it('has a menu of possible profiles', () => {
    for (const profile of Object.values(PROFILES)) checkProfile(profile)
    assert.equal(formatProfile(DEFAULT_PROFILE), '4/8')
  })

  it('gives wider codes shorter shares', () => {
    const shareBytes = [1, 8, 9, 16, 17, 255].map(k => shareBytesOf({ k, n: 256 }))
    assert.deepEqual(shareBytes, [65_536, 65_536, 32_768, 32_768, 16_384, 16_384])
  })
})
