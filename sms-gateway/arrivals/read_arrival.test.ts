import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinParts, readArrival } from './read_arrival.ts';
import type { Delivery } from './read_arrival.ts';

const delivery = (changes: Partial<Delivery & { command: 'deliver_sm' }> = {}): Delivery => ({
  ...{ command: 'deliver_sm', service_type: '', source_addr_ton: 1, source_addr_npi: 1, source_addr: '447700900201' },
  ...{ dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: '4930123456', esm_class: 0, protocol_id: 0 },
  ...{ priority_flag: 0, schedule_delivery_time: '', validity_period: '', registered_delivery: 0 },
  ...{ replace_if_present_flag: 0, data_coding: 0, sm_default_msg_id: 0, short_message: Buffer.from('Hi'), tlvs: [] },
  ...changes,
});

describe('who a text is from', () => {
  it.each([
    ['447700900201', 1, 'GB', '+447700900201'],
    ['447700900201', 0, 'GB', '+447700900201'],
    ['+447700900201', 0, 'DE', '+447700900201'],
    ['00447700900201', 0, 'DE', '+447700900201'],
    // As it is dialled at home.
    ['07700900201', 2, 'GB', '+447700900201'],
    ['7700900201', 2, 'GB', '+447700900201'],
    ['07700900201', 0, 'GB', '+447700900201'],
    ['83000', 3, 'GB', '83000'],
    ['Letsdial', 5, 'GB', 'Letsdial'],
    ['', 0, 'GB', 'unknown'],
    ['00', 0, null, '00'],
    ['+00', 1, 'GB', '+00'],
    // Where nobody said whose home that is, it is what it was.
    ['07700900201', 2, null, '+07700900201'],
  ])('%s of type %i, to a carrier at home in %s, is %s', (source_addr, source_addr_ton, home_country, expected) => {
    expect(readArrival(delivery({ source_addr, source_addr_ton }), home_country).sender).toBe(expected);
  });

  it('is read as whom it is to', () => {
    const to = delivery({ destination_addr: '030123456', dest_addr_ton: 2 });
    expect(readArrival(to, 'DE').recipient).toBe('+4930123456');
  });
});

it('whatever octets come, a text is read and put together', () => {
  const octets = fc.uint8Array({ maxLength: 160 });
  const byte = fc.integer({ min: 0, max: 255 });
  const address = fc.string({ maxLength: 21 });
  const home = fc.constantFrom(null, 'GB', 'DE', 'XX');
  fc.assert(
    fc.property(
      octets,
      byte,
      byte,
      byte,
      address,
      home,
      (short_message, data_coding, esm_class, ton, from, country) => {
        const changes = { short_message, data_coding, esm_class, source_addr_ton: ton, source_addr: from };
        const part = readArrival(delivery(changes), country);
        expect(part.sender.length).toBeGreaterThan(0);
        // Half of a pair that stands for one character is none.
        expect(Buffer.from(joinParts([part, null], 'gsm7').body).toString()).not.toMatch(/[\ud800-\udfff]/u);
        expect(encodeURIComponent(joinParts([part, null], 'gsm7').body)).not.toBe('');
      },
    ),
    { numRuns: 2_000 },
  );
});
