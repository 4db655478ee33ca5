import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { MoDelivery, ReceiptDelivery } from './delivery.ts';
import type { AnsweredFact, Counts, Fact } from './fact.ts';
import type { Submission } from './message.ts';

/** The facts that are rare enough to be written the slow way. */
export type RareFact = Exclude<
  Fact,
  { t: 'submit' | 'answered' | 'receipt' | 'receipt_ack' | 'receipt_lost' | 'mo' | 'mo_ack' | 'start' | 'stop' }
>;
type WithoutTime<F> = F extends Fact ? Omit<F, 'at'> : never;

/** A response to a submit. */
export type Answer = Omit<AnsweredFact, 'at' | 't'>;

/**
 * The append-only log: lines gather until `flush` writes them in one go. The lines of which there are thousands a second
 * are put together by hand, as JSON.stringify would be most of what the carrier does.
 */
export class FactLog {
  readonly counts: Counts = noCounts();
  /** Asked for a flush, each time the first line comes to wait. */
  onWaiting: () => void = () => undefined;
  readonly #descriptor: number;
  /** Whether texts, receipts and MOs get lines. */
  readonly #in_full: boolean;
  #waiting = '';

  constructor(file: string, log: 'facts' | 'counts') {
    mkdirSync(dirname(file), { recursive: true });
    this.#descriptor = openSync(file, 'a+', 0o600);
    this.#in_full = log === 'facts';
    dropTornLine(this.#descriptor);
  }

  rare(fact: WithoutTime<RareFact>): void {
    this.#append(`{"at":${Date.now()},${JSON.stringify(fact).slice(1)}\n`);
  }

  started(port: number): void {
    this.#append(`{"at":${Date.now()},"t":"start","port":${port}}\n`);
  }

  submit(bind: string, conn: number, text: Submission, id: string | null, status: number): void {
    this.counts.submits += 1;
    if (status === 0) this.counts.accepted += 1;
    else this.counts.refused += 1;
    if (!this.#in_full) return;
    const { command, segment, validity_period, user_message_reference } = text;
    const cmd = command === 'submit_sm' ? '' : `"cmd":"${command}",`;
    const ref = segment === null ? 'null' : `{"ref":${segment.ref},"of":${segment.of},"part":${segment.part}}`;
    const vp = validity_period === '' ? '' : `,"vp":${quoted(validity_period)}`;
    const umr = user_message_reference === null ? '' : `,"umr":${user_message_reference}`;
    this.#append(
      `{"at":${Date.now()},"t":"submit",${cmd}"seq":${text.sequence_number},"conn":${conn},"bind":${quoted(bind)},` +
        `"from":${quoted(text.from)},"from_ton":${text.from_ton},"to":${quoted(text.to)},"to_ton":${text.to_ton},` +
        `"dc":${text.data_coding},"esm":${text.esm_class},"hex":"${hexOf(text.octets)}","ref":${ref},` +
        `"rd":${text.registered_delivery}${vp}${umr},"id":${id === null ? 'null' : `"${id}"`},"status":${status}}\n`,
    );
  }

  answered({ seq, conn, id, status }: Answer): void {
    this.counts.answered += 1;
    if (!this.#in_full) return;
    this.#append(
      `{"at":${Date.now()},"t":"answered","seq":${seq},"conn":${conn},"id":${id === null ? 'null' : `"${id}"`},"status":${status}}\n`,
    );
  }

  receipt({ message, as, outcome, copy, is_early, tries }: ReceiptDelivery, conn: number): void {
    this.counts.receipts_sent += 1;
    if (!this.#in_full) return;
    this.#append(
      `{"at":${Date.now()},"t":"receipt","id":"${message.id}","as":"${as}","stat":"${outcome.stat}","err":"${outcome.err}",` +
        `"copy":${copy},"try":${tries}${is_early ? ',"early":true' : ''},"conn":${conn}}\n`,
    );
  }

  receiptAck({ message, outcome, copy, tries }: ReceiptDelivery, conn: number, status: number): void {
    if (status === 0) this.counts.receipts_acked += 1;
    if (!this.#in_full) return;
    this.#append(
      `{"at":${Date.now()},"t":"receipt_ack","id":"${message.id}","stat":"${outcome.stat}","copy":${copy},"try":${tries},` +
        `"conn":${conn},"status":${status}}\n`,
    );
  }

  receiptLost(id: string, stat: string): void {
    this.counts.receipts_lost += 1;
    if (this.#in_full) this.#append(`{"at":${Date.now()},"t":"receipt_lost","id":"${id}","stat":"${stat}"}\n`);
  }

  mo({ mo, part, of, body, tries }: MoDelivery, conn: number): void {
    this.counts.mo_parts_sent += 1;
    if (!this.#in_full) return;
    this.#append(
      `{"at":${Date.now()},"t":"mo","mo":${mo},"part":${part},"of":${of},"from":${quoted(body.source_addr)},` +
        `"to":${quoted(body.destination_addr)},"dc":${body.data_coding},"esm":${body.esm_class},` +
        `"hex":"${hexOf(body.short_message)}","try":${tries},"conn":${conn}}\n`,
    );
  }

  moAck({ mo, part, tries }: MoDelivery, conn: number, status: number): void {
    if (status === 0) this.counts.mo_parts_acked += 1;
    if (!this.#in_full) return;
    this.#append(
      `{"at":${Date.now()},"t":"mo_ack","mo":${mo},"part":${part},"try":${tries},"conn":${conn},"status":${status}}\n`,
    );
  }

  flush(): void {
    if (this.#waiting === '') return;
    const octets = Buffer.from(this.#waiting, 'utf8');
    this.#waiting = '';
    // The kernel may take less than all, as where the disk is full: the next round then says why.
    for (let at = 0; at < octets.length;) at += writeSync(this.#descriptor, octets, at);
  }

  close(): void {
    this.#append(`{"at":${Date.now()},"t":"stop","counts":${JSON.stringify(this.counts)}}\n`);
    this.flush();
    closeSync(this.#descriptor);
  }

  #append(line: string): void {
    if (this.#waiting === '') this.onWaiting();
    this.#waiting += line;
  }
}

function noCounts(): Counts {
  return {
    submits: 0,
    accepted: 0,
    distinct_ids: 0,
    refused: 0,
    answered: 0,
    receipts_sent: 0,
    receipts_acked: 0,
    receipts_lost: 0,
    mo_parts_sent: 0,
    mo_parts_acked: 0,
  };
}

const NEEDS_CARE = /["\\\x00-\x1f\x7f-\uffff]/u;

function quoted(text: string): string {
  return NEEDS_CARE.test(text) ? JSON.stringify(text) : `"${text}"`;
}

function hexOf(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('hex');
}

/** A carrier that was killed in the middle of a write told nobody of what that write says. */
function dropTornLine(descriptor: number): void {
  const size = fstatSync(descriptor).size;
  const tail = Buffer.alloc(Math.min(size, 65_536));
  readSync(descriptor, tail, 0, tail.length, size - tail.length);
  const last = tail.lastIndexOf(0x0a);
  if (tail.length > 0 && last < 0) throw new Error('The end of the log is no line: this is no log of the carrier.');
  const torn_octets = tail.length - 1 - last;
  if (torn_octets > 0) ftruncateSync(descriptor, size - torn_octets);
}
