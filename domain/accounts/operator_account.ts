/** To whom the operator's own texts and calls belong. Nobody signs in to it, and it has no money. */
export const OPERATOR_ACCOUNT_ID = '00000000-0000-4000-8000-000000000001';
