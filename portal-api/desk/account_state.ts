/**
 * An account, as the desk moves it.
 *
 *     inactive ──activate──> active ←──reinstate── suspended
 *         │                    │└────suspend───────────↑ │
 *         └──────close────> closed <─────close───────────┘
 */
export type AccountState = 'inactive' | 'active' | 'suspended' | 'closed';

export type AccountEvent = 'suspend' | 'reinstate' | 'activate' | 'close';

const steps: Readonly<Record<AccountState, Partial<Record<AccountEvent, AccountState>>>> = {
  inactive: { activate: 'active', close: 'closed' },
  active: { suspend: 'suspended', close: 'closed' },
  suspended: { reinstate: 'active', close: 'closed' },
  closed: {},
};

/** The state after it; null where the event is none for this state. */
export function stepAccount(state: AccountState, event: AccountEvent): AccountState | null {
  return steps[state][event] ?? null;
}
