import { randomUUID } from 'node:crypto';
import { inTransaction } from '../../domain/db/transaction.ts';
import type pg from 'pg';
import { documentsInForce, insertDraft, scheduleDocument } from './document_rows.ts';
import type { DocumentKind } from './document_rows.ts';
import { bringIntoForce } from './legal_tasks.ts';

/** Short texts for an operator to begin with, and for his lawyer to replace. */
const TEXTS: Readonly<Record<DocumentKind, { title: string; body: string }>> = {
  terms: {
    title: 'General terms and conditions',
    body: `# General terms and conditions

1. **The service.** We provide telephone numbers, calls and text messages over the internet. You pay in advance from a wallet.
2. **Your account.** What you tell us about yourself is true, and you keep it up to date. Some numbers may only be given to people whose identity or address was checked; where that is so, you are told before you buy.
3. **What is not allowed.** Calls and messages that are unlawful, that deceive people about who calls, or that nobody asked for. We may restrict an account that is used so. You are told why, how far and until when, and can appeal; somebody else then decides.
4. **Numbers.** A number is yours to use while you pay for it. It can be moved to another operator, and to another customer if both agree. Where two customers say that a number is theirs, we hear both, and two of us decide.
5. **Ending it.** You can cancel a number at once or for the end of its period, and are shown before what you get back.
6. **Emergencies.** Calls for help are never refused for want of money. Tell whoever answers where you are.
`,
  },
  privacy: {
    title: 'Privacy notice',
    body: `# Privacy notice

We keep what the service needs and no more: who you are, what you bought, whom you called or wrote to, for how long, and from where you signed in. What is sensitive is encrypted with a key of your own.

What you wrote in messages is erased after 90 days. Bills are kept for as long as the law asks. Carriers get the numbers of a call or a message, as they could not connect it otherwise; providers of numbers get the documents that their country's rules ask for.

You can see at any time who of us looked at your data and why.
`,
  },
  payment_policy: {
    title: 'Payments and refunds',
    body: `# Payments and refunds

Prices are shown before you buy and are net of tax. Calls are charged by the second and messages by the segment, from your wallet, as they happen. A price that was in force when a call began holds to its end.

A number that we cannot provide is not charged. What you cancel early is given back as the preview says. A payment that your bank takes back is taken out of your wallet, and until that is settled you cannot buy anything.
`,
  },
};

/** Puts the first version of each kind in force where there is none yet. */
export async function seedLegalDocuments(pool: pg.Pool, now: Date): Promise<void> {
  await inTransaction(pool, async (tx) => {
    const known = new Set((await documentsInForce(tx, now)).map(({ kind }) => kind));
    for (const [kind, text] of Object.entries(TEXTS) as [DocumentKind, (typeof TEXTS)[DocumentKind]][]) {
      if (known.has(kind)) continue;
      const draft = await insertDraft(tx, {
        ...{ id: randomUUID(), kind, locale: 'en', ...text, change_note: 'The first version.', is_material: true },
        ...{ translates_version: null, written_by: 'seed', now },
      });
      if (draft !== null) await scheduleDocument(tx, draft.id, { in_force_from: now, published_by: 'seed' });
    }
    await bringIntoForce(tx, now);
  });
}
