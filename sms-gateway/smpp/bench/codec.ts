import { decodeWhole } from '../decode.ts';
import { encode, writePdu } from '../encode.ts';
import { OctetWriter } from '../octet_writer.ts';
import type { ShortMessageBody } from '../pdu.ts';
import { NO_TLVS, TLV, tlvText, tlvUint8 } from '../tlv.ts';
import { npmSmpp } from '../testing/npm_smpp.ts';

/** Ours and the npm package `smpp` by turns in one run, so that what else the machine does meets both. */
const ROUNDS = 9;
const OURS_A_ROUND = 100_000;
const THEIRS_A_ROUND = 5_000;

const SUBMIT_SM: ShortMessageBody = {
  command: 'submit_sm',
  service_type: '',
  source_addr_ton: 5,
  source_addr_npi: 0,
  source_addr: 'Letsdial',
  dest_addr_ton: 1,
  dest_addr_npi: 1,
  destination_addr: '36301234567',
  esm_class: 0,
  protocol_id: 0,
  priority_flag: 0,
  schedule_delivery_time: '',
  validity_period: '',
  registered_delivery: 1,
  replace_if_present_flag: 0,
  data_coding: 0,
  sm_default_msg_id: 0,
  short_message: Buffer.from('Your code is 482913. It is good for ten minutes; tell it to nobody.', 'latin1'),
  tlvs: NO_TLVS,
};

const DELIVER_SM: ShortMessageBody = {
  ...SUBMIT_SM,
  command: 'deliver_sm',
  source_addr_ton: 1,
  source_addr_npi: 1,
  source_addr: '36301234567',
  dest_addr_ton: 5,
  dest_addr_npi: 0,
  destination_addr: 'Letsdial',
  esm_class: 4,
  registered_delivery: 0,
  short_message: Buffer.from(
    'id:0123456789 sub:001 dlvrd:001 submit date:2610101200 done date:2610101201 stat:DELIVRD err:000 text:Your code is 482913',
    'latin1',
  ),
  tlvs: [tlvText(TLV.receipted_message_id, '0123456789'), tlvUint8(TLV.message_state, 2)],
};

/** Microseconds of CPU an operation, the median of the rounds; garbage collection is in it, waiting for a core is not. */
class Stopwatch {
  readonly #rounds_us: number[] = [];

  time(count: number, work: () => void): void {
    const begin = process.cpuUsage();
    for (let at = 0; at < count; at += 1) work();
    const { user, system } = process.cpuUsage(begin);
    this.#rounds_us.push((user + system) / count);
  }

  get median_us(): number {
    return this.#rounds_us.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN;
  }
}

interface Line {
  what: string;
  ours_us: number;
  theirs_us: number;
  ratio: number;
}

function compare(what: string, ours: () => void, theirs: () => void): Line {
  const [our_watch, their_watch] = [new Stopwatch(), new Stopwatch()];
  for (let round = 0; round < ROUNDS; round += 1) {
    our_watch.time(OURS_A_ROUND, ours);
    their_watch.time(THEIRS_A_ROUND, theirs);
  }
  const [ours_us, theirs_us] = [our_watch.median_us, their_watch.median_us];
  const ratio = theirs_us / ours_us;
  console.log(
    `  ${what.padEnd(20)} ours ${ours_us.toFixed(2)} µs, npm smpp ${theirs_us.toFixed(2)} µs: ${ratio.toFixed(1)} times as fast`,
  );
  return { what, ours_us, theirs_us, ratio };
}

function compareBoth(name: string, body: ShortMessageBody): Line[] {
  const bytes = encode({ ...body, command_status: 0, sequence_number: 1 });
  const { command, tlvs, ...fields } = body;
  const their_tlvs = tlvs.length === 0 ? {} : { receipted_message_id: '0123456789', message_state: 2 };
  const theirs = (): Buffer => new npmSmpp.PDU(command, { ...fields, ...their_tlvs, sequence_number: 1 }).toBuffer();
  if (!theirs().equals(bytes)) throw new Error(`The two do not encode ${name} alike, so there is nothing to compare.`);
  const writer = new OctetWriter();
  return [
    compare(
      `${name} encode`,
      () => {
        writer.length_octets = 0;
        writePdu(writer, body, 0, 1);
      },
      theirs,
    ),
    compare(
      `${name} decode`,
      () => decodeWhole(bytes),
      () => new npmSmpp.PDU(bytes),
    ),
  ];
}

console.log('SMPP codec, microseconds of CPU a PDU, medians:');
const lines = [...compareBoth('submit_sm', SUBMIT_SM), ...compareBoth('deliver_sm', DELIVER_SM)];
console.log(
  JSON.stringify(
    Object.fromEntries(
      lines.flatMap(({ what, ours_us, ratio }) => {
        const name = what.replace(' ', '_');
        return [
          [`${name}_us`, Number(ours_us.toFixed(2))],
          [`${name}_ratio`, Number(ratio.toFixed(1))],
        ];
      }),
    ),
  ),
);
