import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { bounceClass, enhancedStatus } from './bounce_class.ts';
import type { BouncedAt } from './bounce_class.ts';
import { failedRecipients } from './delivery_report.ts';
import { isOfMailTo, newMailId } from './mail_id.ts';

describe('why a mail came back', () => {
  it.each<[string, BouncedAt, string]>([
    ['550 5.1.1 <ada@example.org>: User unknown', 'recipient', 'no_mailbox'],
    ['550-5.1.1 The account does not exist', 'recipient', 'no_mailbox'],
    ['556 5.1.10 the domain takes no mail', 'recipient', 'no_mailbox'],
    ['550 5.2.1 The account is disabled', 'recipient', 'no_mailbox'],
    ['550 User unknown', 'recipient', 'no_mailbox'],
    ['552 5.2.2 Mailbox full', 'recipient', 'full'],
    ['552 Mailbox full', 'recipient', 'full'],
    // About us, not about who it is for.
    ['553 5.1.8 Sender has no domain', 'recipient', 'policy'],
    ['550 5.7.1 Your network is on a list', 'recipient', 'policy'],
    ['554 Transaction failed', 'recipient', 'policy'],
    ['550 This looks like spam', 'content', 'policy'],
    ['554 5.6.0 It cannot be read', 'content', 'policy'],
    ['550 5.5.0 No', 'recipient', 'other'],
    ['500 What?', 'recipient', 'other'],
    // By words alone, where there is no code to go by.
    ['550 Your address is blocked, see our page', 'recipient', 'policy'],
    ['550 192.0.2.1 is on a blacklist', 'recipient', 'policy'],
    ['550 Refused by local policy', 'report', 'policy'],
    ['550 It looks like SPAM', 'report', 'policy'],
    ['550 <spam@example.org>: no such user', 'recipient', 'no_mailbox'],
    ['550 5.1.1 No such user; read our policy', 'recipient', 'no_mailbox'],
  ])('of “%s” is told by its codes', (answer, at, expected) => {
    expect(bounceClass(Number(answer.slice(0, 3)), enhancedStatus(answer), at, answer)).toBe(expected);
  });
});

const report = (group: string): string =>
  `Reporting-MTA: dns; mx.example.org\r\n\r\n${group}\r\n\r\nReceived: whatever`;

describe('a delivery report', () => {
  it('names those whom the mail did not reach for good, and nobody else', () => {
    const failed = 'Final-Recipient: rfc822; ada@example.org\r\nAction: failed\r\nStatus: 5.1.1';
    const diagnosed = `${failed} (no such user)\r\nDiagnostic-Code: smtp;\r\n 550-5.1.1 no such\r\n user`;
    expect(failedRecipients(report(diagnosed))).toEqual([
      { addresses: ['ada@example.org'], status: '5.1.1', smtp_code: 550, words: 'smtp; 550-5.1.1 no such user' },
    ]);
    const forwarded = `Original-Recipient: RFC822;<eve@example.org>\r\n${failed}`;
    expect(failedRecipients(report(forwarded))).toEqual([
      { addresses: ['eve@example.org', 'ada@example.org'], status: '5.1.1', smtp_code: null, words: '' },
    ]);
    for (const action of ['delayed', 'delivered', 'relayed', 'expanded']) {
      expect(failedRecipients(report(failed.replace('failed', action)))).toEqual([]);
    }
    for (const nothing of [
      '',
      'Action: failed',
      'Action: failed\r\nFinal-Recipient: x400; whatever',
      '\r\n'.repeat(9999),
    ]) {
      expect(failedRecipients(report(nothing))).toEqual([]);
    }
    expect(failedRecipients(Array.from({ length: 500 }, () => failed).join('\r\n\r\n'))).toHaveLength(20);
  });
});

describe('the id of a mail', () => {
  it('is of that mail to that address alone, and nobody else can make one', () => {
    const ring = { index_key: randomBytes(32) };
    const id = newMailId(ring, 'Ada@Example.org', 'Us <no-reply@letsdial.example>');
    expect(id).toMatch(/^<[0-9a-f-]{36}\.[0-9a-f]{32}@letsdial\.example>$/u);
    expect(isOfMailTo(ring, `Message-ID: ${id}\r\n`, 'ada@example.org')).toBe(true);
    expect(isOfMailTo(ring, `Message-ID: ${id}\r\n`, 'eve@example.org')).toBe(false);
    expect(isOfMailTo({ index_key: randomBytes(32) }, id, 'ada@example.org')).toBe(false);
    expect(isOfMailTo(ring, `<${'0'.repeat(36)}.${'0'.repeat(32)}@letsdial.example>`, 'ada@example.org')).toBe(false);
    expect(isOfMailTo(ring, '', 'ada@example.org')).toBe(false);
  });
});
