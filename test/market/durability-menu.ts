/** The menu of docs/DURABILITY.md, computed: what each profile costs and how safe it is at the default rates. */
import { durabilityOf, ratesOf, repairThreshold } from '../../src/market/index.ts'

const CODES = [
  [1, 3],
  [3, 6],
  [4, 8],
  [3, 10],
  [8, 16],
  [10, 20],
  [16, 32],
  [10, 30],
  [29, 80]
] as const

/** Daily periods, a week until a silent provider is given up, 8 % of providers lost a year. */
const RATES = ratesOf([], { periodMs: 86_400_000, abandonPeriods: 7 })

/** Lines of a Markdown table. */
export function menuTable(): string[] {
  const rows = CODES.map(([k, n]) => {
    const code = { k, n }
    const at = repairThreshold(code, RATES)
    const lazy = durabilityOf(code, at, RATES)
    const cells = [
      `${k}/${n}`,
      `${(n / k).toFixed(2)}×`,
      `${n - k}`,
      at === n - 1 ? 'at once' : `${at}`,
      `${lazy.repairBytesPerLostByte.toFixed(2)}×`,
      lazy.lossPerYear.toExponential(1),
      `${lazy.nines}`
    ]
    return `| ${cells.join(' | ')} |`
  })
  return [
    '| profile | stored per byte | pieces it can lose | repaired when so many are left | read per lost byte | loss per year | nines |',
    '|---|---|---|---|---|---|---|',
    ...rows
  ]
}
