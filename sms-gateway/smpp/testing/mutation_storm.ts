import fc from 'fast-check';
import { encode } from '../encode.ts';
import { NO_TLVS } from '../tlv.ts';
import { arbitraryPdu } from './arbitrary_pdu.ts';
import { RawPeer } from './raw_peer.ts';
import { sampleBind } from './sample.ts';

export interface StormReport {
  pdus: number;
  /** Connections that were closed, each after something that cannot be framed or that ends a session. */
  reconnects: number;
  enquiries_answered: number;
}

const BATCH_PDUS = 50;
const POOL_PDUS = 600;
const LONGEST_PDU_OCTETS = 65_536;
/** So many batches have one whose length is wrong. */
const MISFRAMED_SHARE = 0.1;

/** Small and fast, and the same numbers for the same seed (mulberry32). */
function dice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Changes octets behind the length, so that the framing stays. */
function mutate(octets: Buffer, random: () => number): Buffer {
  const mutant = Buffer.from(octets);
  for (let changes = 1 + Math.floor(random() * 4); changes > 0; changes -= 1) {
    mutant[4 + Math.floor(random() * (mutant.length - 4))] = Math.floor(random() * 256);
  }
  if (random() < 0.7) return mutant;
  // Cut, with the length of what is left: the fields run out.
  const cut = mutant.subarray(0, 16 + Math.floor(random() * (mutant.length - 16)));
  cut.writeUInt32BE(cut.length, 0);
  return cut;
}

/**
 * A length that is not the PDU's. Whatever the server takes for the rest of that PDU, the octets behind it fill it up,
 * and are no PDU themselves: the connection must be closed.
 */
function misframe(octets: Buffer, random: () => number): Buffer {
  const mutant = Buffer.concat([octets, Buffer.alloc(LONGEST_PDU_OCTETS + 4, 0xff)]);
  mutant[Math.floor(random() * 4)] = Math.floor(random() * 256);
  return mutant;
}

/**
 * Throws mutated PDUs of every kind at whoever is at the other end, and asks after each batch whether it still hears: the answer to an
 * enquire_link must come, or the connection be closed. It waits for ever where neither happens; the caller has the time limit.
 * @param boundPeer the next connection, bound
 */
export async function storm(boundPeer: () => Promise<RawPeer>, pdus: number, seed: number): Promise<StormReport> {
  const random = dice(seed);
  const pool = fc.sample(arbitraryPdu, { numRuns: POOL_PDUS, seed }).map(encode);
  const report: StormReport = { pdus: 0, reconnects: 0, enquiries_answered: 0 };
  let peer = await boundPeer();
  while (report.pdus < pdus) {
    const batch: Buffer[] = [];
    while (batch.length < BATCH_PDUS) {
      batch.push(mutate(pool[Math.floor(random() * POOL_PDUS)] ?? Buffer.alloc(0), random));
    }
    const is_misframed = random() < MISFRAMED_SHARE;
    if (is_misframed) batch.push(misframe(pool[Math.floor(random() * POOL_PDUS)] ?? Buffer.alloc(0), random));
    report.pdus += batch.length;
    // In the number of the enquiry no mutant can have taken the answer's place.
    const enquiry = { command: 'enquire_link' as const, command_status: 0, sequence_number: 0x40000000 + report.pdus };
    peer.socket.write(Buffer.concat([...batch, encode({ ...enquiry, tlvs: NO_TLVS })]));
    if (is_misframed) {
      await peer.closed;
      report.reconnects += 1;
      peer = await boundPeer();
    } else if (await isAnswered(peer, enquiry.sequence_number)) {
      report.enquiries_answered += 1;
    } else {
      report.reconnects += 1;
      peer = await boundPeer();
    }
  }
  peer.socket.destroy();
  await peer.closed;
  return report;
}

async function isAnswered(peer: RawPeer, sequence_number: number): Promise<boolean> {
  for (;;) {
    const answer = await peer.next('enquire_link_resp');
    if (answer === null) return false;
    if (answer.sequence_number === sequence_number) return true;
  }
}

/** Binds to a server. */
export async function peerOfServer(port: number): Promise<RawPeer> {
  const peer = await RawPeer.connect(port);
  peer.send(sampleBind(), 1);
  const answer = await peer.next('bind_transceiver_resp');
  if (answer?.command_status !== 0) throw new Error('The server took no new bind: it is deaf or gone.');
  return peer;
}
