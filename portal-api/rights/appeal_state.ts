/**
 * An appeal against a restriction; decided once, by an admin who did not set the restriction.
 *
 *     open ──uphold──> upheld
 *      └─────lift────> lifted, and the restriction ends
 */
export type AppealState = 'open' | 'upheld' | 'lifted';

export type AppealEvent = 'uphold' | 'lift';

const steps: Readonly<Record<AppealState, Partial<Record<AppealEvent, AppealState>>>> = {
  open: { uphold: 'upheld', lift: 'lifted' },
  upheld: {},
  lifted: {},
};

/** The state after it; null where it is decided already. */
export function stepAppeal(state: AppealState, event: AppealEvent): AppealState | null {
  return steps[state][event] ?? null;
}
