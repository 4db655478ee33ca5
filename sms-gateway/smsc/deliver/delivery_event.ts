/** What is told of deliveries to binds, for counters and for the log. */
export type DeliveryEvent =
  | { type: 'delivered'; delivery_id: bigint; system_id: string }
  | { type: 'failed'; delivery_id: bigint; system_id: string; why: string; failures: number; next_at: Date }
  /** It is kept as a dead letter and not attempted any more. */
  | { type: 'dead'; delivery_id: bigint; system_id: string; why: string }
  /** It was never sent, and is due as before. */
  | { type: 'given_back'; delivery_id: bigint; system_id: string }
  /** The database was not reached; it is asked again. */
  | { type: 'outage'; error: Error }
  /** What came of a delivery could not be written, so it will be attempted once more. */
  | { type: 'unwritten'; delivery_id: bigint; error: Error };
