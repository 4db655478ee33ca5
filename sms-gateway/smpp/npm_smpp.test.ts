import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeWhole } from './decode.ts';
import { encode } from './encode.ts';
import type { Pdu } from './pdu.ts';
import { arbitraryPdu } from './testing/arbitrary_pdu.ts';
import { npmSmpp } from './testing/npm_smpp.ts';
import { TLV, tlvName } from './tlv.ts';
import type { Tlv } from './tlv.ts';

/**
 * The npm package `smpp` as a witness. Where it is known to be wrong it is not asked: it reads texts by data_coding and
 * esm_class (so texts are octets here, data_coding 4), times as dates, strings as seven bits, and drops bodies of errors
 * and TLVs it does not know.
 */
const ascii = /^[\x01-\x7f]*$/u;

/** TLVs that the package keeps as plain octets or numbers, once each. */
const PLAIN = new Map<number, 'octets' | 1 | 2 | 4>([
  [TLV.source_subaddress, 'octets'],
  [TLV.network_error_code, 'octets'],
  [TLV.its_session_info, 'octets'],
  [TLV.message_state, 1],
  [TLV.sar_total_segments, 1],
  [TLV.user_message_reference, 2],
  [TLV.source_port, 2],
  [TLV.qos_time_to_live, 4],
]);

function plainTlvs(tlvs: readonly Tlv[]): Tlv[] {
  const kept = new Map<number, Tlv>();
  for (const tlv of tlvs) {
    const kind = PLAIN.get(tlv.tag);
    if (kind === 'octets' || kind === tlv.value.length) kept.set(tlv.tag, tlv);
  }
  return [...kept.values()];
}

/** The arbitrary PDU within what the package is right about. */
function tame(pdu: Pdu): Pdu {
  const words = Object.entries(pdu).map(([field, value]): [string, unknown] => {
    if (field === 'command') return [field, value];
    if (field === 'command_status') return [field, 0];
    if (field === 'data_coding') return [field, 4];
    if (field === 'esm_class') return [field, Number(value) & 0x3c];
    if (['schedule_delivery_time', 'validity_period', 'final_date'].includes(field)) return [field, ''];
    return [field, typeof value === 'string' ? toAscii(value) : value];
  });
  // The package has one property for a field and for a TLV of the same name, which here is this one pair.
  const tlvs = plainTlvs(pdu.tlvs).filter(({ tag }) => pdu.command !== 'query_sm_resp' || tag !== TLV.message_state);
  return { ...(Object.fromEntries(words) as unknown as Pdu), tlvs };
}

function toAscii(text: string): string {
  return ascii.test(text) ? text : text.replaceAll(/[^\x01-\x7f]/gu, '?');
}

function lacksBody(pdu: Pdu): boolean {
  return ('message_id' in pdu && pdu.message_id === null) || ('system_id' in pdu && pdu.system_id === null);
}

/** The fields by the package's names and in its types. */
function theirFields(pdu: Pdu): Record<string, unknown> {
  const { tlvs, ...fields } = pdu;
  const named: Record<string, unknown> = { ...fields };
  delete named['dest_addresses'];
  delete named['unsuccess_smes'];
  if (pdu.command === 'submit_multi') {
    named['dest_address'] = pdu.dest_addresses.map((one) =>
      one.dest_flag === 2
        ? { dl_name: toAscii(one.dl_name) }
        : { ...one, destination_addr: toAscii(one.destination_addr) },
    );
  }
  if (pdu.command === 'submit_multi_resp') {
    named['unsuccess_sme'] = pdu.unsuccess_smes.map((one) => ({
      ...one,
      destination_addr: toAscii(one.destination_addr),
    }));
  }
  for (const { tag, value } of tlvs) {
    named[theirTlvName(tag)] = PLAIN.get(tag) === 'octets' ? value : Buffer.from(value).readUIntBE(0, value.length);
  }
  return named;
}

function theirTlvName(tag: number): string {
  return tag === TLV.destination_port ? 'dest_port' : tlvName(tag);
}

/** What can be compared of both: the package's PDUs carry more properties than were sent. */
function comparable(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const wanted = Object.entries(fields).map(([field, value]): [string, unknown] => {
    if (field === 'short_message') {
      const message = Buffer.isBuffer(value) ? value : (value as { message: unknown }).message;
      return [field, Buffer.from(message as Buffer).toString('hex')];
    }
    return [field, Buffer.isBuffer(value) ? value.toString('hex') : value];
  });
  return Object.fromEntries(wanted);
}

const arbitraryTame = arbitraryPdu
  .filter((pdu) => !lacksBody(pdu))
  .map(tame)
  .map((pdu): Pdu => {
    if (pdu.command === 'submit_multi') {
      const dest_addresses = pdu.dest_addresses.map((one) =>
        one.dest_flag === 2
          ? { ...one, dl_name: toAscii(one.dl_name) }
          : { ...one, destination_addr: toAscii(one.destination_addr) },
      );
      return { ...pdu, dest_addresses };
    }
    if (pdu.command !== 'submit_multi_resp') return pdu;
    return {
      ...pdu,
      unsuccess_smes: pdu.unsuccess_smes.map((one) => ({ ...one, destination_addr: toAscii(one.destination_addr) })),
    };
  });

describe('the npm package smpp', () => {
  it('reads every PDU of ours as we meant it', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(arbitraryTame, (pdu) => {
        const theirs = new npmSmpp.PDU(encode(pdu));
        expect(theirs.command).toBe(pdu.command);
        const wanted = comparable(theirFields(pdu));
        const got = comparable(Object.fromEntries(Object.keys(wanted).map((field) => [field, read(theirs, field)])));
        expect(got).toEqual(wanted);
        seen.add(pdu.command);
      }),
      { numRuns: 3_000 },
    );
    expect(seen.size).toBe(27);
  });

  it('writes every PDU as we do, and we read it', () => {
    fc.assert(
      fc.property(arbitraryTame, (pdu) => {
        const { sequence_number } = pdu;
        const octets = new npmSmpp.PDU(pdu.command, { ...theirFields(pdu), sequence_number }).toBuffer();
        expect(octets.toString('hex')).toBe(encode(pdu).toString('hex'));
        expect(decodeWhole(octets)).toEqual({ kind: 'pdu', pdu });
      }),
      { numRuns: 3_000 },
    );
  });
});

/** The package marks the kind of a destination by the names of its fields only. */
function read(theirs: Readonly<Record<string, unknown>>, field: string): unknown {
  const value = theirs[field];
  if (field !== 'dest_address') return value;
  return (value as { dl_name?: string }[]).map((one) =>
    one.dl_name === undefined ? { dest_flag: 1, ...one } : { dl_name: one.dl_name },
  );
}
