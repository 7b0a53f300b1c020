/** Evidence: bundles that prove offline what the ledger says of deals. browser.ts is the part that checks them. */
export * from './browser.ts'
export {
  type BundleHolding,
  type BundleRecord,
  EVIDENCE_RECORDS_MAX,
  encodeBundle
} from './bundle.ts'
export { pathTo } from './path.ts'
