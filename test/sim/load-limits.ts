/**
 * Powers that scenarios of changing sets begin with. Nobody unbonds more than a sixth of that, so honest validators
 * keep their quorum whatever is bonded and unbonded.
 */
export const SET_CHANGE_POWER_MIN = 12n
