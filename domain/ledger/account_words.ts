/** Kinds of ledger accounts, as the customer or an auditor reads them. */
const accounts: Readonly<Record<string, string>> = {
  wallet_cash: "the wallet's cash",
  wallet_promo: "the wallet's promo credit",
  revenue: 'revenue',
  tax_payable: 'tax owed',
  operator_loss: "the operator's loss",
  carrier_cost: 'cost of the carrier',
  carrier_payable: 'owed to the carrier',
};

export function accountWords(account: string, carrier: string | null): string {
  const words = accounts[account] ?? account.replaceAll('_', ' ');
  return carrier === null ? words : `${words} ${carrier}`;
}
