/** Second part of the demo: proving periods pass, and money moves from the client's escrow to the providers. */
import { setTimeout as sleep } from 'node:timers/promises'
import { formatMoney, formatTable } from '../../bin/format.ts'
import type { Balance, DealRow, LedgerStatus } from '../../src/index.ts'
import { check, holdfast } from './holdfast.ts'
import { type Demo, namesOf } from './store.ts'

export interface Earnings {
  periods: number
  paidUnits: bigint
}

const PERIODS_WANTED = 2
const POLL_MS = 750
const WAIT_MS = 90_000

interface Books {
  client: Balance
  /** In the order of network.providers. */
  providers: Balance[]
  /** Paid in all deals, before and after the wallets were read: the ledger does not wait for us. */
  paidUnitsMin: bigint
  paidUnitsMax: bigint
}

/** Waits until every deal is proven and paid for two periods; shows each step, and what moved between the wallets. */
export async function provePeriods(demo: Demo): Promise<Earnings> {
  const { network, report } = demo
  const before = await readBooks(demo)
  const deals = await waitForProofs(demo)
  const after = await readBooks(demo)
  const paidUnits = sumOf(deals.map(deal => deal.paidUnits))
  const spentUnits = totalOf(before.client) - totalOf(after.client)
  check(
    spentUnits > 0n &&
      spentUnits >= after.paidUnitsMin - before.paidUnitsMax &&
      spentUnits <= after.paidUnitsMax - before.paidUnitsMin,
    'the client lost what the deals say was paid, and nothing else'
  )
  const rows = network.providers.map(({ name }, i) => {
    const earned = totalOf(after.providers[i]!) - totalOf(before.providers[i]!)
    return { name, change: earned }
  })
  for (const { name, change } of rows) check(change > 0n, `${name} has more than before`)
  const table = formatTable(
    [...rows, { name: network.client.name, change: -spentUnits }],
    [
      ['wallet', ({ name }) => name],
      ['change', ({ change }) => signed(change)]
    ],
    'no wallets'
  )
  const facts = { paidUnits, before, after }
  report.event('balances', facts, `what moved; providers pay the fees of their proofs\n${table}`)
  return { periods: Math.min(...deals.map(deal => deal.provenPeriods)), paidUnits }
}

async function waitForProofs(demo: Demo): Promise<DealRow[]> {
  const { network, report, signal, n } = demo
  const nameOf = namesOf(network)
  const endMs = performance.now() + WAIT_MS
  let shown = ''
  for (;;) {
    const deals = await holdfast<DealRow[]>(network.client.home, ['deals'], signal)
    const late = deals.find(({ missedPeriods }) => missedPeriods > 0)
    check(
      late === undefined,
      `${late && nameOf(late.provider)} missed no period: nobody failed yet`
    )
    const proven = deals.map(deal => deal.provenPeriods)
    const paidUnits = sumOf(deals.map(deal => deal.paidUnits))
    const line = `${proven.join(' ')} ${paidUnits}`
    if (line !== shown) {
      shown = line
      const { period } = await holdfast<LedgerStatus>(
        network.client.home,
        ['ledger', 'status'],
        signal
      )
      const text = `period ${period}: ${proven.reduce((sum, count) => sum + count, 0)} proofs accepted, ${formatMoney(paidUnits)} paid`
      report.progress('prove', { period, provenPeriods: proven, paidUnits }, text)
    }
    const done = deals.every(deal => isPaid(deal))
    if (deals.length === n && done) return deals
    check(performance.now() < endMs, `${PERIODS_WANTED} periods are proven and paid in time`)
    await sleep(POLL_MS, undefined, { signal })
  }
}

/** At least that many periods are settled. The deal held the same bytes in all of them, so each costs the same. */
function isPaid({ provenPeriods, paidUnits, owedUnits }: DealRow): boolean {
  const earnedUnits = paidUnits + owedUnits
  return (
    earnedUnits > 0n && paidUnits * BigInt(provenPeriods) >= BigInt(PERIODS_WANTED) * earnedUnits
  )
}

async function readBooks({ network, signal }: Demo): Promise<Books> {
  const { client, providers } = network
  const balance = (home: string): Promise<Balance> => holdfast(home, ['wallet', 'balance'], signal)
  const paid = async (): Promise<bigint> =>
    sumOf((await holdfast<DealRow[]>(client.home, ['deals'], signal)).map(deal => deal.paidUnits))
  const paidUnitsMin = await paid()
  const clientBalance = await balance(client.home)
  const paidUnitsMax = await paid()
  const balances = await Promise.all(providers.map(({ home }) => balance(home)))
  return { client: clientBalance, providers: balances, paidUnitsMin, paidUnitsMax }
}

function totalOf({ available, escrow, collateral }: Balance): bigint {
  return available + escrow + collateral
}

function sumOf(values: readonly bigint[]): bigint {
  return values.reduce((sum, value) => sum + value, 0n)
}

function signed(units: bigint): string {
  return units < 0n ? `-${formatMoney(-units)}` : `+${formatMoney(units)}`
}
